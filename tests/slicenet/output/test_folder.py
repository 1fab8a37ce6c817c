import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import ConfigError, VolumeError
from slicenet.output import BRAIN, HEATMAP, MASK, SIDECAR
from slicenet.output.names import PIECES, PIECES_TABLE


def test_every_case_leaves_its_files_under_the_names_of_its_entities(tmp_path, output, fill, cases):
    rows = fill(output(), cases)
    for folder, prefix in (("plain", "plain"), ("sub-1/ses-2/anat", "sub-1_ses-2_mod-T2w")):
        for ending in (HEATMAP, SIDECAR, MASK, BRAIN, PIECES, PIECES_TABLE):
            assert (tmp_path / "out" / folder / f"{prefix}{ending}").is_file()
    assert len(rows) == 2
    table = (tmp_path / "out" / "scores.tsv").read_text().splitlines()
    assert table[0].startswith("name\tsubject\tscore\tp_value")
    assert len(table) == 3


def test_the_files_hold_what_the_sidecar_says(tmp_path, output, fill, cases):
    fill(output(), cases)
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


def test_a_finished_case_is_known_by_input_model_and_settings(tmp_path, model, output, fill, cases):
    made = output()
    fill(made, cases)
    assert all(made.finished(case) for case in cases)
    assert not output("fpr:0.05").finished(cases[0])
    other = replace(model, digest="m2")
    assert not output(model=other).finished(cases[0])
    path = cases[0].images[0]
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert not made.finished(cases[0])
    (tmp_path / "out" / cases[1].folder / f"{cases[1].prefix}{MASK}").unlink()
    assert not made.finished(cases[1])


@pytest.mark.parametrize("ending", [PIECES, PIECES_TABLE, "_desc-anomaly_dseg.json"])
def test_a_case_without_its_pieces_is_not_finished(tmp_path, output, fill, cases, ending):
    made = output()
    fill(made, cases[:1])
    path = tmp_path / "out" / cases[0].folder / f"{cases[0].prefix}{ending}"
    assert made.finished(cases[0])
    path.unlink()
    assert not made.finished(cases[0])


def test_a_sidecar_tells_what_made_the_map(tmp_path, model, output, fill, cases):
    fill(output(), cases[:1])
    path = tmp_path / "out" / cases[0].folder / f"{cases[0].prefix}{SIDECAR}"
    told = json.loads(path.read_text())
    assert (told["backend"], told["model_sha256"]) == (model.name, model.digest)
    assert told["options"] == {"volume": "None"}
    assert told["versions"]["torch"]
    assert told["Sources"] == [told["sources"][0]["path"]]
    assert told["SpatialReference"] == "../in/plain.nii.gz"


def test_maps_of_an_older_input_do_not_stay_on_the_grid_of_the_scan(tmp_path, output, fill, cases):
    stem = tmp_path / "out" / cases[0].folder / f"{cases[0].prefix}_space-orig"
    stem.parent.mkdir(parents=True)
    stem.with_name(f"{stem.name}{HEATMAP}").write_text("of an older input")
    fill(output(), cases[:1])
    assert not list(stem.parent.glob("*space-orig*"))


def test_g96_maps_of_two_models_are_never_mixed(model, output, fill, cases):
    fill(output(), cases)
    other = replace(model, digest="m2")
    with pytest.raises(ConfigError, match="another model"):
        output(model=other).start(cases[:1])
    output(model=other).start(cases)  # all of them are about to be redone
    rows = fill(output(model=other), cases)
    assert len(rows) == 2


def test_without_a_threshold_there_is_no_mask(tmp_path, output, fill, cases):
    fill(output(), cases[:1])
    fill(output(None), cases[:1])
    folder = tmp_path / "out" / cases[0].folder
    for ending in (MASK, PIECES, PIECES_TABLE):
        assert not (folder / f"{cases[0].prefix}{ending}").exists()
    assert (folder / f"{cases[0].prefix}{HEATMAP}").exists()


def test_every_case_leaves_a_line_of_status(tmp_path, output, cases):
    made = output()
    made.start(cases)
    made.note(cases[0], "OK", 1.23456, None)
    made.note(cases[1], "E_CRC", 0.1, VolumeError("broken", "E_CRC", "copy it again"))
    lines = [
        json.loads(line) for line in (tmp_path / "out" / "status.jsonl").read_text().splitlines()
    ]
    assert [line["code"] for line in lines] == ["OK", "E_CRC"]
    assert lines[1]["hint"] == "copy it again"


def test_93_a_link_planted_as_the_log_is_not_followed(tmp_path, output, cases):
    made = output()
    made.folder.mkdir()
    (tmp_path / "precious").write_text("keep")
    (made.folder / "status.jsonl").symlink_to(tmp_path / "precious")
    made.start(cases)
    made.note(cases[0], "OK", 1.0, None)
    assert (tmp_path / "precious").read_text() == "keep"
    assert json.loads((made.folder / "status.jsonl").read_text())["code"] == "OK"


def test_a_log_that_a_fault_has_torn_goes_on_with_a_whole_line(output, cases):
    made = output()
    made.folder.mkdir()
    (made.folder / "status.jsonl").write_text('{"code": "OK"}\n{"co')
    made.start(cases)
    made.note(cases[0], "E_CRC", 1.0, None)
    lines = (made.folder / "status.jsonl").read_text().splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["OK", "E_CRC"]
