import json
import shutil
import tomllib

import pytest

from slicenet import checkpoint
from slicenet.checkpoint import read

SMALL = ("--set", "frame.spacing=[4,4,4]")


def test_a_run_folder_holds_the_model_and_how_it_came_about(run):
    assert {path.name for path in run.iterdir()} >= {
        "model.safetensors", "config.toml", "log.txt", "metrics.jsonl", "MODEL_CARD.md",
        "training.html",
    }  # fmt: skip
    assert tomllib.loads((run / "config.toml").read_text())["frame"]["spacing"] == [4, 4, 4]
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert {step["stage"] for step in steps} == {"describe", "calibrate"}


def test_only_the_healthy_are_learnt_from_and_the_rest_is_named(slicenet, brains, tmp_path):
    done = slicenet("train", brains, "--backend", "histeq", *SMALL, "--out", tmp_path)
    assert "left out 2 of 10, group lesioned: sub-08, sub-09" in done.stderr
    origin = read(tmp_path).origin
    assert (len(origin.fitted), len(origin.calibrated)) == (4, 4)
    assert "fewer than 20" in done.stdout


def test_a_subject_that_the_table_does_not_know_is_left_out(slicenet, brains, tmp_path):
    shutil.copytree(brains, tmp_path / "in")
    table = tmp_path / "in" / "participants.tsv"
    rows = [row for row in table.read_text().splitlines() if not row.startswith("sub-09")]
    table.write_text("\n".join(rows) + "\n")
    words = ("--backend", "histeq", *SMALL, "--out", tmp_path / "run")
    done = slicenet("train", tmp_path / "in", *words)
    assert "left out 2 of 10, group lesioned, unknown: sub-08, sub-09" in done.stderr


def test_a_lesion_among_the_healthy_is_refused_and_the_exit_code_tells(slicenet, brains, tmp_path):
    shutil.copytree(brains, tmp_path / "in")
    table = tmp_path / "in" / "participants.tsv"
    table.write_text(table.read_text().replace("lesioned", "healthy"))
    done = slicenet(
        "train", tmp_path / "in", "--backend", "histeq", *SMALL, "--out", tmp_path / "run"
    )
    assert done.exit_code == 3
    assert "left out sub-08: sub-08: its truth mask marks a lesion" in done.stderr
    assert len(read(tmp_path / "run").origin.fitted) == 4


def test_training_again_keeps_the_model_and_other_settings_need_force(slicenet, brains, run):
    before = (run / "model.safetensors").read_bytes()
    again = slicenet("train", brains, "--backend", "zscore", *SMALL, "--out", run)
    assert again.exit_code == 0
    assert "already trained" in again.stderr
    other = slicenet("train", brains, "--backend", "histeq", *SMALL, "--out", run)
    assert other.exit_code == 2
    assert "--force" in other.stderr
    assert (run / "model.safetensors").read_bytes() == before


def test_a_replaced_model_never_stands_beside_the_card_of_another(
    slicenet, brains, run, tmp_path, monkeypatch
):
    shutil.copytree(run, tmp_path / "run")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", stop)
    words = ("--backend", "histeq", *SMALL, "--out", tmp_path / "run", "--force")
    assert slicenet("train", brains, *words).exit_code == 130
    assert "histeq" in (tmp_path / "run" / "config.toml").read_text()
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_two_trainings_give_the_same_bytes(slicenet, brains, run, tmp_path):
    slicenet("train", brains, "--backend", "zscore", *SMALL, "--out", tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_json_is_one_document_with_thresholds_and_intervals(slicenet, brains, run):
    done = slicenet("train", brains, "--backend", "zscore", *SMALL, "--out", run, "--json")
    summary = json.loads(done.stdout)
    assert [row["fpr"] for row in summary["thresholds"]] == [0.001, 0.01, 0.05]
    assert all(row["low"] <= row["value"] <= row["high"] for row in summary["thresholds"])
    assert summary["fitted"] == 4


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--backend", "zscor"), 2, "did you mean zscore"),
        (("--backend", "zscore", "--set", "frame.spcing=1"), 2, "did you mean spacing"),
        (("--backend", "zscore", "--participant-label", "08"), 4, "no healthy case"),
        (("--backend", "zscore", "--participant-label", "01,02"), 4, "bring at least 6"),
    ],
)
def test_what_cannot_be_trained_is_refused(slicenet, brains, tmp_path, words, code, told):
    done = slicenet("train", brains, *words, "--out", tmp_path / "out")
    assert done.exit_code == code
    assert told in done.stderr
