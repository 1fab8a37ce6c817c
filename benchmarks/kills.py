"""Whether a training that is ended at any moment, again and again, leaves the model that it should.

Each backend that learns by steps is trained once undisturbed, on phantoms and as small as its tests
have it. Then come runs that are ended at random moments and begun again with the same command until
they are done, by kill -9 or by a signal that asks. Rows go to a JSON file as they are done, so that
it fills over as many sittings as it takes.

    python benchmarks/kills.py run --by SIGKILL --times 25
    python benchmarks/kills.py run --by SIGTERM --times 5 --backends quick --healthy 12
    python benchmarks/kills.py show
"""

import contextlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import click
import torch
from safetensors import SafetensorError, safe_open

sys.path.insert(0, str(Path(__file__).parent.parent))

from slicenet import __version__, files, savepoint
from slicenet.backends import BACKENDS
from slicenet.commands import main as slicenet
from slicenet.config import merge, paths
from slicenet.stopping import CODES
from tests.tiny import COARSE, TINY

RESULTS = Path(__file__).parents[1] / "docs/results/reliability/kills.json"
EVERY = (
    0.05  # seconds from one savepoint to the next; 60 would keep nothing of such small trainings
)
SIGNALS = ("SIGKILL", *(signal.Signals(number).name for number in CODES))
STEPS = 24
LATEST = 5.0  # seconds that a signal which asks may take
# Other ways for a network of slices to learn, beside those that a backend has by itself.
TUNED = {
    f"padim+{method}": merge(TINY["padim"], {"slices": {"finetune": {"method": method}}})
    for method in ("edc", "joint")
}
PRELOADED = ("slicenet.training", "slicenet.inspection", "slicenet.recipe", "slicenet.card")


def trainable() -> list[str]:
    """Whatever learns by steps."""
    with torch.device("meta"):  # nothing is made, and no weights are read
        made = {name: BACKENDS[name]().build() for name in BACKENDS if name != "pair"}
    learning = [name for name, one in made.items() if one.extractor.learns or one.scorer.learns]
    return [*learning, *TUNED]


@final
@dataclass(frozen=True)
class Training:
    """One command, and the folder that all of its runs are in."""

    name: str
    data: Path
    folder: Path

    def words(self, run: Path) -> list[str]:
        """The command, without the leading `slicenet`."""
        tiny = {**TINY, **TUNED}.get(self.name)
        table = _brief(merge(COARSE, tiny)) if tiny else {}
        sets = [f"{path}={json.dumps(value)}" for path, value in paths(table)]
        words = ["train", str(self.data), "--backend", self.name.partition("+")[0]]
        words += [word for one in sets for word in ("--set", one)]
        return [*words, "--out", str(run / "run"), "--threads", "1", "--resume", "auto"]

    def begin(self, run: Path) -> Any:
        """Its process, at work."""
        run.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", *PRELOADED])
        process = context.Process(target=work, args=(self.words(run), run), daemon=True)
        process.start()
        return process

    def whole(self) -> tuple[str, float]:
        """Digest of the model of a run that nobody disturbs, and its seconds."""
        run, found = self.folder / "undisturbed", set[str]()
        for _ in range(2):  # the first also starts what starts processes
            shutil.rmtree(run, ignore_errors=True)
            began = time.monotonic()
            process = self.begin(run)
            process.join()
            if process.exitcode:
                raise SystemExit(f"{self.name}: {(run / 'log.txt').read_text('utf-8')}")
            seconds = time.monotonic() - began
            found.add(files.digest(run / "run/model.safetensors"))
        shutil.rmtree(run)
        if len(found) > 1:
            raise SystemExit(f"{self.name}: two undisturbed runs differ")
        return found.pop(), seconds


