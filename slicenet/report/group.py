"""The page of all cases: a table to sort, the scores among the healthy, and what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import final

from slicenet.errors import Notice
from slicenet.report import provenance
from slicenet.report.document import document, escape, header, link, picture, warnings
from slicenet.report.folder import Entry, Failure, Scored
from slicenet.report.plot import Line, distribution

ROOM = 4_000_000  # bytes of thumbnails; beyond it the strangest cases keep theirs
COLUMNS = ("", "case", "volume score", "p", "peak", "above, ml", "pieces", "brain, ml", "remarks")


@final
@dataclass(frozen=True)
class Drawn:
    """What the page of all cases shows of one."""

    entry: Entry
    thumbnail: bytes  # PNG
    pieces: int | None


@final
@dataclass(frozen=True)
class Section:
    """More to say on the page; the content is markup."""

    title: str
    content: str


def group_page(
    scored: Scored, drawn: Sequence[Drawn], broken: Sequence[Failure] = (), *, title: str = "",
    place: Path | None = None, before: Sequence[Section] = (), after: Sequence[Section] = (),
    notices: Sequence[Notice] = (),
) -> str:  # fmt: skip
    """The page, to lie in the folder `place`; in the output itself by default."""
    failures = (*scored.failures, *broken)
    top = PurePosixPath(scored.folder.relative_to(place)) if place else PurePosixPath()
    count = f"{len(drawn)} scored, {len(failures)} failed"
    body = "\n".join([
        header(title or "Anomaly maps", f"<span>{count}</span>"),
        warnings([*scored.notices, *notices]), "<main>",
        *map(_section, before), _plot(scored), _failures(failures),
        _table(drawn, failures, top), *map(_section, after),
        f"<section><h2>Provenance</h2>{provenance.of_model(scored)}</section></main>",
    ])  # fmt: skip
    return document(f"{title or 'Anomaly maps'} – slicenet", body, ("group.js",))


def _section(one: Section) -> str:
    return f'<section class="section"><h2>{escape(one.title)}</h2>{one.content}</section>'


def _plot(scored: Scored) -> str:
    scores = [float(entry.row["score"]) for entry in scored.entries]
    names = [entry.file.name for entry in scored.entries]
    lines = [Line("these cases", scores, "case", names)]
    if scored.calibration:
        healthy = scored.calibration.volume_scores
        lines.insert(0, Line("healthy, held out of training", healthy, "healthy"))
    drawn = distribution(lines, "Volume scores of these cases beside those of healthy brains")
    return f"<section><h2>Volume scores</h2>{drawn}</section>" if scores else ""


def _failures(failures: Sequence[Failure]) -> str:
    if not failures:
        return ""
    items = "".join(
        f"<dt>{escape(one.name)}</dt><dd class=unlike>{escape(one.message or one.code)} "
        f"<code>{escape(one.code)}</code>{_hint(one)}</dd>"
        for one in failures
    )
    return (
        f'<section id="failed"><h2>{len(failures)} failed</h2><dl class="facts">{items}</dl>'
        "</section>"
    )


def _hint(failure: Failure) -> str:
    return f"<br><small>{escape(failure.hint)}</small>" if failure.hint else ""


def _table(drawn: Sequence[Drawn], failures: Sequence[Failure], top: PurePosixPath) -> str:
    """Every case, strangest first; what failed comes last and says so."""
    head = "".join(
        f"<th scope=col{' aria-sort=descending' if name == 'volume score' else ''}>"
        f"{f'<button type=button>{name}</button>' if name else ''}</th>"
        for name in COLUMNS
    )
    left = ROOM
    rows = []
    for one in drawn:
        left -= len(one.thumbnail) * 4 // 3
        rows.append(_row(one, top, shown=left > 0))
    rows += [_failed_row(one) for one in failures]
    return (
        '<section><div class="above"><h2>Cases</h2><label>find <input type="search" id="filter">'
        "</label></div>"
        '<div class="wide"><table class="cases">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _row(one: Drawn, top: PurePosixPath, shown: bool) -> str:
    row, entry = one.entry.row, one.entry
    page = top / PurePosixPath(str(row["folder"])) / entry.page.name
    image = picture(one.thumbnail, "", 'loading="lazy" ') if shown else ""
    codes = [f"unlike its cohort: {row['unlike']}"] if row.get("unlike") else []
    codes += [str(notice["code"]) for notice in entry.sidecar["warnings"]]
    figures = "".join(
        _cell(value, digits)
        for value, digits in (
            (row["score"], ".4g"), (row["p_value"], ".3g"), (row["peak"], ".4g"),
            (row["anomaly_ml"], ".1f"), (one.pieces, "d"), (row["brain_ml"], ".0f"),
        )
    )  # fmt: skip
    remarks = escape(", ".join(dict.fromkeys(codes)))
    return (
        f"<tr><td>{image}</td><td class=name>{link(page, entry.file.name)}</td>{figures}"
        f"<td>{remarks}</td></tr>"
    )


def _failed_row(one: Failure) -> str:
    empty = "<td data-sort></td>" * 6
    told = f"failed: {escape(one.message or one.code)} <code>{escape(one.code)}</code>{_hint(one)}"
    name = f"<td class=name>{escape(one.name)}</td>"
    return f"<tr class=failed><td></td>{name}{empty}<td>{told}</td></tr>"


def _cell(value: float | None, digits: str) -> str:
    if value is None:
        return "<td data-sort>–</td>"
    return f'<td data-sort="{value!r}">{value:{digits}}</td>'
