"""What intensities alone tell: an image that says nothing, or is no MRI."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.errors import Notice, VolumeError

SLAB = 2**17  # voxels at once
SMALLEST = float(np.finfo(np.float32).tiny)  # below it there is nothing to compute with
FEW = 32  # different intensities; fewer are labels or a ruined export
CLIPPED = 0.02  # of the foreground at one highest value
FLAT = 0.75  # of neighbours within the foreground that are alike: labels
LABELLED = 0.6  # of them, where all are whole numbers; MRI in 20 steps has a third
PLANES = 8  # looked at for that
NEGATIVE = 0.01  # of the foreground
COLD, CHILL = -200.0, 0.05  # Hounsfield units below all tissue, and the share that tells air


@final
@dataclass(frozen=True)
class Census:
    """Counts over the voxels that are not background."""

    count: int
    low: float
    high: float
    levels: int  # different values, counted up to FEW
    negative: int
    cold: int  # of all voxels, background too


def check_intensities(voxels: np.ndarray) -> tuple[Notice, ...]:
    """Refuse finite [X, Y, Z] without contrast, and warn of what MRI does not look like."""
    background = background_of(voxels)
    census = _count(voxels, background)
    if census.count == 0:
        raise VolumeError(f"all its voxels are {background:g}", "E_CONSTANT")
    if census.high - census.low < SMALLEST:
        kind = "all" if census.high == census.low else "all nearly"
        text = f"its {census.count:,} voxels that are not background are {kind} {census.high:g}"
        raise VolumeError(text, "E_CONSTANT", "is it a mask?" if kind == "all" else "")
    return (*_few_levels(voxels, background, census), *_foreign(voxels.size, census))


def are_labels(voxels: np.ndarray) -> bool:
    """Whether finite [X, Y, Z] are whole numbers whose neighbours are mostly alike."""
    if _alike(voxels, background_of(voxels)) < LABELLED:
        return False
    return all(np.array_equal(part, np.rint(part)) for part in _slabs(voxels))


def background_of(voxels: np.ndarray) -> float:
    """The value that most corners share, else 0."""
    ends = np.ix_(*[(0, size - 1) for size in voxels.shape])
    values, counts = np.unique(voxels[ends], return_counts=True)
    common = float(values[counts.argmax()])
    return common if counts.max() > 4 and np.isfinite(common) else 0.0


def _count(voxels: np.ndarray, background: float) -> Census:
    count, negative, cold = 0, 0, 0
    low, high = np.inf, -np.inf
    seen = np.empty(0, np.float32)
    for part in _slabs(voxels):
        cold += int(np.count_nonzero(part <= COLD))
        inside = part[part != background]
        if not inside.size:
            continue
        count += inside.size
        negative += int(np.count_nonzero(inside < 0))
        low, high = min(low, float(inside.min())), max(high, float(inside.max()))
        if len(seen) < FEW:  # the first slab with tissue ends this
            seen = np.union1d(seen, inside)
    return Census(count, low, high, min(len(seen), FEW), negative, cold)


def _slabs(voxels: np.ndarray) -> Iterator[np.ndarray]:
    flat = voxels.reshape(-1, order="A")
    for first in range(0, len(flat), SLAB):
        yield flat[first : first + SLAB]


def _few_levels(voxels: np.ndarray, background: float, census: Census) -> list[Notice]:
    if census.levels < FEW:
        text = f"has {census.levels} different intensities: labels, or a ruined export?"
        return [Notice("W_LOW_LEVELS", text)]
    clipped = sum(np.count_nonzero(part == census.high) for part in _slabs(voxels)) / census.count
    if clipped > CLIPPED:
        text = f"is saturated: {clipped:.0%} of its voxels hold the highest value, {census.high:g}"
        return [Notice("W_LOW_LEVELS", text)]
    alike = _alike(voxels, background)
    if alike > FLAT:
        text = f"{alike:.0%} of its neighbouring voxels are alike: is it a map of labels?"
        return [Notice("W_LOW_LEVELS", text)]
    return []


def _alike(voxels: np.ndarray, background: float) -> float:
    """The share of neighbours inside that hold the same value, in a few planes."""
    axis = int(np.argmin(voxels.shape))
    planes = np.unique(np.linspace(0, voxels.shape[axis] - 1, PLANES).astype(int))
    chosen = np.moveaxis(voxels, axis, 0)[planes]  # `take` would copy the whole first
    one, other = chosen[:, 1:], chosen[:, :-1]
    inside = (one != background) & (other != background)
    return float(np.mean(one[inside] == other[inside])) if inside.any() else 0.0


def _foreign(size: int, census: Census) -> list[Notice]:
    if census.cold > CHILL * size:
        text = f"{census.cold / size:.0%} of its voxels lie below {COLD:g}: is it CT, not MRI?"
        return [Notice("W_DOMAIN", text)]
    if census.negative > NEGATIVE * census.count:
        share = census.negative / census.count
        text = f"{share:.0%} of its voxels are negative, which MRI as scanned never is"
        return [Notice("W_DOMAIN", text)]
    return []
