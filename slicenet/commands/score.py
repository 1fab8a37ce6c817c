"""`slicenet score`: anomaly maps of volumes."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from slicenet import embedded
from slicenet.commands.door import (
    NONE_USABLE,
    OUT,
    SOME_FAILED,
    echo_json,
    prepare,
    refuse_inside,
    run_options,
)
from slicenet.commands.inputs import Inputs, input_options
from slicenet.commands.progress import reporter
from slicenet.errors import CheckpointError, NoInputError, SlicenetError

DEFAULT = "fpr:0.01"


@click.command()
@input_options
@click.option("--out", type=OUT, required=True, help="Folder to write maps to.")
@click.option("--threshold", help=f"fpr:RATE, q:QUANTILE or value:SCORE  [default: {DEFAULT}]")
@click.option("--allow-unverified", is_flag=True, help="Load a model whose header has no hash.")
@click.option(
    "--native",
    is_flag=True,
    help="Also write maps on the grids of the scans that DATA was prepared from.",
)
@click.option("--report", "pages", is_flag=True, help="Also write the pages of `slicenet report`.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first case that fails.")
@run_options
def command(
    inputs: Inputs, out: Path, threshold: str | None, allow_unverified: bool, native: bool,
    pages: bool, fail_fast: bool, device: str, threads: int | None, json_output: bool,
) -> None:  # fmt: skip
    """Write an anomaly map for every volume of DATA.

    The first of DATA is the model if it is a .safetensors file or a run folder of `slicenet train`;
    without one, the embedded model is used, where this version has one.
    """
    from slicenet.checkpoint import read
    from slicenet.cohort.reader import Reader
    from slicenet.locking import locked
    from slicenet.output import Output
    from slicenet.report import write_report
    from slicenet.training import remarks

    place, rest = _model_and_inputs(inputs.places)
    chosen = prepare(device, threads)
    model = read(place, allow_unverified)
    model.detector.on(chosen)
    asked = _threshold(model, threshold)
    inputs = inputs.at(rest)
    cohort = inputs.part(labels=model.detector.frame.of_labels)
    refuse_inside(out, rest)
    read_as = {**inputs.table(), **({"whole_picture": True} if inputs.whole_picture else {})}
    output = Output(out, model, asked, read_as, native)
    for notice in (*remarks(model), *cohort.notices):
        click.echo(f"warning: {notice.message} [{notice.code}]", err=True)
    with locked(out), reporter(json_output) as watch:
        output.start(cohort.cases)
        with Reader(cohort, ahead=chosen != "cpu") as reader:
            done = _score_all(model, cohort, reader, output, watch, fail_fast)
        rows = output.finish()
        written = write_report(out, watch=watch) if pages else None
    wanted = {case.name for case in cohort.cases}
    rows = [row for row in rows if row["name"] in wanted]
    _report(out, rows, done, json_output)
    if written and not json_output:
        click.echo(f"open {written.pages[-1]}")
    broken = written.broken if written else ()
    for one in broken:
        click.echo(f"no page for {one.name}: {one.message} [{one.code}]", err=True)
    if done["failed"] or broken:
        raise SystemExit(SOME_FAILED if rows else _none_scored(done["failed"]))


def _model_and_inputs(places: Sequence[Path]) -> tuple[Path, Sequence[Path]]:
    first = places[0]
    is_run = first.is_dir() and (first / "model.safetensors").exists()
    if first.suffix == ".safetensors" or is_run:
        if len(places) < 2:
            raise NoInputError(f"{first}: a model, but nothing to score", "E_NO_INPUT")
        return first, places[1:]
    model = embedded.place()
    click.echo(embedded.told(), err=True)
    return model, places


def _threshold(model: Any, asked: str | None) -> str | None:
    """The threshold of the masks; none if the model has no calibration and none was asked."""
    from slicenet.calibration import Threshold

    calibration = model.detector.calibration
    if asked is None:
        return DEFAULT if calibration else None
    wanted = Threshold.parse(asked)
    if wanted.kind != "value":
        if calibration is None:
            raise CheckpointError(
                f"{asked}: this model was never calibrated", "E_UNCALIBRATED",
                "leave --threshold out for maps without masks, or give value:SCORE",
            )  # fmt: skip
        calibration.value(wanted)
    return asked


def _score_all(
    model: Any, cohort: Any, reader: Any, output: Any, watch: Any, fail_fast: bool
) -> dict[str, list[Any]]:
    """Score case after case; a failed one is noted and the next goes on."""
    told: dict[str, list[Any]] = {"scored": [], "kept": [], "failed": [], "warnings": []}
    for number, case in enumerate(cohort.cases, start=1):
        began = time.monotonic()
        paths: Sequence[Path] = ()
        try:
            paths = case.files  # now: of a pair without its one half, nobody would know the other
            if output.finished(case):
                told["kept"].append(case.name)
            else:
                output.forget(case)
                anomalies = model.detector.score(reader.read(number - 1))
                sidecar = output.write(case, anomalies)
                told["warnings"] += [f"{w['message']} [{w['code']}]" for w in sidecar["warnings"]]
                told["scored"].append(case.name)
                output.note(case, "OK", time.monotonic() - began, None)
        except (SlicenetError, OSError, MemoryError, RuntimeError) as error:
            failure = _of_case(error, case.name, paths)
            if failure is None:
                raise
            output.note(case, failure.code, time.monotonic() - began, failure)
            told["failed"].append((case.name, failure.alone()))
            if fail_fast:
                break
        watch("score", number, len(cohort))
    return told


def _of_case(error: Exception, name: str, paths: Sequence[Path]) -> SlicenetError | None:
    """What went wrong with this case alone; none if it is of the output's disk, or a bug."""
    from slicenet.errors import ResourceError, VolumeError, out_of_memory

    if isinstance(error, SlicenetError):
        return error
    if out_of_memory(error):
        hint = "coarser spacing, or fewer programs beside it"
        return ResourceError(f"{name}: out of memory ({error})", "E_MEMORY", hint)
    if isinstance(error, OSError) and error.filename in map(str, paths):  # it vanished, say
        code = "E_NOT_FOUND" if isinstance(error, FileNotFoundError) else "E_READ"
        return VolumeError(f"{name}: {error.filename}: {error.strerror}", code)
    return None


