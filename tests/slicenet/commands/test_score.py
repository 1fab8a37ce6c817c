import json
import shutil
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

from slicenet.detector import Detector
from slicenet.images.write import write_map
from slicenet.locking import locked

MAIN = "from slicenet.commands import main; main()"


def test_every_case_gets_a_map_on_its_own_grid_and_a_row(slicenet, brains, run, tmp_path):
    done = slicenet("score", run, brains, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    source = nib.load(brains / "sub-08" / "anat" / "sub-08_T1w.nii.gz")
    heatmap = nib.load(tmp_path / "sub-08" / "anat" / "sub-08_desc-anomaly_heatmap.nii.gz")
    assert heatmap.shape == source.shape
    assert np.allclose(heatmap.affine, source.affine)
    assert len((tmp_path / "scores.tsv").read_text().splitlines()) == 11
    first = done.stdout.splitlines()[1].split()[0]
    assert first in ("sub-08", "sub-09")  # the strangest are the lesioned


def test_a_second_run_skips_and_a_changed_input_is_redone(slicenet, brains, run, tmp_path):
    shutil.copytree(brains, tmp_path / "in")
    out = tmp_path / "out"
    slicenet("score", run, tmp_path / "in", "--out", out)
    again = slicenet("score", run, tmp_path / "in", "--out", out)
    assert "0 scored, 10 already there" in again.stdout
    name = "sub-{0}/anat/sub-{0}_T1w.nii.gz"
    shutil.copy(brains / name.format("03"), tmp_path / "in" / name.format("04"))
    assert (
        "1 scored, 9 already there" in slicenet("score", run, tmp_path / "in", "--out", out).stdout
    )
    stricter = slicenet("score", run, tmp_path / "in", "--out", out, "--threshold", "fpr:0.001")
    assert "10 scored, 0 already there" in stricter.stdout


def test_one_bad_case_stops_no_other(slicenet, brains, run, tmp_path):
    shutil.copytree(brains, tmp_path / "in")
    (tmp_path / "in" / "sub-02" / "anat" / "sub-02_T1w.nii.gz").write_bytes(b"<html>")
    done = slicenet("score", run, tmp_path / "in", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 3
    report = json.loads(done.stdout)
    assert [case["case"] for case in report["failed"]] == ["sub-02"]
    assert len(report["cases"]) == 9
    status = [
        json.loads(line) for line in (tmp_path / "out" / "status.jsonl").read_text().splitlines()
    ]
    assert sum(line["code"] == "OK" for line in status) == 9
    assert not (tmp_path / "out" / "sub-02").exists()


def test_an_input_that_went_bad_leaves_no_old_result_behind(slicenet, brains, run, tmp_path):
    shutil.copytree(brains, tmp_path / "in")
    slicenet("score", run, tmp_path / "in", "--out", tmp_path / "out")
    (tmp_path / "in" / "sub-02" / "anat" / "sub-02_T1w.nii.gz").write_bytes(b"junk")
    done = slicenet("score", run, tmp_path / "in", "--out", tmp_path / "out", "--json")
    assert "sub-02" not in [case["name"] for case in json.loads(done.stdout)["cases"]]
    assert "sub-02" not in (tmp_path / "out" / "scores.tsv").read_text()


def test_96_two_thresholds_are_never_mixed_in_one_folder(slicenet, brains, run, tmp_path):
    first, second = (brains / f"sub-0{i}" / "anat" / f"sub-0{i}_T1w.nii.gz" for i in (1, 2))
    slicenet("score", run, first, "--out", tmp_path, "--threshold", "fpr:0.05")
    done = slicenet("score", run, second, "--out", tmp_path, "--threshold", "fpr:0.001")
    assert done.exit_code == 2
    assert "another model or threshold" in done.stderr


def test_no_good_case_ends_with_4(slicenet, run, tmp_path):
    (tmp_path / "bad.nii.gz").write_bytes(b"")
    done = slicenet("score", run, tmp_path / "bad.nii.gz", "--out", tmp_path / "out")
    assert done.exit_code == 4
    assert "[E_EMPTY]" in done.stderr


def test_the_first_argument_is_a_model_or_there_is_none(
    slicenet, brains, run, tmp_path, monkeypatch
):
    monkeypatch.setattr("slicenet.embedded.FILE", tmp_path / "none.safetensors")
    image = brains / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    assert slicenet("score", image, "--out", tmp_path / "a").exit_code == 5
    assert slicenet("score", run, "--out", tmp_path / "b").exit_code == 4
    by_file = slicenet("score", run / "model.safetensors", image, "--out", tmp_path / "c")
    assert by_file.exit_code == 0
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    assert (
        slicenet("score", tmp_path / "junk.safetensors", image, "--out", tmp_path / "d").exit_code
        == 5
    )


@pytest.mark.parametrize(
    ("threshold", "code"),
    [("fpr:0.05", 0), ("value:2.5", 0), ("q:0.99", 0), ("best", 2), ("fpr:1e-9", 2)],
)
def test_thresholds_are_calibrated_or_plain_values(
    slicenet, brains, run, tmp_path, threshold, code
):
    image = brains / "sub-08" / "anat" / "sub-08_T1w.nii.gz"
    done = slicenet("score", run, image, "--out", tmp_path, "--threshold", threshold)
    assert done.exit_code == code


def test_89_a_model_without_calibration_makes_maps_but_no_masks(slicenet, brains, tmp_path):
    words = ("--backend", "histeq", "--set", "frame.spacing=[4,4,4]", "--set", "train.holdout=0")
    slicenet("train", brains, *words, "--out", tmp_path / "run")
    image = brains / "sub-08" / "anat" / "sub-08_T1w.nii.gz"
    done = slicenet("score", tmp_path / "run", image, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "no mask is made" in done.stderr
    assert not list((tmp_path / "out").rglob("*label-anomaly*"))
    asked = slicenet(
        "score", tmp_path / "run", image, "--out", tmp_path / "x", "--threshold", "fpr:0.01"
    )
    assert asked.exit_code == 5


def test_92_maps_are_never_written_into_the_input(slicenet, brains, run, tmp_path):
    shutil.copytree(brains, tmp_path / "in")
    for out in (tmp_path / "in", tmp_path / "in" / "maps"):
        assert slicenet("score", run, tmp_path / "in", "--out", out).exit_code == 2
        trained = slicenet("train", tmp_path / "in", "--backend", "zscore", "--out", out)
        assert trained.exit_code == 2
    image = brains / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    assert slicenet("score", run, image, "--out", image.parent).exit_code == 2


def test_94_a_folder_that_another_run_holds_is_refused(brains, run, tmp_path):
    with locked(tmp_path / "out"):
        words = ["score", str(run), str(brains), "--out", str(tmp_path / "out")]
        done = subprocess.run([sys.executable, "-c", MAIN, *words], capture_output=True, text=True)
    assert done.returncode == 7
    assert "another run writes here" in done.stderr


def test_native_writes_maps_on_the_grid_of_the_scan_that_was_prepared(
    slicenet, brains, run, tmp_path
):
    shutil.copytree(brains / "sub-08", tmp_path / "in" / "sub-08")
    image = tmp_path / "in" / "sub-08" / "anat" / "sub-08_T1w.nii.gz"
    words = ("score", run, tmp_path / "in", "--native", "--out", tmp_path / "out")
    refused = slicenet(*words)
    assert refused.exit_code == 4
    assert "E_NATIVE" in refused.stderr
    source = nib.load(image)
    shifted = source.affine + np.pad([[40.0], [-30.0], [20.0]], ((0, 1), (3, 0)))
    native = {
        "shape": source.shape, "affine": shifted.tolist(),
        "to_voxels": np.linalg.inv(source.affine).tolist(),
    }  # fmt: skip
    image.with_name("sub-08_T1w.json").write_text(json.dumps({"slicenet": {"native": native}}))
    done = slicenet(*words)
    assert done.exit_code == 0, done.output
    folder = tmp_path / "out" / "sub-08" / "anat"
    for ending in ("desc-anomaly_heatmap", "desc-brain_mask", "label-anomaly_mask"):
        own = nib.load(folder / f"sub-08_space-orig_{ending}.nii.gz")
        other = nib.load(folder / f"sub-08_{ending}.nii.gz")
        assert np.allclose(own.affine, shifted)
        assert np.allclose(own.get_fdata(), other.get_fdata(), atol=1e-4)
    assert "already there" in slicenet(*words).stdout
    for ending in ("desc-anomaly_heatmap", "desc-brain_mask", "label-anomaly_mask"):
        (folder / f"sub-08_space-orig_{ending}.nii.gz").unlink()
        assert "1 scored" in slicenet(*words).stdout


def test_a_scan_of_another_contrast_is_told_of_on_the_terminal_and_in_every_file(
    slicenet, make_brain, tmp_path
):
    def write(place, volume, turned=False):
        voxels = volume.voxels[0]
        voxels = (voxels.max() + 1 - voxels) * volume.brain if turned else voxels
        write_map(tmp_path / place, voxels.numpy(), volume.grid)

    few = {"shape": (22, 26, 20), "spacing": 6.0}  # voxels
    for seed in range(12):
        write(f"healthy/brain{seed:02d}.nii.gz", make_brain(seed, **few))
    write("new/own.nii.gz", make_brain(20, **few))
    write("new/other.nii.gz", make_brain(21, **few), turned=True)
    small = ("--backend", "zscore", "--set", "frame.spacing=[4,4,4]", "--out", tmp_path / "run")
    assert slicenet("train", tmp_path / "healthy", *small).exit_code == 0
    out = tmp_path / "maps"
    done = slicenet("score", tmp_path / "run", tmp_path / "new", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    (said,) = [line for line in done.stderr.splitlines() if "[W_DOMAIN]" in line]
    assert said.startswith("warning: other: unlike the 12 healthy brains of this model in contrast")
    rows = {row["name"]: row for row in json.loads(done.stdout)["cases"]}
    assert rows["own"]["unlike"] is None
    assert rows["other"]["unlike"].startswith("contrast")
    sidecar = json.loads((out / "other" / "other_desc-anomaly_heatmap.json").read_text())
    assert [warning["code"] for warning in sidecar["warnings"]] == ["W_DOMAIN"]
    assert sidecar["domain"] == rows["other"]["domain"]
    pattern = next(one for one in sidecar["domain"] if one["measure"] == "pattern")
    assert pattern["unlike"]
    assert pattern["value"] < 0 < pattern["low"] < pattern["centre"]
    about = json.loads((out / "run.json").read_text())["model"]
    assert about["domain_subjects"] == 12
    usual = next(one for one in about["domain"] if one["measure"] == "pattern")
    assert (usual["low"], usual["centre"]) == (pattern["low"], pattern["centre"])
    header, *lines = (out / "scores.tsv").read_text().splitlines()
    column = header.split("\t").index("unlike")
    assert {line.split("\t")[0]: line.split("\t")[column] for line in lines}["own"] == "n/a"


def test_102_a_case_without_memory_fails_alone_with_its_name(
    slicenet, brains, run, tmp_path, monkeypatch
):
    score, room = Detector.score, iter([True, False])

    def starved(detector, volume):
        if next(room, True):
            return score(detector, volume)
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Detector, "score", starved)
    words = ("score", run, brains, "--participant-label", "00,01,02", "--out", tmp_path)
    done = slicenet(*words)
    assert done.exit_code == 3, done.output
    assert "failed sub-01: sub-01: out of memory" in done.stderr
    assert "2 scored, 0 already there, 1 failed" in done.stdout
    assert slicenet(*words).exit_code == 0


def test_102_no_memory_for_any_ends_with_6(slicenet, brains, run, tmp_path, monkeypatch):
    def starved(detector, volume):
        raise MemoryError("Unable to allocate 8.00 TiB")

    monkeypatch.setattr(Detector, "score", starved)
    done = slicenet("score", run, brains, "--participant-label", "00,01", "--out", tmp_path)
    assert done.exit_code == 6, done.output
    assert "8.00 TiB" in done.stderr
