import hashlib
import json

from slicenet.backends.histeq import HistEq
from slicenet.calibration import Calibration
from slicenet.checkpoint import Model
from slicenet.output.record import of_run, sources

BACKEND = HistEq()


def test_a_run_tells_of_its_model(model):
    run = of_run(model, "fpr:0.01", False, {"volume": None})
    assert run["model"]["licence"] == ""
    assert set(run["model"]["thresholds"]) == {"fpr0.001", "fpr0.01", "fpr0.05"}
    assert run["options"] == {"volume": "None"}


def test_a_run_keeps_the_whole_calibration(model):
    run = of_run(model, None, False, {})
    again = Calibration.from_table(json.loads(json.dumps(run["model"]["calibration"])))
    assert again == model.detector.calibration
    bare = Model(BACKEND.build(), "histeq", BACKEND)
    assert of_run(bare, None, False, {})["model"]["calibration"] is None


def test_a_source_is_known_by_its_bytes_and_found_from_the_folder(cases, tmp_path):
    (source,) = sources(cases[0], tmp_path / "out")
    assert (tmp_path / "out" / source["path"]).resolve() == cases[0].images[0]
    assert source["file"] == cases[0].images[0].name
    assert source["sha256"] == hashlib.sha256(cases[0].images[0].read_bytes()).hexdigest()
