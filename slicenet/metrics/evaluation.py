"""Maps against truth: every figure of a set of volumes, with intervals over subjects."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from slicenet import files
from slicenet.errors import ConfigError, NoInputError, Notice
from slicenet.metrics.averages import lesion_figures, mean_figures, pooled_overlap_figures
from slicenet.metrics.case import ScoredCase
from slicenet.metrics.definitions import rules
from slicenet.metrics.detection import pooled_figures, slice_figures, volume_figures
from slicenet.metrics.figures import Figure
from slicenet.metrics.histogram import Histogram
from slicenet.metrics.resamples import resample
from slicenet.metrics.settings import EvaluationSettings
from slicenet.metrics.summary import CaseSummary, summarise
from slicenet.metrics.table import Row, case_rows, csv_text, figure_rows
from slicenet.watch import Watch, silent


@final
@dataclass(frozen=True, eq=False)
class Evaluation:
    """All figures of a set of volumes, and what each volume added to them."""

    figures: tuple[Figure, ...]
    cases: tuple[CaseSummary, ...]
    thresholds: Mapping[str, float]
    settings: EvaluationSettings
    notices: tuple[Notice, ...] = ()

    def __getitem__(self, key: str) -> float | None:
        """The value of a figure such as `auroc` or `dice@fpr0.01`; None if it does not exist."""
        return {figure.key: figure.estimate.value for figure in self.figures}[key]

    def rows(self) -> list[Row]:
        """The figures for people, in the order of the table."""
        return figure_rows(self.figures, self.thresholds)

    def rules(self) -> tuple[str, ...]:
        """The conventions that belong below the table."""
        return rules(self.settings)

    def to_json(self) -> dict[str, Any]:
        """Everything in plain values; what does not exist is None, never NaN."""
        return {
            "format": 1,
            "thresholds": dict(self.thresholds),
            "settings": asdict(self.settings),
            "figures": [figure.to_row() for figure in self.figures],
            "cases": case_rows(self.cases),
            "rules": list(self.rules()),
            "notices": [asdict(notice) for notice in self.notices],
        }

    def write(self, folder: Path, more: Mapping[str, Any] | None = None) -> None:
        """Write evaluation.json, with `more` in it, evaluation.csv and evaluation_cases.csv."""
        files.write_json(folder / "evaluation.json", {**self.to_json(), **(more or {})})
        rows = [figure.to_row() for figure in self.figures]
        files.write_text(folder / "evaluation.csv", csv_text(rows))
        files.write_text(folder / "evaluation_cases.csv", csv_text(case_rows(self.cases)))


def evaluate(
    cases: Iterable[ScoredCase],
    thresholds: Mapping[str, float],
    settings: EvaluationSettings = EvaluationSettings(),
    watch: Watch = silent,
) -> Evaluation:
    """Judge scored volumes; `cases` is walked once, with one volume in memory at a time."""
    summaries: list[CaseSummary] = []
    total: Histogram | None = None
    count = len(cases) if isinstance(cases, Sized) else 0
    for case in cases:
        summary, fine = summarise(case, thresholds, settings)
        fine = fine.within(settings.bins)
        total = fine if total is None else total.plus(fine, settings.bins)
        summaries.append(summary)
        watch("evaluate", len(summaries), max(count, len(summaries)))
    if total is None:
        raise NoInputError("there is no scored volume to evaluate", "E_NO_INPUT")
    _refuse_namesakes(summaries)
    figures = _figures(summaries, total, tuple(thresholds), settings)
    notices = _notices(summaries, thresholds)
    return Evaluation(tuple(figures), tuple(summaries), dict(thresholds), settings, notices)


def _figures(
    cases: Sequence[CaseSummary],
    total: Histogram,
    thresholds: tuple[str, ...],
    settings: EvaluationSettings,
) -> list[Figure]:
    subjects, lesioned = [case.subject for case in cases], [case.lesioned for case in cases]
    resamples = resample(subjects, lesioned, settings)
    return [
        *mean_figures(cases, resamples, thresholds),
        *pooled_figures(cases, total, resamples, settings),
        *pooled_overlap_figures(cases, resamples, thresholds),
        *lesion_figures(cases, resamples, thresholds, settings),
        *volume_figures(cases, resamples, settings),
        *slice_figures(cases, resamples, settings),
    ]


def _refuse_namesakes(cases: Sequence[CaseSummary]) -> None:
    counts = Counter(case.name for case in cases)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise ConfigError(f"two volumes are called {', '.join(twice)}", "E_COLLISION")


def _notices(cases: Sequence[CaseSummary], thresholds: Mapping[str, float]) -> tuple[Notice, ...]:
    lesioned = sum(case.lesioned for case in cases)
    outside = [case.name for case in cases if case.facts["lesion_outside_brain_ml"]]
    texts = {
        "W_NO_LESION": "no volume has a lesion: there are false-positive figures only"
        if not lesioned else "",
        "W_NO_HEALTHY": "no volume is healthy: volume-level figures do not exist"
        if lesioned == len(cases) else "",
        "W_NO_THRESHOLDS": "no calibrated threshold: figures that need one do not exist"
        if not thresholds else "",
        "W_TRUTH_OUTSIDE": "the truth of these reaches out of the brain mask, where nothing is "
        f"judged: {', '.join(outside)}" if outside else "",
    }  # fmt: skip
    return tuple(Notice(code, text) for code, text in texts.items() if text)
