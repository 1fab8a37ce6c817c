"""Tables as BIDS has them: tabs between cells, `n/a` for what is not known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def tsv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """The text of a table; what a row has beside the columns is left out."""
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(column)) for column in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return "n/a"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("\t", " ").replace("\n", " ")