def work(words: Sequence[str], run: Path) -> None:
    """What a process does: one command, as typed; what it says goes to a log."""
    log = os.open(run / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ["SLICENET_CACHE"] = str(run / "cache")
    savepoint.EVERY = EVERY
    slicenet(list(words), standalone_mode=False)


@click.group()
def main() -> None:
    """Kill trainings, and show what came of them."""


@main.command()
@click.option("--backends", default="", help="Names, by commas; all that learn by default.")
@click.option("--by", type=click.Choice(SIGNALS), default="SIGKILL", show_default=True)
@click.option("--times", default=25, show_default=True, help="Of each, those of before included.")
@click.option("--healthy", default=8, show_default=True, help="Phantoms.")
@click.option("--seed", default=0, show_default=True)
@click.option("--work", "place", type=click.Path(path_type=Path), default=Path("kills-work"),
              show_default=True)  # fmt: skip
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def run(
    backends: str, by: str, times: int, healthy: int, seed: int, place: Path, results: Path
) -> None:
    """Do what is not in the results yet."""
    data = (place / f"phantoms-{healthy}").resolve()
    words = ["--healthy", str(healthy), "--lesioned", "0", "--spacing", "4"]
    # By no other process: what starts those would also start the trainings.
    slicenet(["phantom", str(data), *words, "--workers", "1"], standalone_mode=False)
    for name in [one.strip() for one in backends.split(",") if one.strip()] or trainable():
        training = Training(name, data, place.resolve() / name)
        wanted = whole = None
        while sum(len(row["ended"]) for row in _of(_read(results), name, by)) < times:
            wanted, whole = (wanted, whole) if wanted else training.whole()
            number = len(_of(_read(results), name, by))
            draw = random.Random(f"{seed} {name} {by} {number}")
            row = _disturbed(training, wanted, whole, getattr(signal, by), draw)
            about = {"backend": name, "by": by, "run": number, "seed": seed, "healthy": healthy}
            about |= {"version": __version__, "torch": torch.__version__}
            results.parent.mkdir(parents=True, exist_ok=True)
            files.write_json(results, [*_read(results), about | row])
            click.echo(f"{name}, run {number}: {len(row['ended'])} by {by}, {_verdict(row)}")
    _tell(_read(results))


@main.command()
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def show(results: Path) -> None:
    """Print the table as Markdown; a loss is an error."""
    _tell(_read(results))


def _disturbed(
    training: Training, wanted: str, whole: float, number: int, draw: random.Random
) -> dict[str, Any]:
    """What came of a run that was ended at random moments until it was done."""
    run = training.folder / "disturbed"
    shutil.rmtree(run, ignore_errors=True)
    ended, took, torn, wrong = list[float](), list[float](), 0, list[int]()
    while True:
        process = training.begin(run)
        moment = draw.uniform(0, whole * (1 + len(ended) / 8))  # the machine may be busy by now
        process.join(moment)
        alive = process.exitcode is None
        if alive:
            asked = time.monotonic()
            os.kill(process.pid, number)
            process.join()
        if not alive or process.exitcode == 0:  # it was done, perhaps while it was being asked
            break
        if process.exitcode == CODES.get(number):
            took.append(round(time.monotonic() - asked, 2))
        elif process.exitcode != -number:  # not even begun to listen
            wrong.append(process.exitcode)
        ended.append(round(moment, 3))
        torn += sum(not _is_whole(path) for path in run.rglob("*.safetensors"))
        if len(wrong) > 3:
            break
    model = run / "run/model.safetensors"
    equal = process.exitcode == 0 and files.digest(model) == wanted
    return {"whole": round(whole, 2), "ended": ended, "took": took, "torn": torn, "wrong": wrong,
            "equal": equal}  # fmt: skip


def _brief(table: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings with fewer steps of everything that takes steps."""
    found = {k: _brief(v) if isinstance(v, Mapping) else v for k, v in table.items()}
    return {**found, "steps": min(found["steps"], STEPS)} if "steps" in found else found


def _is_whole(path: Path) -> bool:
    """Whether a file under a final name can be read; temporary ones are nobody's."""
    if path.name.startswith(".tmp-"):
        return True
    with contextlib.suppress(SafetensorError), safe_open(path, "pt") as file:
        return bool(list(file.keys()))
    return False


def _verdict(row: Mapping[str, Any]) -> str:
    late = [seconds for seconds in row["took"] if seconds > LATEST]
    told = {"another model": not row["equal"], "torn files": row["torn"], "late": late,
            "wrong exit codes": row["wrong"]}  # fmt: skip
    return ", ".join(name for name, is_so in told.items() if is_so) or "equal"


def _tell(rows: Sequence[Mapping[str, Any]]) -> None:
    click.echo("\n| backend | by | times | runs | equal | seconds of a run | slowest to stop |")
    click.echo("| --- | --- | --- | --- | --- | --- | --- |")
    for name, by in dict.fromkeys((row["backend"], row["by"]) for row in rows):
        of = _of(rows, name, by)
        times = sum(len(row["ended"]) for row in of)
        equal = sum(_verdict(row) == "equal" for row in of)
        took = [seconds for row in of for seconds in row["took"]]
        slowest = f"{max(took):.1f} s" if took else ""
        whole = sum(row["whole"] for row in of) / len(of)
        click.echo(f"| {name} | {by} | {times} | {len(of)} | {equal} | {whole:.1f} | {slowest} |")
    lost = [row for row in rows if _verdict(row) != "equal"]
    times = sum(len(row["ended"]) for row in rows)
    backends = len({row["backend"] for row in rows})
    click.echo(f"\n{backends} backends, ended {times} times in {len(rows)} runs: {len(lost)} lost")
    raise SystemExit(bool(lost))


def _of(rows: Sequence[Mapping[str, Any]], name: str, by: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if (row["backend"], row["by"]) == (name, by)]


def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text("utf-8")) if path.exists() else []


if __name__ == "__main__":
    main()
