"""How often, and how much, a brain is changed."""

from dataclasses import dataclass

from slicenet.errors import ConfigError


@dataclass(frozen=True)
class Chance:
    """One change of an image."""

    probability: float  # of a view
    strength: float  # in the unit told where it is used

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1 or self.strength < 0:
            raise ConfigError(
                "views: probability must be within 0 to 1, strength not negative", "E_SETTING"
            )


@dataclass(frozen=True)
class ViewSettings:
    """Settings of `view`.

    Gentler than published, and without its flips: who learns that place does not matter cannot say
    afterwards what is strange at a place.
    """

    affine: Chance = Chance(0.9, 1.0)  # times 10 degrees, 10 % in size and 5 mm
    elastic: Chance = Chance(0.5, 2.0)  # mm, deviation of the displacement
    gamma: Chance = Chance(0.6, 0.2)  # deviation of the logarithm of the exponent
    field: Chance = Chance(0.5, 0.15)  # deviation of the logarithm of the gain
    noise: Chance = Chance(0.5, 0.2)  # quartile ranges, the largest deviation
    blur: Chance = Chance(0.2, 1.5)  # mm, the largest deviation
    swap: Chance = Chance(0.4, 16.0)  # mm, edge of the boxes that change places
    cut: Chance = Chance(0.4, 32.0)  # mm, longest edge of the boxes that are emptied
    boxes: int = 4  # of each kind, if there are any

    def __post_init__(self) -> None:
        if self.boxes < 1:
            raise ConfigError("views.boxes counts from 1", "E_SETTING")
