"""Colours of pieces, as the tables of names and colours that viewers read."""

# Okabe and Ito (2008), told apart whatever colours an eye can see; the eighth begins anew.
WHEEL = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66),
    (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
MOST = 255  # pieces: a byte holds them


def colour(index: int) -> tuple[int, int, int]:
    """Red, green and blue of a piece, 0 to 255; the first piece is 1."""
    return WHEEL[(index - 1) % len(WHEEL)]


def name(index: int) -> str:
    """What a piece is called; without spaces, which split columns in some viewers."""
    return f"anomaly-{index}"


def hexadecimal(index: int) -> str:
    """The colour of a piece as BIDS has it, `#e69f00`."""
    return "#{:02x}{:02x}{:02x}".format(*colour(index))


def itk_snap() -> str:
    """Label descriptions of ITK-SNAP: index, colour, opacity, shown in slices and in 3D, name."""
    lines = ['0 0 0 0 0 0 0 "Clear Label"']
    lines += [f'{i} {_spaced(i)} 1 1 1 "{name(i)}"' for i in range(1, MOST + 1)]
    return "\n".join(lines) + "\n"


def slicer() -> str:
    """A colour table of 3D Slicer: index, name, colour, opacity."""
    lines = ["# Color table file", f"# {MOST + 1} values", "0 Background 0 0 0 0"]
    lines += [f"{i} {name(i)} {_spaced(i)} 255" for i in range(1, MOST + 1)]
    return "\n".join(lines) + "\n"


def fsleyes() -> str:
    """A lookup table of FSLeyes: index, colour from 0 to 1, name."""
    return "".join(f"{i} {_shares(i)} {name(i)}\n" for i in range(1, MOST + 1))


def _spaced(index: int) -> str:
    return " ".join(map(str, colour(index)))


def _shares(index: int) -> str:
    return " ".join(f"{part / 255:.5f}" for part in colour(index))
