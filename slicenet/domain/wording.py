"""What is said of an input that is unlike the cohort of its model."""

from collections.abc import Sequence

from slicenet.domain.domain import Reading
from slicenet.domain.measures import CONTRAST, FIELD, MEASURES, RESOLUTION, SKULL
from slicenet.errors import Notice

CODE = "W_DOMAIN"
THEMES = (CONTRAST, SKULL, FIELD, RESOLUTION)  # in the order of what they do to a map


def unlike(name: str, readings: Sequence[Reading], subjects: int) -> tuple[Notice, ...]:
    """A notice that says in what `name` is unlike the cohort and by how much; none if it is not."""
    themes = strange_themes(readings)
    if not themes:
        return ()
    told = [f"{theme} ({_worst(readings, theme)})" for theme in themes]
    listed = " and in ".join(filter(None, (", ".join(told[:-1]), told[-1])))
    message = f"{name}: unlike the {subjects} healthy brains of this model in {listed}"
    grave = CONTRAST in themes or SKULL in themes
    counsel = "its map means little" if grave else "read its map with care"
    return (Notice(CODE, f"{message}: {counsel}"),)


def strange_themes(readings: Sequence[Reading]) -> tuple[str, ...]:
    """What the measures beyond their limits speak of."""
    far = {one.usual.measure for one in readings if one.unlike}
    found = {MEASURES[name].theme for name in far}
    # In another contrast the rim is another too, and fluid makes a shell where it is bright.
    turned = any(_is_turned(one) for one in readings)
    if turned or (CONTRAST in found and "shell" not in far):
        found.discard(SKULL)
    return tuple(theme for theme in THEMES if theme in found)


def _is_turned(reading: Reading) -> bool:
    """Whether it is dark where the cohort is bright."""
    return reading.usual.measure == "pattern" and reading.unlike and reading.value < 0


def _worst(readings: Sequence[Reading], theme: str) -> str:
    """The measure of a theme that lies furthest off, in words."""
    strange = [one for one in readings if one.unlike]
    of_theme = [one for one in strange if MEASURES[one.usual.measure].theme == theme]
    # Where the picture is turned round, that is the reason, however far the rest is off.
    turned = [one for one in of_theme if one.usual.measure == "pattern"]
    worst = max(turned or of_theme, key=lambda one: one.distance)
    measure = MEASURES[worst.usual.measure]
    of = f"sequence {worst.usual.sequence}, " if _several(readings) and worst.usual.sequence else ""
    said = f"{measure.label} {_figure(worst.value)}, theirs {_range(worst)}"
    return f"{of}{_kind(worst)}{said}{f' {measure.unit}' if measure.unit else ''}"


def _several(readings: Sequence[Reading]) -> bool:
    return any(one.usual.sequence > 1 for one in readings)


def _kind(reading: Reading) -> str:
    """What such a value usually comes from."""
    above = reading.value > reading.usual.centre
    if reading.usual.measure == "pattern":
        if _is_turned(reading):
            return "dark where they are bright, as a T2 beside T1s or an inverted scan: "
        return "bright and dark at other places, as in another sequence or out of place: "
    if reading.usual.measure.startswith("detail"):
        return "noisier or sharper than any: " if above else "blurred or in thick slices: "
    return {
        "histogram": "another mix of greys: ",
        "voxel": "coarser: ",
        "shell": "something like bone is left: ",
        "rim": "something is left around the brain, or too much is gone: ",
    }.get(reading.usual.measure, "")


def _range(reading: Reading) -> str:
    low, high = reading.usual.low, reading.usual.high
    if low is None:
        return "none" if high is None else f"up to {_figure(high)}"
    return f"from {_figure(low)}" if high is None else f"{_figure(low)} to {_figure(high)}"


def _figure(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"
