"""Healthy subjects that teach a network nothing, so that what it says of them can be learnt."""

from collections.abc import Iterable, Iterator, Sequence
from typing import final

import numpy as np

from slicenet.errors import ConfigError
from slicenet.subjects import whose
from slicenet.volume import Volume


def hold_out(subjects: Sequence[str], share: float, seed: int) -> list[int]:
    """Places of all volumes of a share of the subjects, rising; one subject at least stays.

    Of what a network has learnt from it says what it says of nothing else: a density of that would
    call every other healthy brain strange.
    """
    known = sorted(set(subjects))
    if not share:
        return []
    if len(known) < 2:
        text = "held: a single subject cannot be divided"
        raise ConfigError(text, "E_TOO_FEW", "held=0 divides nobody")
    count = min(max(1, round(share * len(known))), len(known) - 1)
    order = np.random.default_rng(seed).permutation(len(known))
    chosen = {known[index] for index in order[:count]}
    return [place for place, subject in enumerate(subjects) if subject in chosen]


@final
class Noted:
    """Volumes to walk as often as one likes, which notes whose they are on the way."""

    def __init__(self, volumes: Iterable[Volume]) -> None:
        self._volumes = volumes
        self._subjects: list[str] | None = None

    def __iter__(self) -> Iterator[Volume]:
        subjects = list[str]()
        yield from noting(self._volumes, subjects)
        self._subjects = subjects

    def subjects(self) -> list[str]:
        """Whose each is; walks for that alone where nobody has walked before."""
        if self._subjects is None:
            for _ in self:
                pass
        assert self._subjects is not None
        return self._subjects


def noting(volumes: Iterable[Volume], subjects: list[str]) -> Iterator[Volume]:
    """The volumes as they are; whose each was is put behind what `subjects` holds."""
    for volume in volumes:
        subjects.append(whose(volume.subject, volume.name, len(subjects)))
        yield volume
