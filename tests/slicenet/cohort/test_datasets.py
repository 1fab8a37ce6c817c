import json
import os

import pytest

from slicenet.cohort.datasets import DataSets
from slicenet.cohort.folders import Folders

IMAGE = "sub-1/ses-a/anat/sub-1_ses-a_T1w.nii"


@pytest.fixture
def told(tree):
    """What a data set with these files at its top says of subject 1."""

    def of(**files):
        return DataSets(Folders()).of(tree(IMAGE, **files) / IMAGE, "1")

    return of


@pytest.mark.parametrize("label", ["sub-1", "1"])
def test_groups_are_those_of_participants_tsv(told, label):
    table = f"participant_id\tage\tgroup\n{label}\t30\tlesioned\nsub-2\t31\tn/a\n"
    assert told(participants__tsv=table).groups == {"1": "lesioned", "2": ""}


@pytest.mark.parametrize("table", ["", "participant_id\tage\nsub-1\t30\n", "\0\n\t\n", "group"])
def test_a_table_that_knows_no_groups_gives_none(told, table):
    assert told(participants__tsv=table).groups.get("1", "") == ""


def test_no_table_gives_no_groups(told):
    assert told().groups == {}


def test_images_outside_a_subject_folder_have_their_own_folder_for_a_top(tree):
    top = tree("sub-1_T1w.nii", participants__tsv="participant_id\tgroup\nsub-1\thealthy\n")
    assert DataSets(Folders()).of(top / "sub-1_T1w.nii", "1").groups == {"1": "healthy"}


def test_a_data_set_that_the_phantom_command_made_is_synthetic(told):
    made = {"Name": "x", "GeneratedBy": [{"Name": "slicenet phantom"}]}
    assert told(dataset_description__json=json.dumps(made)).synthetic


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"GeneratedBy": "phantom"}', '{"GeneratedBy": [{"Name": "fMRIPrep"}]}']
)
def test_all_other_descriptions_are_taken_for_real_data(told, text):
    assert not told(dataset_description__json=text).synthetic


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_in_place_of_tables_say_nothing_and_are_not_waited_for(tree):
    top = tree(IMAGE)
    for name in ("participants.tsv", "dataset_description.json"):
        os.mkfifo(top / name)
    found = DataSets(Folders()).of(top / IMAGE, "1")
    assert (found.groups, found.synthetic) == ({}, False)
