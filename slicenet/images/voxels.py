"""From stored bytes to intensities, slab by slab: one float32 copy is all that is held."""

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from slicenet.errors import ResourceError, VolumeError
from slicenet.images.claim import Claim
from slicenet.images.stream import ByteStream

SLAB = 2**17  # voxels at once, so that a slab stays in the processor's cache
LEVELS = 256  # that must fit between the lowest and the highest intensity

LARGEST = float(np.finfo(np.float32).max)


@final
@dataclass(frozen=True)
class Extent:
    """The lowest and highest intensity that are finite, before they were rounded to float32."""

    low: float
    high: float
    finite: bool  # whether all intensities are, as float32


def read_voxels(stream: ByteStream, claim: Claim, volume: int) -> tuple[np.ndarray, Extent]:
    """Intensities of one volume, float32 [X, Y, Z] in the file's axis order; may hold NaN, Inf."""
    stream.skip(claim.offset - stream.position + volume * claim.size)
    voxels = _room(claim)
    slab = bytearray(min(SLAB, claim.voxels) * claim.dtype.itemsize)
    stored = np.frombuffer(slab, claim.dtype)
    spans = []
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, claim.voxels, SLAB):
            part = stored[: claim.voxels - first]
            _fill(stream, memoryview(slab)[: part.nbytes], claim, volume)
            part = part.astype(part.dtype.newbyteorder("="), copy=False)
            spans.append(_span(part))
            voxels[first : first + len(part)] = _intensities(part, claim)
        extent = _extent(spans, claim)
    stream.skip((claim.volumes - 1 - volume) * claim.size)
    _check_end(stream, claim)
    return voxels.reshape(claim.shape, order="F"), extent


def _room(claim: Claim) -> np.ndarray:
    try:
        return np.empty(claim.voxels, np.float32)
    except MemoryError as error:
        size = claim.voxels * 4 / 2**20
        raise ResourceError(f"no memory for {size:,.0f} MiB of voxels", "E_MEMORY") from error


def _fill(stream: ByteStream, target: memoryview, claim: Claim, volume: int) -> None:
    if stream.take_into(target) < len(target):
        _refuse_short(stream, claim)


def _check_end(stream: ByteStream, claim: Claim) -> None:
    if stream.position < claim.offset + claim.volumes * claim.size:
        _refuse_short(stream, claim)


def _refuse_short(stream: ByteStream, claim: Claim) -> None:
    expected, got = claim.volumes * claim.size, max(0, stream.position - claim.offset)
    raise VolumeError(
        f"was cut off: {got:,} of {expected:,} bytes of voxels are there",
        "E_TRUNCATED",
        "fetch or convert it again",
    )


def _span(part: np.ndarray) -> tuple[Any, Any, bool]:
    low, high = part.min().item(), part.max().item()
    if math.isfinite(low) and math.isfinite(high):
        return low, high, True
    finite = part[np.isfinite(part)]
    return (finite.min().item(), finite.max().item(), False) if finite.size else (None, None, False)


def _intensities(part: np.ndarray, claim: Claim) -> np.ndarray:
    if claim.scaled:
        return part.astype(np.float64) * claim.slope + claim.intercept
    # Whole numbers of 64 bits through double precision, as nibabel does: rounded the same.
    return part.astype(np.float64) if part.dtype.itemsize == 8 else part


def _extent(spans: list[tuple[Any, Any, bool]], claim: Claim) -> Extent:
    """Check that the intensities can be told apart, and give their range."""
    known = [span for span in spans if span[0] is not None]
    finite = all(span[2] for span in spans)
    if not known:
        return Extent(math.nan, math.nan, finite=False)
    low, high = min(span[0] for span in known), max(span[1] for span in known)
    # Of the stored numbers, while whole ones are still exact.
    difference = float(high - low) * abs(claim.slope)
    ends = sorted(float(end) * claim.slope + claim.intercept for end in (low, high))
    largest = max(map(abs, ends))
    exact = claim.dtype.itemsize == 4 and claim.dtype.kind == "f" and not claim.scaled
    if not exact and largest <= LARGEST:
        step = float(np.spacing(np.float32(largest)))
        if 0 < difference < LEVELS * step and step > np.finfo(np.float32).tiny:
            raise VolumeError(
                f"its intensities lie around {ends[1]:.3g} and differ by {difference:.3g} only: "
                "too close together for single precision",
                "E_RANGE",
                "subtract a constant from them, or set scl_inter to 0",
            )
    return Extent(ends[0], ends[1], finite and largest <= LARGEST)
