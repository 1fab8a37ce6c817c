"""From the slices of a slab to one vector a cell, whatever the order of the slices."""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError

LEAST = 1e-6
LEARNT = "learnt"


@dataclass(frozen=True)
class DepthSettings:
    """Settings of `slabs` and `merge`."""

    kernel: int = 3  # slices that a cell sees
    stride: int = 3  # slices from one cell to the next
    merge: str = "mean"  # or max, median, power, attention, learnt
    power: float = 3.0  # of the generalised mean: 1 is the mean, infinity the maximum
    temperature: float = 0.1  # of attention, in units of cosine similarity

    def __post_init__(self) -> None:
        if self.kernel < 1 or self.stride < 1:
            raise ConfigError("kernel and stride must be positive", "E_SETTING")
        if self.merge not in MERGERS:
            have = ", ".join(sorted(MERGERS))
            raise ConfigError(f"merge: have {have}; got {self.merge!r}", "E_SETTING")
        if self.power <= 0 or self.temperature <= 0:
            raise ConfigError("power and temperature must be positive", "E_SETTING")


def slabs(size: int, kernel: int, stride: int) -> list[range]:
    """The slices that each of `size / stride` cells sees: `kernel` around its middle."""
    starts = range((stride - kernel) // 2, size - stride + 1 + (stride - kernel) // 2, stride)
    return [range(max(start, 0), min(start + kernel, size)) for start in starts]


def merge(slices: Tensor, settings: DepthSettings) -> Tensor:
    """Slices [k, C, ...] merged to [C, ...]; their order does not matter."""
    return slices[0] if len(slices) == 1 else MERGERS[settings.merge](slices, settings)


def _mean(slices: Tensor, settings: DepthSettings) -> Tensor:
    return slices.mean(0)


def _maximum(slices: Tensor, settings: DepthSettings) -> Tensor:
    return slices.amax(0)


def _median(slices: Tensor, settings: DepthSettings) -> Tensor:
    # torch's own takes the lower of two middle values.
    middle = len(slices) // 2
    ordered = slices.sort(0).values
    return ordered[middle] if len(slices) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _power(slices: Tensor, settings: DepthSettings) -> Tensor:
    """(mean of x^p)^(1/p) of positive features, which those after a ReLU are (Radenovic, 2018)."""
    positive = slices.clamp(min=LEAST)
    largest = positive.amax(0)  # a high power of a small number would be 0
    return (positive / largest).pow(settings.power).mean(0).pow(1 / settings.power) * largest


def _attention(slices: Tensor, settings: DepthSettings) -> Tensor:
    """Weighted by likeness to the slab's mean: a slice that differs from the rest counts less."""
    likeness = F.cosine_similarity(slices, slices.mean(0, keepdim=True), dim=1)  # [k, ...]
    weight = (likeness / settings.temperature).softmax(0)
    return (slices * weight[:, None]).sum(0)


def _learnt(slices: Tensor, settings: DepthSettings) -> Tensor:
    """Weighted by the last channel, the answer of the decoder that fine-tuning has left."""
    return (slices * slices[:, -1:].softmax(0)).sum(0)


MERGERS: dict[str, Callable[[Tensor, DepthSettings], Tensor]] = {
    "attention": _attention,
    LEARNT: _learnt,
    "max": _maximum,
    "mean": _mean,
    "median": _median,
    "power": _power,
}
