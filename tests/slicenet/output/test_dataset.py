import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slicenet.cohort import find_cohort
from slicenet.images.write import write_map
from slicenet.output.dataset import describe
from slicenet.output.folder import COLUMNS


@pytest.fixture
def described(tmp_path, model):
    """Describe `out`, which has images of a data set; what its description says."""

    def run(**about):
        source = tmp_path / "raw"
        source.mkdir(exist_ok=True)
        (source / "dataset_description.json").write_text(json.dumps(about))
        describe(tmp_path / "out", model, [source / "sub-1" / "anat" / "sub-1_T1w.nii.gz"])
        return json.loads((tmp_path / "out" / "dataset_description.json").read_text())

    return run


def test_the_folder_says_what_it_is_and_what_made_it(described, tmp_path, model):
    about = described()
    assert about["DatasetType"] == "derivative"
    assert about["Name"] == "Anomaly maps"
    assert model.digest in about["GeneratedBy"][0]["Description"]
    assert "not a medical device" in (tmp_path / "out" / "README").read_text()


def test_it_names_the_data_set_that_it_comes_from(described):
    about = described(Name="Some Brains", DatasetDOI="doi:10.1/x")
    assert about["Name"] == "Anomaly maps of Some Brains"
    assert about["DatasetLinks"] == {"raw": "../raw"}
    assert about["SourceDatasets"] == [{"URL": "../raw", "DOI": "doi:10.1/x"}]


@pytest.mark.parametrize("name", [None, 3, ["x"]])
def test_a_name_that_is_no_text_is_left_out(described, name):
    assert described(Name=name, DatasetDOI=name)["Name"] == "Anomaly maps"


def test_images_of_no_data_set_leave_no_link(tmp_path, model):
    describe(tmp_path / "out", model, [tmp_path / "a.nii"])
    about = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert not {"DatasetLinks", "SourceDatasets"} & about.keys()


def test_what_a_person_added_stays(described, tmp_path):
    path = tmp_path / "out" / "dataset_description.json"
    about = described()
    path.write_text(json.dumps({**about, "Authors": ["A", "B"], "BIDSVersion": "1.0.0"}))
    again = described()
    assert again["Authors"] == ["A", "B"]
    assert again["BIDSVersion"] == about["BIDSVersion"]


def test_every_column_of_the_table_is_explained(described, tmp_path):
    described()
    meaning = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert set(meaning) == set(COLUMNS)
    assert all(column["Description"] for column in meaning.values())


def test_every_desc_label_is_explained(described, tmp_path):
    described()
    lines = (tmp_path / "out" / "descriptions.tsv").read_text().splitlines()
    rows = list(csv.DictReader(lines, delimiter="\t"))
    assert [row["desc_id"] for row in rows] == ["desc-anomaly", "desc-brain"]


def test_each_viewer_gets_its_own_table_of_colours(described, tmp_path):
    described()
    tables = sorted((tmp_path / "out").glob("desc-anomaly_dseg.*"))
    assert [path.suffix for path in tables] == [".ctbl", ".label", ".lut"]
    assert len({path.read_text() for path in tables}) == 3


def test_the_official_validator_finds_no_fault(tmp_path, make_brain, output, fill):
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    validator = shutil.which("bids-validator-deno", path=commands)
    if validator is None:
        pytest.skip("bids-validator-deno is not installed")
    volume, raw = make_brain(5, lesion=True), tmp_path / "raw"
    names = ("sub-1_T1w", "sub-2_T2w", "sub-3_space-MNI152NLin2009cAsym_res-2_T1w")
    images = [raw / name.partition("_")[0] / "anat" / f"{name}.nii.gz" for name in names]
    for image in (*images, tmp_path / "loose" / "case7.nii.gz"):
        write_map(image, volume.voxels[0].numpy(), volume.grid)
    about = {"Name": "Raw", "BIDSVersion": "1.10.0", "DatasetDOI": "doi:10.5281/zenodo.1"}
    (raw / "dataset_description.json").write_text(json.dumps(about))
    fill(output(), find_cohort([*images, tmp_path / "loose"]).cases)
    told = subprocess.run(
        [validator, tmp_path / "out", "--format", "json"], capture_output=True, text=True
    ).stdout
    found = json.loads(told)
    assert found["summary"]["subjects"], "it looked at nothing"
    # Who the authors are is the user's to say.
    issues = [one for one in found["issues"]["issues"] if one["code"] != "TOO_FEW_AUTHORS"]
    assert issues == []
