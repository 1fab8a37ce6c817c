"""What kind of phantoms to make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from slicenet.errors import ConfigError

# Their order numbers the random streams: append, never reorder.
CONTRASTS = ("T1w", "T2w", "FLAIR")
KINDS = ("bright", "dark", "textured", "tissue", "transplant", "rim")
TEMPLATES = ("auto", "icbm152", "procedural")


@final
@dataclass(frozen=True)
class PhantomSettings:
    """Settings of phantom brains and of the lesions put into them."""

    spacing: float = 2.0  # mm, edge of a voxel
    contrasts: tuple[str, ...] = ("T1w",)  # of one subject, on one grid
    template: str = "auto"  # icbm152 where nilearn is installed, else procedural
    noise: float = 0.025  # mean deviation of the noise, as a share of white matter
    kinds: tuple[str, ...] = KINDS  # how lesions may look in the first contrast
    most_lesions: int = 3  # a lesioned brain has 1 to this many
    smallest: float = 3.0  # mm, radius
    largest: float = 20.0  # mm, radius; sizes are even on a logarithmic scale
    strength: float = 1.0  # 0 leaves lesions invisible, 1 is easy to middling, 2 is glaring
    mass_effect: bool = False  # lesions push the tissue around them outwards

    def __post_init__(self) -> None:
        _all_known("contrasts", self.contrasts, CONTRASTS)
        _all_known("kinds", self.kinds, KINDS)
        _all_known("template", (self.template,), TEMPLATES)
        _within("spacing", self.spacing, 0.5, 10.0)
        _within("noise", self.noise, 0.0, 0.3)
        _within("smallest", self.smallest, 1.0, self.largest)
        _within("largest", self.largest, self.smallest, 40.0)
        _within("strength", self.strength, 0.0, 5.0)
        _within("most_lesions", self.most_lesions, 1, 10)


def _all_known(name: str, chosen: Sequence[str], known: Sequence[str]) -> None:
    unknown = [one for one in chosen if one not in known]
    if unknown or not chosen or len(set(chosen)) < len(chosen):
        seen = ", ".join(chosen) or "nothing"
        message = f"{name}: expected some of {', '.join(known)}, each once, got {seen}"
        raise ConfigError(message, "E_SETTING")


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ConfigError(f"{name}: expected {least:g} to {most:g}, got {value:g}", "E_SETTING")
