import json

from slicenet.output.dataset import describe
from slicenet.output.folder import COLUMNS


def test_the_folder_describes_itself(tmp_path):
    describe(tmp_path)
    description = json.loads((tmp_path / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert "not a medical device" in (tmp_path / "README").read_text()


def test_every_column_of_the_table_is_explained(tmp_path):
    describe(tmp_path)
    assert set(json.loads((tmp_path / "scores.json").read_text())) == set(COLUMNS)
