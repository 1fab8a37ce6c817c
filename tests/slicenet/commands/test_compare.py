import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from slicenet.checkpoint import read
from slicenet.comparing.trial import Trial

SMALL = ("--set", "frame.spacing=[8,8,8]")
MAIN = "from slicenet.commands import main; main()"
TWO = ("--backends", "histeq,zscore", "--seeds", "0,1", *SMALL)


@pytest.fixture(scope="module")
def compared(slicenet, brains, tmp_path_factory):
    """A comparison as it is left, and what it said."""
    out = tmp_path_factory.mktemp("compared")
    return out, slicenet("compare", brains, *TWO, "--out", out)


def test_all_trials_learn_from_and_are_tested_on_the_same_subjects(compared):
    out, done = compared
    assert done.exit_code == 0, done.output
    folders = [out / name / f"seed-{seed}" for name in ("zscore", "histeq") for seed in (0, 1)]
    origins = [read(folder).origin for folder in folders]
    assert origins[0] == origins[2]
    assert origins[1] == origins[3]
    assert len({frozenset((*o.fitted, *o.calibrated)) for o in origins}) == 1
    assert origins[0].fitted != origins[1].fitted  # the seed chooses who calibrates
    cases = [json.loads((folder / "evaluation.json").read_text())["cases"] for folder in folders]
    names = {tuple(case["name"] for case in one) for one in cases}
    assert len(names) == 1
    assert len(names.pop()) == 4  # two lesioned, two healthy held out


def test_it_leaves_tables_and_a_plot_with_the_best_first(compared):
    out, done = compared
    with (out / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["backend"] for row in rows] == ["zscore", "histeq"]
    assert all(float(row["peak_gb"]) > 0.1 for row in rows)
    assert (out / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert "## Against zscore" in (out / "comparison.md").read_text()
    for words in ("out of reach", "Against zscore", "peak GB", "± their standard deviation"):
        assert words in done.stdout
    assert done.stderr.count("W_FEW") == 1


def test_a_second_run_takes_what_is_there_and_only_adds_what_is_not(slicenet, brains, compared):
    out, _ = compared
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/seed-*/*")}
    first = json.loads((out / "comparison.json").read_text())
    more = ("--backends", "histeq,zscore", "--seeds", "0,1,2", *SMALL, "--json")
    done = slicenet("compare", brains, *more, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("taken from before") == 4
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert json.loads(done.stdout)["seeds"] == [0, 1, 2]
    (out / "zscore" / "seed-0" / "model.safetensors").unlink()
    again = slicenet("compare", brains, *TWO, "--out", out)
    assert again.stderr.count("taken from before\n") == 3
    assert again.stderr.count("taken from before, its model aside") == 1
    assert json.loads((out / "comparison.json").read_text()) == first


def test_other_settings_are_never_mixed_with_what_is_there(slicenet, brains, compared, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(compared[0], out)
    other = ("--backends", "zscore", "--seeds", "0", "--set", "frame.spacing=[9,9,9]")
    done = slicenet("compare", brains, *other, "--out", out)
    assert done.exit_code == 0, done.output
    assert "have changed since" in done.stderr
    assert read(out / "zscore" / "seed-0").backend.frame.spacing == (9, 9, 9)
    assert not (out / "comparison_pairs.csv").exists()  # of the comparison of two


@pytest.mark.parametrize(
    ("setting", "absent"), [("weights", "absent.pth"), ("name", "resnet0")]
)  # the second cannot even be built, and stands first
def test_a_backend_that_fails_takes_no_other_down(slicenet, brains, tmp_path, setting, absent):
    recipe = tmp_path / "wrong.toml"
    recipe.write_text(f'backend = "simpleslicenet"\nslices.backbone.{setting} = "{absent}"\n')
    words = ("--backends", f"{recipe},zscore", "--seeds", "0", *SMALL)
    done = slicenet("compare", brains, *words, "--out", tmp_path / "out")
    assert done.exit_code == 3, done.output
    assert "wrong failed with seed 0: " in done.stderr
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    working, failed = found["backends"]
    assert working["average_precision"] > 0
    assert failed["failure"].startswith("E_")
    assert absent in failed["reason"]


@pytest.mark.parametrize(
    ("fault", "exit_code"), [(errno.ENOSPC, 3), (errno.EACCES, 3), (errno.EBADF, 1)]
)
def test_a_full_or_closed_disk_fails_its_backend_alone_and_what_nobody_foresaw_fails_all(
    slicenet, brains, tmp_path, monkeypatch, fault, exit_code
):
    outcome = Trial.outcome

    def faulty(trial):
        if trial.recipe.label == "histeq":
            raise OSError(fault, os.strerror(fault), "model")
        return outcome(trial)

    monkeypatch.setattr(Trial, "outcome", faulty)
    words = ("--backends", "histeq,zscore", "--seeds", "0", *SMALL)
    done = slicenet("compare", brains, *words, "--out", tmp_path / "out")
    assert done.exit_code == exit_code, done.output
    if exit_code == 3:
        found = json.loads((tmp_path / "out" / "comparison.json").read_text())
        code = {errno.ENOSPC: "E_DISK", errno.EACCES: "E_OUTPUT"}[fault]
        assert [one["failure"] or "" for one in found["backends"]] == ["", code]


def test_a_comparison_that_is_killed_goes_on_where_it_was(slicenet, brains, tmp_path):
    words = ("--backends", "zscore", *SMALL, "--out", str(tmp_path))
    command = [sys.executable, "-c", MAIN, "compare", str(brains), *words]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as killed:
        first = tmp_path / "zscore" / "seed-0" / "run.json"
        deadline = time.monotonic() + 120
        while not first.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
    assert first.exists()
    assert not (tmp_path / "comparison.json").exists()
    whole = len(list(tmp_path.glob("*/seed-*/run.json")))
    assert whole < 3
    done = slicenet("compare", brains, *words)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("taken from before") >= whole
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_cohort_without_pathology_cannot_compare(slicenet, brains, tmp_path):
    words = ("--participant-label", "00,01,02,03,04,05,06,07")
    done = slicenet("compare", brains, "--backends", "zscore", *words, "--out", tmp_path)
    assert done.exit_code == 4
    assert "nothing to tell apart" in done.stderr


@pytest.mark.parametrize("seeds", ["", "0,0", "1,-2", "a", "0.5"])
def test_seeds_are_whole_numbers_each_once(slicenet, brains, tmp_path, seeds):
    words = ("--backends", "zscore", "--seeds", seeds)
    done = slicenet("compare", brains, *words, "--out", tmp_path)
    assert done.exit_code == 2
    assert "--seeds" in done.stderr


def test_backends_are_named_once_each(slicenet, brains, tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        (folder / "mine.toml").write_text('backend = "zscore"\n')
    for names in ("zscore,zscore", ",".join(str(f / "mine.toml") for f in folders), ","):
        done = slicenet("compare", brains, "--backends", names, "--out", tmp_path / "out")
        assert done.exit_code == 2
        assert "name" in done.stderr
    assert not os.path.exists(tmp_path / "out")
