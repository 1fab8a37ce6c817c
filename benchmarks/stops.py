"""How long a training takes to stop when it is asked to, in each of its stages.

One training, asked to stop soon after it has begun a stage and begun again with the same command,
stage by stage until it is done; its model must be the one of a run that nobody has stopped.

    python benchmarks/stops.py quick --healthy 12
"""

import json
import os
import random
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from kills import LATEST, SIGNALS, Training

from slicenet import files
from slicenet.commands import main as slicenet
from slicenet.stopping import CODES

LOOK = 0.02  # seconds from one look at the log to the next


@click.command()
@click.argument("backend")
@click.option("--by", type=click.Choice(SIGNALS[1:]), default="SIGTERM", show_default=True)
@click.option("--healthy", default=12, show_default=True, help="Phantoms.")
@click.option("--seed", default=0, show_default=True)
def main(backend: str, by: str, healthy: int, seed: int) -> None:
    """Print the seconds of each stage; one that stopped too late is an error."""
    draw, number, late = random.Random(seed), getattr(signal, by), 0
    with TemporaryDirectory() as place:
        data = Path(place, "phantoms")
        words = ["--healthy", str(healthy), "--lesioned", "0", "--spacing", "4", "--workers", "1"]
        slicenet(["phantom", str(data), *words], standalone_mode=False)
        training = Training(backend, data, Path(place))
        run, seen = Path(place, "stopped"), set[str]()
        click.echo("\n| stage | seconds to stop | exit code |\n| --- | --- | --- |")
        while stage := _next_stage(process := training.begin(run), run, seen):
            seen.add(stage)
            time.sleep(draw.uniform(0, 2))  # somewhere within the stage, if it takes so long
            asked = time.monotonic()
            os.kill(process.pid, number)
            process.join()
            took = time.monotonic() - asked
            late += took > LATEST or process.exitcode not in (CODES[number], 0)
            click.echo(f"| {stage} | {took:.2f} | {process.exitcode} |")
        whole = training.begin(Path(place, "whole"))
        whole.join()
        models = [Path(place, name, "run/model.safetensors") for name in ("stopped", "whole")]
        equal = files.digest(models[0]) == files.digest(models[1])
    click.echo(f"\n{len(seen)} stages, {late} late; {'the same model' if equal else 'ANOTHER'}")
    raise SystemExit(bool(late) or not equal)


def _next_stage(process: Any, run: Path, seen: set[str]) -> str:
    """The first stage that the process begins and that was not `seen`; none once it is done."""
    while process.exitcode is None:
        for stage in _stages(run / "run/metrics.jsonl"):
            if stage not in seen:
                return stage
        process.join(LOOK)
    return ""


def _stages(log: Path) -> list[str]:
    if not log.exists():
        return []
    whole = log.read_text("utf-8").rpartition("\n")[0]
    return [json.loads(line)["stage"] for line in whole.splitlines()]


if __name__ == "__main__":
    main()
