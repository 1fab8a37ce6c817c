"""A comparison in words and tables: quality, gaps to the best, and what it all took."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

from slicenet import files, leaderboard, tables
from slicenet.comparing.gap import FIGURES, Gap, gaps
from slicenet.comparing.plot import Point, plot
from slicenet.comparing.standing import QUALITY, Cost, Standing, ranked
from slicenet.leaderboard import ABSENT, COLUMNS
from slicenet.metrics.table import csv_text

STEM = "comparison"
WRITTEN = (".json", ".csv", "_pairs.csv", ".md", ".png")


@final
@dataclass(frozen=True, eq=False)
class Report:
    """The standings of a comparison, and on whom they rest."""

    standings: Sequence[Standing]
    seeds: tuple[int, ...]
    learnt: int  # volumes
    tested: int  # volumes

    @cached_property
    def gaps(self) -> list[Gap]:
        """The others against the best."""
        return gaps(self.standings)

    def text(self) -> str:
        """All of it for a terminal."""
        parts = [f"{title}\n\n{tables.text(rows)}" for title, rows in self._tables()]
        return "\n\n".join([*parts, "\n".join(f"* {rule}" for rule in self.rules())])

    def markdown(self) -> str:
        """All of it as a page, with the plot."""
        parts = ["# Comparison\n"]
        parts += [f"## {title}\n\n{tables.markdown(rows)}" for title, rows in self._tables()]
        if ranked(self.standings):
            parts.append(f"![Quality against time]({STEM}.png)\n")
        return "\n".join([*parts, *(f"* {rule}" for rule in self.rules())]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Everything in plain values; what does not exist is None."""
        return {
            "format": 1, "seeds": list(self.seeds), "learnt": self.learnt, "tested": self.tested,
            "backends": self.records(), "pairs": [gap.record() for gap in self.gaps],
            "rules": list(self.rules()),
        }  # fmt: skip

    def records(self) -> list[dict[str, Any]]:
        """One flat record a backend, with the same keys in all."""
        return [self._record(standing) for standing in self.standings]

    def write(self, folder: Path) -> None:
        """Write comparison.json, .csv, .md, .png, and comparison_pairs.csv where there are pairs.

        Files of an earlier comparison that this one does not replace are removed.
        """
        clear(folder)
        files.write_json(folder / f"{STEM}.json", self.to_json())
        files.write_text(folder / f"{STEM}.csv", csv_text(self.records()))
        files.write_text(folder / f"{STEM}.md", self.markdown())
        if self.gaps:
            pairs = csv_text([gap.record() for gap in self.gaps])
            files.write_text(folder / f"{STEM}_pairs.csv", pairs)
        if order := ranked(self.standings):
            points = [_point(standing) for standing in order]
            files.write_bytes(folder / f"{STEM}.png", plot(points, "average precision"))

    def rules(self) -> Iterator[str]:
        """What has to be known to read the tables."""
        yield (
            f"{self.learnt} healthy volumes learnt from, {self.tested} others tested, the same for "
            f"all. Seeds {', '.join(map(str, self.seeds))}: what training draws, and who of the "
            "healthy calibrates. Figures are means over seeds ± their standard deviation."
        )
        yield (
            "Brackets: 95 % of bootstrap samples of the tested subjects, each of which judges all "
            "seeds: another cohort would move figures so far."
        )
        yield "Oracle: a threshold chosen with the truth, out of reach in practice."
        if self.gaps:
            yield (
                "Gaps: backend − best, mean over subjects of their means over seeds; p: two-sided "
                f"sign-flip test, by Holm for all {len(self.gaps)} of this table. The best was "
                "chosen by these same volumes, which flatters it."
            )
        yield from _cost_rules(self.standings)

    def _tables(self) -> Iterator[tuple[str, list[list[str]]]]:
        yield "Quality", leaderboard.rows([standing.line() for standing in self.standings])
        if self.gaps:
            yield f"Against {self.gaps[0].best}, the best by AP", _gap_rows(self.gaps)
        done = [standing for standing in self.standings if standing.outcomes]
        if done:
            yield "Cost", _cost_rows(done)

    def _record(self, standing: Standing) -> dict[str, Any]:
        record: dict[str, Any] = {"backend": standing.backend}
        figures = {row["figure"]: row for row in standing.line().evaluation["figures"]}
        for key in COLUMNS:
            row = figures.get(key, {})
            record[key] = row.get("value")
            record |= {f"{key}:{part}": row.get(part) for part in ("low", "high", "spread")}
        absent: dict[str, Any] = dict.fromkeys(Cost.__dataclass_fields__)
        record |= asdict(standing.cost) if standing.outcomes else absent
        return record | {"failure": standing.failure or None, "reason": standing.reason or None}