def _none_scored(failed: list[tuple[str, SlicenetError]]) -> int:
    """The exit code where nothing could be scored: whether for want of memory or of input."""
    from slicenet.errors import ResourceError

    starved = all(isinstance(error, ResourceError) for _, error in failed)
    return ResourceError.exit_code if failed and starved else NONE_USABLE


def _report(out: Path, rows: list[dict[str, Any]], done: dict[str, Any], json_output: bool) -> None:
    for line in dict.fromkeys(done["warnings"]):
        click.echo(f"warning: {line}", err=True)
    for name, error in done["failed"]:
        click.echo(f"failed {name}: {error} [{error.code}]", err=True)
    if json_output:
        failed = [
            {"case": n, "code": e.code, "message": e.message, "hint": e.hint}
            for n, e in done["failed"]
        ]
        echo_json({"out": str(out), "cases": rows, "kept": done["kept"], "failed": failed})
        return
    if rows:
        width = max(4, *(len(row["name"]) for row in rows))
        click.echo(f"{'name':<{width}}  {'score':>8}  {'p':>6}  {'above threshold':>15}")
    for row in rows:
        p_value = "–" if row["p_value"] is None else f"{row['p_value']:.3f}"
        above = "–" if row["anomaly_ml"] is None else f"{row['anomaly_ml']:.1f} mL"
        click.echo(f"{row['name']:<{width}}  {row['score']:>8.4g}  {p_value:>6}  {above:>15}")
    counts = f"{len(done['scored'])} scored, {len(done['kept'])} already there"
    click.echo(f"{out}: {counts}, {len(done['failed'])} failed")
