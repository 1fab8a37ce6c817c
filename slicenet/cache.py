"""Feature maps on disk, described once and walked by every epoch and every later run.

And what extractors have learnt, so that two scorers of one extractor need not wait for it twice.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor

from slicenet import files
from slicenet.domain import Portrait
from slicenet.features import FeatureMap
from slicenet.folders import cache_folder
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch

FORMAT = 1  # raise it when the same key would hold other numbers
HALF_LIMIT = 6e4  # half precision ends at 65504
ENDING = ".features.safetensors"
LEARNT = ".learnt.safetensors"
PARTLY = ".partly.safetensors"
SECONDS = "seconds"  # an entry without them is of an older slicenet, and counts as absent
PORTRAIT = "portrait1."  # raise it when portraits change: features then stay good
DEARER = 24 * 3600.0  # seconds for which what was learnt stays longer than feature maps


@final
@dataclass(frozen=True)
class Cache:
    """Feature maps in a folder, least recently used out first; several runs may share it."""

    folder: Path = field(default_factory=cache_folder)
    limit: float = 20.0  # GB

    def load(self, key: str) -> FeatureMap | None:
        """The map of `key`, memory-mapped, or nothing."""
        path = self._path(key)
        with contextlib.suppress(OSError):  # a shared cache may be for reading only
            os.utime(path)  # the time of last use
        try:
            with files.tensors(path) as file:
                _seconds(file)
                held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return FeatureMap(
                    held["vectors"], held["inside"], held.get("strange"), _portrait(held)
                )  # fmt: skip
        except (OSError, SafetensorError, KeyError):  # another run has made room, or damaged
            return None

    def store(self, key: str, features: FeatureMap, seconds: float = 0.0) -> None:
        """Keep a map that took `seconds`, unless it cannot fit.

        A full or read-only disk costs time, not the run.
        """
        tensors = {"vectors": _compact(features.vectors.cpu()), "inside": features.inside.cpu()}
        if features.strange is not None:
            tensors["strange"] = features.strange.cpu()
        if features.portrait is not None:
            parts = features.portrait.to_tensors()
            tensors |= {f"{PORTRAIT}{name}": part.contiguous() for name, part in parts.items()}
        with contextlib.suppress(OSError):
            if self._make_room(sum(tensor.nbytes for tensor in tensors.values())):
                files.write_bytes(self._path(key), _serialize(tensors, seconds))

    def load_state(self, key: str) -> dict[str, Tensor] | None:
        """The tensors kept under `key`, or nothing."""
        path = self._path(key, LEARNT)
        with contextlib.suppress(OSError):
            os.utime(path)
        try:
            with files.tensors(path) as file:
                _seconds(file)
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError):
            return None

    def store_state(self, key: str, state: Mapping[str, Tensor], seconds: float = 0.0) -> bool:
        """Keep tensors that took `seconds` as they are; whether they could be kept."""
        tensors = {name: tensor.cpu().contiguous().clone() for name, tensor in state.items()}
        size = sum(tensor.nbytes for tensor in tensors.values())
        with contextlib.suppress(OSError):
            if self._make_room(size):
                files.write_bytes(self._path(key, LEARNT), _serialize(tensors, seconds))
                return True
        return False

    def savepoint(self, key: str) -> Savepoint:
        """Where what will be kept under `key` has got to; nowhere in a cache that holds nothing."""
        return Savepoint(self._path(key, PARTLY) if self.limit > 0 else None)

    def seconds(self, key: str, ending: str = ENDING) -> float:
        """How long it took to make what is kept under `key`; 0 if it has just gone."""
        try:
            with files.tensors(self._path(key, ending)) as file:
                return _seconds(file)
        except (OSError, SafetensorError, KeyError):
            return 0.0

    def size(self) -> tuple[int, int]:
        """Maps and bytes held."""
        held = list(self._held())
        return len(held), sum(size for _, size, _ in held)

    def clear(self) -> None:
        """Remove every map; a run that uses them computes them again."""
        for _, _, path in self._held():
            files.remove(path)

    def _path(self, key: str, ending: str = ENDING) -> Path:
        return self.folder / key[:2] / f"{key}{ending}"

    def _held(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.folder.glob("??/*.safetensors"):
            try:
                status = path.stat()
            except FileNotFoundError:  # another run has just made room
                continue
            used = status.st_mtime + (0 if path.name.endswith(ENDING) else DEARER)
            yield used, status.st_size, path

    def _make_room(self, size: int) -> bool:
        for left in self.folder.glob(f"??/{files.TEMPORARY}*"):
            if left.stat().st_mtime < time.time() - files.ABANDONED:
                files.remove(left)
        if size > self.limit * 1e9:
            return False
        held = sorted(self._held())
        spare = self.limit * 1e9 - size - sum(size for _, size, _ in held)
        for _, freed, path in held:
            if spare >= 0:
                break
            files.remove(path)
            spare += freed
        return spare >= 0


@final
@dataclass
class CachedMaps:
    """The feature maps of `volumes`; a second walk reads neither volume nor weights."""

    volumes: Sequence[Volume]
    describe: Callable[[Volume], FeatureMap]
    signature: str  # of everything but the volume that decides what `describe` returns
    cache: Cache
    watch: Watch
    only: Sequence[int] | None = None  # indices of those that are walked; all, if None
    saved: float = 0.0  # seconds that describing took in an earlier run, and not in this one
    spent: float = 0.0  # and in this one
    # Of volumes walked, by index; an entry that an older slicenet has left has none.
    portraits: dict[int, Portrait] = field(default_factory=dict)
    subjects: dict[int, str] = field(default_factory=dict)  # of volumes walked, by index
    _keys: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._walked)

    def __iter__(self) -> Iterator[FeatureMap]:
        for done, index in enumerate(self._walked, start=1):
            first = index not in self._keys
            features = self._map(index)
            if first and features.portrait is not None:
                self.portraits[index] = features.portrait
            # Not from the disk, where the same bytes are one map, whoever brings them.
            yield replace(features, subject=self.subjects[index])
            if first:
                self.watch("describe", done, len(self))

    @property
    def _walked(self) -> Sequence[int]:
        return range(len(self.volumes)) if self.only is None else self.only

    def _map(self, index: int) -> FeatureMap:
        if index in self._keys and (known := self.cache.load(self._keys[index])):
            return known
        volume = self.volumes[index]
        self.subjects[index] = volume.subject
        key = hashlib.sha256(f"{FORMAT} {volume.digest} {self.signature}".encode()).hexdigest()
        self._keys[index] = key
        if known := self.cache.load(key):
            self.saved += self.cache.seconds(key)
            return known
        began = time.perf_counter()
        features = self.describe(volume)
        seconds = time.perf_counter() - began
        self.spent += seconds
        self.cache.store(key, features, seconds)
        # What the disk holds, not what was computed: a rerun must see the same numbers.
        vectors, inside = _compact(features.vectors.cpu()), features.inside.cpu()
        return FeatureMap(vectors, inside, features.strange, features.portrait)


def _serialize(tensors: dict[str, Tensor], seconds: float) -> bytes:
    return serialize(tensors, {SECONDS: repr(seconds)})


def _seconds(file: safe_open) -> float:
    return float((file.metadata() or {})[SECONDS])


def _portrait(held: Mapping[str, Tensor]) -> Portrait | None:
    parts = {
        name.removeprefix(PORTRAIT): part
        for name, part in held.items()
        if name.startswith(PORTRAIT)
    }
    return Portrait.from_tensors(parts) if parts else None


def _compact(vectors: Tensor) -> Tensor:
    """Half precision where the values fit, which random features do not."""
    fits = vectors.numel() == 0 or float(vectors.abs().max()) < HALF_LIMIT
    return (vectors.half() if fits else vectors.float()).contiguous()
