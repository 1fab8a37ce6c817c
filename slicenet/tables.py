"""Rows of cells as tables: for a terminal, for Markdown, for a page. The first row is the header.

A cell may end with an interval in brackets, which goes below its value where there is room.
"""

import html
from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def text(rows: Rows) -> str:
    """The table for a terminal: values on a line, intervals below them."""
    split = [[cell.partition(" [") for cell in row] for row in rows]
    above = [[first for first, _, _ in row] for row in split]
    below = [[f"[{rest}" if rest else "" for _, _, rest in row] for row in split]
    widths = [max(len(row[at]) for row in (*above, *below)) for at in range(len(rows[0]))]
    shown = []
    for top, bottom in zip(above, below, strict=True):
        shown.append(_aligned(top, widths))
        if any(bottom):
            shown.append(_aligned(bottom, widths))
    return "\n".join(shown)


def markdown(rows: Rows) -> str:
    """The table for a README."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def page(rows: Rows) -> str:
    """The table as HTML."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{_stacked(cell)}</td>' for cell in row)}</tr>" for row in rows[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _stacked(cell: str) -> str:
    """A figure with its interval below it, so that the table fits a page."""
    value, _, interval = cell.partition(" [")
    below = f"<br><small>[{html.escape(interval)}</small>" if interval else ""
    return html.escape(value) + below


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    aligned = [f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in rest)]
    return "  ".join(aligned).rstrip()
