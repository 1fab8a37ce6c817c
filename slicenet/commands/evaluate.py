"""`slicenet evaluate`: anomaly maps against truth."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slicenet.commands.door import FILE, OUT, SOME_FAILED, echo_json, json_option
from slicenet.commands.progress import reporter
from slicenet.errors import ConfigError, NoInputError, Notice, SlicenetError

if TYPE_CHECKING:
    from slicenet.images.options import ReadOptions
    from slicenet.metrics import Comparison, Evaluation, EvaluationSettings, ScoredCase
    from slicenet.metrics.maps import MapFile, Maps

PLACE = click.Path(exists=True, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("maps", type=FOLDER)
@click.option("--truth", type=PLACE, required=True, help="BIDS root, table, or folder of masks.")
@click.option("--healthy", type=FOLDER, help="More maps of the same model, all of healthy volumes.")
@click.option("--against", type=FOLDER, help="Maps of the same volumes to compare with.")
@click.option("--split", type=FILE, help="Judge only those whose role in this table is test.")
@click.option("--out", type=OUT, help="Folder for JSON and CSV; MAPS by default.")
@click.option("--bootstrap", type=click.IntRange(min=1), default=1000, show_default=True,
              help="Samples of subjects for the intervals.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--resample-mask", is_flag=True, help="Accept truth on another grid than its map.")
@click.option("--assume-ras", is_flag=True, help="Accept files that say nothing of orientation.")
@json_option
def command(
    maps: Path, truth: Path, healthy: Path | None, against: Path | None, split: Path | None,
    out: Path | None,
    bootstrap: int, seed: int, resample_mask: bool, assume_ras: bool, json_output: bool,
) -> None:  # fmt: skip
    """Judge maps against truth, every figure with an interval.

    MAPS is a folder of `slicenet score` or of plain heatmaps.

    Thresholds come with the maps, from healthy volumes; none is chosen here.
    """
    from slicenet.cohort.roles import read_roles
    from slicenet.images.options import ReadOptions
    from slicenet.locking import locked
    from slicenet.metrics import EvaluationSettings, compare_pairs

    job = _Job(
        truth,
        ReadOptions(resample_mask=resample_mask, assume_ras=assume_ras),
        EvaluationSettings(resamples=bootstrap, seed=seed),
        json_output,
        read_roles(split) if split else None,
    )
    evaluation = job.judge(maps, healthy)
    comparison = None
    if against:
        comparison = compare_pairs(evaluation, job.judge(against, None))
        job.note(_unpaired(comparison, healthy is not None))
    folder = out or maps
    notices = [*job.notices, *evaluation.notices]
    with locked(folder):
        document = _write(folder, evaluation, comparison, notices, job.failed)
    echo_json(document) if json_output else _print(evaluation, comparison, folder)
    _tell(notices, job.failed)
    if job.failed:
        raise SystemExit(SOME_FAILED)


class _Job:
    """Reads folder after folder and remembers what went wrong on the way."""

    def __init__(
        self, truth: Path, options: "ReadOptions", settings: "EvaluationSettings", quiet: bool,
        roles: Mapping[str, str] | None,
    ) -> None:  # fmt: skip
        self.truth = truth
        self.options = options
        self.settings = settings
        self.quiet = quiet
        self.roles = roles
        self.labels: dict[str, tuple[int, ...]] = {}  # by case, of its truth, that alone count
        self.failed: dict[str, SlicenetError] = {}  # by case, the first thing that went wrong
        self.notices: list[Notice] = []

    def judge(self, folder: Path, healthy: Path | None) -> "Evaluation":
        """Evaluate all maps of a folder whose truth is known, and those of `healthy`."""
        from slicenet.metrics import evaluate

        maps, pairs = self._pair(folder, healthy)
        with reporter(self.quiet) as watch:

            def shown(stage: str, done: int, total: int, **values: float) -> None:
                watch(stage, done, max(total, len(pairs)), **values)

            cases = self._cases(pairs)
            try:
                return evaluate(cases, maps.thresholds, self.settings, shown)
            except NoInputError:
                _tell(self.notices, self.failed)  # why nothing is left
                raise

    def note(self, failures: Iterable[tuple[str, SlicenetError]]) -> None:
        """Remember cases that failed; what followed from the first failure is no news."""
        for name, error in failures:
            self.failed.setdefault(name, error.alone())

    def _pair(
        self, folder: Path, healthy: Path | None
    ) -> tuple["Maps", list[tuple["MapFile", Path | None]]]:
        from slicenet.metrics.maps import find_maps
        from slicenet.metrics.truths import find_truths

        maps = self._known(find_maps(folder))
        truths = find_truths(self.truth, maps.files)
        self.notices += truths.notices
        self.labels |= truths.labels
        pairs = [
            (file, truths.masks[file.name]) for file in maps.files if file.name in truths.masks
        ]
        unknown = [file.name for file in maps.files if file.name not in truths.masks]
        message = f"{self.truth} tells neither of lesions nor of health"
        self.note([(name, ConfigError(message, "E_TRUTH")) for name in unknown])
        if healthy:
            others = self._known(find_maps(healthy))
            if others.model != maps.model:
                raise ConfigError(
                    f"{healthy}: maps of another model than {folder}", "E_MODEL",
                    "scores of two models cannot be ranked together",
                )  # fmt: skip
            pairs += [(_apart(file), None) for file in others.files]
        return maps, pairs

    def _known(self, maps: "Maps") -> "Maps":
        if self.roles is not None:
            maps = maps.tested(self.roles)
        maps.refuse_leaks()
        self.note(maps.failures)
        self.notices += maps.notices
        return maps

    def _cases(self, pairs: Sequence[tuple["MapFile", Path | None]]) -> Iterator["ScoredCase"]:
        from slicenet.metrics.truths import read_case

        for file, truth in pairs:
            labels = self.labels.get(file.name, ())
            try:
                case, notices = read_case(file, truth, self.options, labels)
            except SlicenetError as error:
                self.note([(file.name, error)])
            else:
                self.notices += notices
                yield case


def _apart(file: "MapFile") -> "MapFile":
    """The same map under a name of its own: two data sets may both have a sub-01."""
    from dataclasses import replace

    return replace(file, name=f"healthy:{file.name}", subject=f"healthy:{file.subject}")


def _unpaired(comparison: "Comparison", with_healthy: bool) -> list[tuple[str, SlicenetError]]:
    message = "has a map in one of the two folders only"
    alone = [*comparison.only_first, *comparison.only_second]
    # The healthy folder is of the first model, and nobody claimed a partner for it.
    alone = [name for name in alone if not (with_healthy and name.startswith("healthy:"))]
    return [(name, ConfigError(message, "E_PAIRS")) for name in alone]


def _write(
    folder: Path,
    evaluation: "Evaluation",
    comparison: "Comparison | None",
    notices: Sequence[Notice],
    failed: Mapping[str, SlicenetError],
) -> dict[str, Any]:
    """Write all files and return what the JSON file says."""
    from dataclasses import asdict

    from slicenet import files
    from slicenet.metrics.table import csv_text

    pairs = comparison.to_rows() if comparison else []
    more = {
        "notices": [asdict(notice) for notice in notices],
        "pairs": pairs,
        "failed": [_failure(name, error) for name, error in failed.items()],
    }
    evaluation.write(folder, more)
    if comparison:
        files.write_text(folder / "evaluation_pairs.csv", csv_text(pairs))
    return {**evaluation.to_json(), **more}


def _failure(name: str, error: SlicenetError) -> dict[str, str]:
    return {"case": name, "code": error.code, "message": error.message, "hint": error.hint}


def _print(evaluation: "Evaluation", comparison: "Comparison | None", folder: Path) -> None:
    from slicenet.metrics.table import text_table

    click.echo(text_table(evaluation.rows()))
    if comparison:
        click.echo(f"\n{text_table(comparison.rows())}")
    click.echo()
    for rule in evaluation.rules():
        click.echo(f"* {rule}")
    pairs = ", evaluation_pairs.csv" if comparison else ""
    click.echo(f"\n{folder}: evaluation.json, evaluation.csv, evaluation_cases.csv{pairs}")


def _tell(notices: Sequence[Notice], failed: Mapping[str, SlicenetError]) -> None:
    for line in dict.fromkeys(f"warning: {n.message} [{n.code}]" for n in notices):
        click.echo(line, err=True)
    for name, error in failed.items():
        click.echo(f"failed {name}: {error} [{error.code}]", err=True)
