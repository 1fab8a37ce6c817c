import hashlib

from slicenet.output.record import of_run, sources


def test_a_run_tells_of_its_model(model):
    run = of_run(model, "fpr:0.01", False, {"volume": None})
    assert run["model"]["licence"] == ""
    assert set(run["model"]["thresholds"]) == {"fpr0.001", "fpr0.01", "fpr0.05"}
    assert run["options"] == {"volume": "None"}


def test_a_source_is_known_by_its_bytes(cases):
    (source,) = sources(cases[0])
    assert source["file"] == cases[0].images[0].name
    assert source["sha256"] == hashlib.sha256(cases[0].images[0].read_bytes()).hexdigest()