def clear(folder: Path) -> None:
    """Remove what an earlier comparison wrote, so that nobody takes it for this one."""
    for ending in WRITTEN:
        files.remove(folder / f"{STEM}{ending}")


def _gap_rows(found: Sequence[Gap]) -> list[list[str]]:
    header = ["backend"]
    for figure in FIGURES:
        header += [f"{COLUMNS[figure]}, gap", "p", "p by Holm"]
    by_place = {(gap.backend, gap.found.figure): gap for gap in found}
    rows = [header]
    for backend in dict.fromkeys(gap.backend for gap in found):
        row = [backend]
        for figure in FIGURES:
            row += _gap_cells(by_place.get((backend, figure)))
        rows.append(row)
    return rows


def _gap_cells(gap: Gap | None) -> list[str]:
    if gap is None:
        return [ABSENT] * 3
    found = gap.found
    interval = "" if found.low is None else f" [{found.low:+.3f} to {found.high:+.3f}]"
    return [f"{found.difference:+.3f}{interval}", f"{found.p_value:.2g}", f"{gap.holm:.2g}"]


def _cost_rows(standings: Sequence[Standing]) -> list[list[str]]:
    costs = [standing.cost for standing in standings]
    on_gpu = any(cost.gpu_gb is not None for cost in costs)
    header = ["backend", "train s", "of it cached", "s/volume", "peak GB"]
    rows = [[*header, *(["GPU GB"] if on_gpu else []), "model MB"]]
    for standing, cost in zip(standings, costs, strict=True):
        gpu = [ABSENT if cost.gpu_gb is None else f"{cost.gpu_gb:.2f}"] if on_gpu else []
        rows.append([
            standing.backend, f"{cost.train_seconds:.1f}", f"{cost.cached_seconds:.1f}",
            f"{cost.score_seconds:.3f}", f"{cost.peak_gb:.2f}", *gpu,
            f"{cost.model_bytes / 1e6:.2f}",
        ])  # fmt: skip
    return rows


def _cost_rules(standings: Sequence[Standing]) -> Iterator[str]:
    records = [outcome.record for standing in standings for outcome in standing.outcomes]
    if not records:
        return
    yield (
        "train s: fitting and calibrating, mean over seeds; of it cached: spent by an earlier run, "
        "as timed then. s/volume: median, reading included. peak GB: of a process that trains and "
        "tests once, libraries included, highest of the seeds; without what came from the cache."
    )
    machines = {f"{one['processor']}, threads: {one['threads']}" for one in records}
    places = {one["device"] for one in records}
    told = "; ".join([*sorted(machines), f"device: {', '.join(sorted(places))}"])
    apart = " Times of different machines or threads do not compare." if len(machines) > 1 else ""
    yield f"Timed on {told}.{apart}"


def _point(standing: Standing) -> Point:
    estimate, cost = standing.figure(QUALITY), standing.cost
    assert estimate.value is not None
    return Point(
        standing.backend, estimate.value, estimate.low, estimate.high, cost.train_seconds,
        cost.score_seconds,
    )  # fmt: skip
