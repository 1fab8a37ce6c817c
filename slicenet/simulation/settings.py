"""What kind of lesions to draw, and how scans differ that have none."""

from collections.abc import Sequence
from dataclasses import dataclass

from slicenet.errors import ConfigError

SHAPES = ("clouds", "chains", "sheets", "blocks")
LOOKS = ("shifted", "regained", "bent", "grained", "blurred", "sharpened", "foreign")


@dataclass(frozen=True)
class JitterSettings:
    """How much a whole sample varies without being a lesion; all deviations, 0 turns one off."""

    brightness: float = 0.2  # quartile ranges
    contrast: float = 0.15  # of the logarithm of the gain
    curve: float = 0.08  # of the logarithm of the exponent
    field: float = 0.08  # of the logarithm of a smooth gain
    noise: float = 0.12  # quartile ranges
    blur: float = 0.6  # mm

    def __post_init__(self) -> None:
        if not all(0 <= value <= 5 for value in vars(self).values()):
            raise ConfigError(f"jitter: expected 0 to 5 each, got {vars(self)}", "E_SETTING")


@dataclass(frozen=True)
class SimulationSettings:
    """Settings of `simulate`. Intensities are at median 0 and quartile range 1, as in the frame."""

    # Lesions of a sample on average, each on its own: that there is one says nothing of others.
    mean: float = 4.0
    least: int = 0  # lesions of any sample
    most: int = 12
    smallest: float = 2.0  # mm, radius; sizes are even on a logarithmic scale
    largest: float = 40.0  # mm, radius
    edges: tuple[float, ...] = (0.5, 6.0)  # mm, from the sharpest to the softest
    strengths: tuple[float, ...] = (0.3, 3.0)  # quartile ranges, the least and greatest shift
    mixed: float = 0.4  # share of lesions with two looks, one upon the other
    absent: float = 0.2  # share of lesions that leave a sequence as it is, if there are several
    visible: float = 0.25  # quartile ranges; what changes less is nowhere called a lesion
    shapes: tuple[str, ...] = SHAPES
    looks: tuple[str, ...] = LOOKS
    jitter: JitterSettings = JitterSettings()

    def __post_init__(self) -> None:
        _within("mixed and absent", (self.mixed, self.absent), 0.0, 1.0)
        _within("mean", (self.mean,), 0.0, 20.0)
        _within("most", (self.most,), 0, 40)
        _within("least", (self.least,), 0, self.most)
        _within("smallest", (self.smallest,), 0.5, self.largest)
        _within("visible", (self.visible,), 0.0, 3.0)
        _rising("edges", self.edges)
        _rising("strengths", self.strengths)
        _known("shapes", self.shapes, SHAPES)
        _known("looks", self.looks, LOOKS)


def _within(name: str, values: Sequence[float], least: float, most: float) -> None:
    if not all(least <= value <= most for value in values):
        raise ConfigError(
            f"{name}: expected {least:g} to {most:g}, got {', '.join(map(str, values))}",
            "E_SETTING",
        )


def _rising(name: str, ends: tuple[float, ...]) -> None:
    if len(ends) != 2 or not 0 < ends[0] <= ends[1]:
        raise ConfigError(f"{name}: expected two positive numbers, rising; got {ends}", "E_SETTING")


def _known(name: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    if not chosen or not set(chosen) <= set(known):
        seen = ", ".join(chosen) or "nothing"
        raise ConfigError(f"{name}: have {', '.join(known)}; got {seen}", "E_SETTING")
