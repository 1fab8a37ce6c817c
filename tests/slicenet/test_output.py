import json

import nibabel as nib
import numpy as np
import pytest

from slicenet.backends.histeq import HistEq
from slicenet.cache import Cache
from slicenet.checkpoint import Model
from slicenet.cohort import find_cohort
from slicenet.errors import ConfigError, VolumeError
from slicenet.frame import FrameSettings
from slicenet.images.write import write_map
from slicenet.output import BRAIN, HEATMAP, MASK, SIDECAR, Output

BACKEND = HistEq(frame=FrameSettings(spacing=(4.0, 4.0, 4.0)))


@pytest.fixture(scope="module")
def model(make_brain, tmp_path_factory):
    detector = BACKEND.build()
    detector.fit([make_brain(0)], cache=Cache(tmp_path_factory.mktemp("cache")))
    detector.calibrate([make_brain(1), make_brain(2)])
    return Model(detector, "histeq", BACKEND, digest="m1")


@pytest.fixture
def cases(tmp_path, make_brain):
    volume = make_brain(5)
    for name in ("sub-1_ses-2_T2w", "plain"):
        write_map(tmp_path / "in" / f"{name}.nii.gz", volume.voxels[0].numpy(), volume.grid)
    return find_cohort([tmp_path / "in"]).cases


def output(tmp_path, model, threshold="fpr:0.01"):
    return Output(tmp_path / "out", model, threshold, {"volume": None})


def fill(made, cases, model):
    made.start(cases)
    for case in cases:
        made.write(case, model.detector.score(case.read()))
    return made.finish()


def test_every_case_leaves_its_files_under_the_names_of_its_entities(tmp_path, model, cases):
    rows = fill(output(tmp_path, model), cases, model)
    for folder, prefix in (("plain", "plain"), ("sub-1/ses-2/anat", "sub-1_ses-2_mod-T2w")):
        for ending in (HEATMAP, SIDECAR, MASK, BRAIN):
            assert (tmp_path / "out" / folder / f"{prefix}{ending}").is_file()
    assert len(rows) == 2
    table = (tmp_path / "out" / "scores.tsv").read_text().splitlines()
    assert table[0].startswith("name\tsubject\tscore\tp_value")
    assert len(table) == 3


def test_the_files_hold_what_the_sidecar_says(tmp_path, model, cases):
    fill(output(tmp_path, model), cases, model)
    stem = tmp_path / "out" / "plain" / "plain"
    sidecar = json.loads((stem.parent / f"plain{SIDECAR}").read_text())
    scores, mask, brain = (
        np.asarray(nib.load(f"{stem}{ending}").dataobj) for ending in (HEATMAP, MASK, BRAIN)
    )
    assert scores.dtype == np.float32
    assert {mask.dtype, brain.dtype} == {np.dtype(np.uint8)}
    assert np.array_equal(mask == 1, (brain == 1) & (scores > sidecar["threshold"]["value"]))
    assert (scores[brain == 0] == 0).all()
    assert sidecar["range"] == [float(scores[brain == 1].min()), float(scores[brain == 1].max())]
    assert sidecar["row"]["brain_ml"] == pytest.approx(brain.sum() * 27 / 1000)


def test_a_finished_case_is_known_by_input_model_and_settings(tmp_path, model, cases):
    made = output(tmp_path, model)
    fill(made, cases, model)
    assert all(made.finished(case) for case in cases)
    assert not output(tmp_path, model, "fpr:0.05").finished(cases[0])
    other = Model(model.detector, "histeq", BACKEND, digest="m2")
    assert not output(tmp_path, other).finished(cases[0])
    path = cases[0].images[0]
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert not made.finished(cases[0])
    (tmp_path / "out" / cases[1].folder / f"{cases[1].prefix}{MASK}").unlink()
    assert not made.finished(cases[1])


def test_maps_of_two_models_are_never_mixed(tmp_path, model, cases):
    fill(output(tmp_path, model), cases, model)
    other = Model(model.detector, "histeq", BACKEND, digest="m2")
    with pytest.raises(ConfigError, match="another model"):
        output(tmp_path, other).start(cases[:1])
    output(tmp_path, other).start(cases)  # all of them are about to be redone
    rows = fill(output(tmp_path, other), cases, other)
    assert len(rows) == 2


def test_without_a_threshold_there_is_no_mask(tmp_path, model, cases):
    fill(output(tmp_path, model), cases[:1], model)
    fill(output(tmp_path, model, None), cases[:1], model)
    folder = tmp_path / "out" / cases[0].folder
    assert not (folder / f"{cases[0].prefix}{MASK}").exists()
    assert (folder / f"{cases[0].prefix}{HEATMAP}").exists()


def test_every_case_leaves_a_line_of_status(tmp_path, model, cases):
    made = output(tmp_path, model)
    made.start(cases)
    made.note(cases[0], "OK", 1.23456, None)
    made.note(cases[1], "E_CRC", 0.1, VolumeError("broken", "E_CRC", "copy it again"))
    lines = [
        json.loads(line) for line in (tmp_path / "out" / "status.jsonl").read_text().splitlines()
    ]
    assert [line["code"] for line in lines] == ["OK", "E_CRC"]
    assert lines[1]["hint"] == "copy it again"


def test_the_folder_describes_itself(tmp_path, model, cases):
    output(tmp_path, model).start(cases)
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["model"]["licence"] == ""
    assert set(run["model"]["thresholds"]) == {"fpr0.001", "fpr0.01", "fpr0.05"}
    assert "not a medical device" in (tmp_path / "out" / "README").read_text()
