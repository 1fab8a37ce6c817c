import csv
import json

import pytest

from slicenet.phantom.describing import COLUMNS, WARNING, describe, write_participants

ROW = {"participant_id": "sub-0001", "group": "healthy", "seed": 0, "lesion_volume": 0.0}


@pytest.mark.parametrize(("real", "maker"), [(False, "phantom"), (True, "lesions")])
def test_only_made_up_brains_are_called_phantoms(small, tmp_path, real, maker):
    describe(tmp_path, small, real)
    description = json.loads((tmp_path / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert [one["Name"] for one in description["GeneratedBy"]] == [f"slicenet {maker}"]
    assert WARNING in (tmp_path / "README").read_text()
    assert "phantom.json" in (tmp_path / ".bidsignore").read_text().splitlines()


def test_every_column_of_the_table_is_explained(tmp_path):
    write_participants(tmp_path, [ROW, {**ROW, "participant_id": "sub-0002"}])
    with (tmp_path / "participants.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["participant_id"] for row in rows] == ["sub-0001", "sub-0002"]
    explained = json.loads((tmp_path / "participants.json").read_text())
    assert set(explained) == set(rows[0]) - {"participant_id"}
    assert set(explained["group"]["Levels"]) == {"healthy", "lesioned"}
    assert set(explained) < set(COLUMNS)
