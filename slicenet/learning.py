"""What takes long to learn is learnt once, and goes on where it was stopped."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import final

import torch
from torch import Tensor, nn

from slicenet.cache import LEARNT, Cache, CachedMaps
from slicenet.features import Extractor, FeatureMap, signature
from slicenet.frame import Frame
from slicenet.savepoint import Savepoint
from slicenet.scoring import Scorer
from slicenet.volume import Volume
from slicenet.watch import Watch


@final
@dataclass(frozen=True)
class Framed:
    """`map` that can be walked again: each epoch reads anew, so memory holds one volume."""

    enter: Callable[[Volume], Volume]
    volumes: Sequence[Volume]

    def __len__(self) -> int:
        return len(self.volumes)

    def __iter__(self) -> Iterator[Volume]:
        return map(self.enter, self.volumes)


@final
@dataclass(frozen=True)
class Walked:
    """Healthy maps, and then lesioned ones if there are any."""

    healthy: CachedMaps
    lesioned: CachedMaps | None = None

    @property
    def parts(self) -> list[CachedMaps]:
        """Those that there are."""
        return [one for one in (self.healthy, self.lesioned) if one is not None]

    def __iter__(self) -> Iterator[FeatureMap]:
        return chain(*self.parts)


def identities(volumes: Sequence[Volume]) -> str:
    """Digests of volumes and whose they are: some extractors hold out whole subjects."""
    return "".join(f"{one.digest} {one.subject} " for one in volumes)


def fit_extractor(
    frame: Frame,
    extractor: Extractor,
    healthy: Sequence[Volume],
    those: str,
    watch: Watch,
    cache: Cache,
) -> float:
    """Learn, or take what the same extractor has learnt from `those` before; the seconds spared."""
    framed = Framed(frame.enter, healthy)
    if not extractor.learns:
        extractor.fit(framed, watch)
        return 0.0
    return learn(
        extractor, lambda savepoint: extractor.fit(framed, watch, savepoint),
        f"{signature(frame)} {extractor.lessons()}{those}", cache, watch,
    )  # fmt: skip


def fit_scorer(scorer: Scorer, maps: Walked, described: str, watch: Watch, cache: Cache) -> float:
    """Learn, or take what the same scorer has learnt from the same maps before; seconds spared.

    All that decides the maps is in `described`. Where nothing was to learn the maps are not walked,
    and the seconds are those of describing too.
    """
    if not scorer.learns:
        scorer.fit(maps, watch)
        return 0.0
    return learn(
        scorer, lambda savepoint: scorer.fit(maps, watch, savepoint),
        f"{scorer.lessons()} {described}", cache, watch,
        lambda: sum(one.saved for one in maps.parts),
    )  # fmt: skip


def learn(
    module: nn.Module,
    fit: Callable[[Savepoint], None],
    lesson: str,
    cache: Cache,
    watch: Watch,
    earlier: Callable[[], float] = lambda: 0.0,
) -> float:
    """Have `fit` teach, or take what `module` learnt from the same lesson; the seconds spared.

    Seconds that `earlier` tells afterwards, which another run has spent on it, count as well.
    """
    key = hashlib.sha256(lesson.encode()).hexdigest()
    partly = cache.savepoint(key)
    if known := cache.load_state(key):
        fill(module, known)
        spared = cache.seconds(key, LEARNT)
        watch("learnt before", 1, 1)
    else:
        spared, began = 0.0, time.perf_counter()
        fit(partly)
        seconds = time.perf_counter() - began + earlier()
        if not cache.store_state(key, module.state_dict(), seconds):
            return spared  # the savepoint is all that there is
    partly.clear()
    return spared


def fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load a state: statistics take the size of what was learnt, weights must fit the settings."""
    modules = dict(module.named_modules())
    for name, tensor in tensors.items():
        owner, _, leaf = name.rpartition(".")
        buffers = modules[owner]._buffers if owner in modules else {}
        if (held := buffers.get(leaf)) is not None:
            buffers[leaf] = torch.zeros_like(tensor, device=held.device)
    # What a state of an earlier slicenet never learnt is empty where nothing was fitted.
    empty = {name: held for name, held in module.state_dict().items() if not held.numel()}
    module.load_state_dict({**empty, **tensors})
