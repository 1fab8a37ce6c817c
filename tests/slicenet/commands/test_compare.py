import csv
import json

from slicenet.checkpoint import read

SMALL = ("--set", "frame.spacing=[4,4,4]")


def test_all_backends_learn_from_and_are_tested_on_the_same_subjects(slicenet, brains, tmp_path):
    done = slicenet("compare", brains, "--backends", "zscore,histeq", *SMALL, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    origins = [read(tmp_path / name).origin for name in ("zscore", "histeq")]
    assert origins[0] == origins[1]
    assert "oracle" in done.stdout
    with (tmp_path / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["backend"] for row in rows] == ["zscore", "histeq"]
    assert (tmp_path / "comparison.md").read_text().count("\n") == 4
    evaluation = json.loads((tmp_path / "zscore" / "evaluation.json").read_text())
    assert len(evaluation["cases"]) == 4  # two lesioned, two healthy held out


def test_a_cohort_without_pathology_cannot_compare(slicenet, brains, tmp_path):
    words = ("--participant-label", "00,01,02,03,04,05,06,07")
    done = slicenet("compare", brains, "--backends", "zscore", *words, "--out", tmp_path)
    assert done.exit_code == 4
    assert "nothing to tell apart" in done.stderr


def test_backends_are_named_once_each(slicenet, brains, tmp_path):
    done = slicenet("compare", brains, "--backends", "zscore,zscore", "--out", tmp_path)
    assert done.exit_code == 2
