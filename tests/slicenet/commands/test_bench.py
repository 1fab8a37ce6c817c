import json


def test_the_table_names_every_backend_asked_for(slicenet):
    done = slicenet("bench", "--backends", "histeq", "--edge", "40", "--json")
    (row,) = json.loads(done.stdout)
    assert row["backend"] == "histeq"
    assert slicenet("bench", "--backends", "x").exit_code == 2
