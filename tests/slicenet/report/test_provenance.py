from slicenet.report.provenance import of_case, of_inputs, of_model


def test_everything_that_made_a_map_can_be_read(scored):
    model, case = of_model(scored), of_case(scored.entries[0])
    for told in ("zscore", "frame.spacing", "12 healthy subjects", "fpr:0.01"):
        assert told in model
    for source in scored.entries[0].sidecar["sources"]:
        assert source["sha256"] in case


def test_an_unlike_measure_is_marked():
    one = {"measure": "rim", "value": 2.0, "low": None, "high": 1.0, "unlike": True}
    shown = of_inputs([one, one | {"measure": "shell", "unlike": False}])
    assert shown.count("class=unlike") == 1
    assert of_inputs([]) == ""
