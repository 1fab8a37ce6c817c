import json
from dataclasses import replace

import pytest

from slicenet.cohort import find_cohort
from slicenet.cohort.datasets import read_groups
from slicenet.errors import VolumeError
from slicenet.images.write import write_map
from slicenet.preparing import dataset
from slicenet.preparing.dataset import TABLE, prepare

ROW = {"status": "ok", "method": "given", "similarity": 0.61234, "seconds": 1.5, "reason": ""}


@pytest.fixture
def cohort(tmp_path, make_brain):
    brain = make_brain(0, spacing=6.0, shape=(20, 24, 18))
    for name in ("sub-1_T1w", "sub-2_T1w"):
        write_map(tmp_path / "in" / f"{name}.nii.gz", brain.voxels[0].numpy(), brain.grid)
    return find_cohort([tmp_path / "in"])


@pytest.fixture
def made(monkeypatch):
    """Names of the cases that were worked on, one of which fails."""
    names = []

    def stand_in(task):
        names.append(task.case.name)
        bad = {"status": "failed", "code": "E_BAD", "reason": "two\tlines\nof it"}
        return {"name": task.case.name, **(bad if task.case.name == "sub-2" else ROW)}

    monkeypatch.setattr(dataset, "prepare_case", stand_in)
    return names


def lines(out):
    return [line.split("\t") for line in (out / TABLE).read_text().splitlines()]


def test_every_case_has_a_row_and_the_folder_says_what_it_is(cohort, made, tmp_path):
    rows, kept = prepare(cohort, tmp_path / "out")
    assert made == ["sub-1", "sub-2"]
    assert kept == 0
    assert [row["status"] for row in rows] == ["ok", "failed"]
    header, *body = lines(tmp_path / "out")
    assert dict(zip(header, body[0], strict=True))["similarity"] == "0.6123"
    assert dict(zip(header, body[1], strict=True))["reason"] == "two lines of it"
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert set(json.loads((tmp_path / "out" / "prepared.json").read_text())) == set(header)


def test_rows_of_other_cases_stay(cohort, made, tmp_path):
    prepare(cohort, tmp_path / "out")
    prepare(cohort[:1], tmp_path / "out")
    assert [line[0] for line in lines(tmp_path / "out")] == ["name", "sub-1", "sub-2"]


def test_names_that_clash_are_refused_before_any_work(cohort, made, tmp_path):
    with pytest.raises(VolumeError, match="several images of one kind"):
        prepare(cohort, tmp_path / "out", sequences=("T1w", "T1w"))
    assert made == []
    assert not (tmp_path / "out").exists()


def test_who_is_healthy_is_passed_on_and_kept(cohort, made, tmp_path):
    prepare(cohort, tmp_path / "out")
    table = tmp_path / "out" / "participants.tsv"
    assert not table.exists()  # nobody has said
    for group, place in (("healthy", 0), ("lesioned", 1)):
        cases = (replace(cohort.cases[place], group=group),)
        prepare(replace(cohort, cases=cases), tmp_path / "out")
    prepare(cohort, tmp_path / "out")
    assert read_groups(table) == {"1": "healthy", "2": "lesioned"}


def test_102_a_case_without_memory_fails_alone(cohort, tmp_path, monkeypatch):
    def starved(task):
        if task.case.name == "sub-1":
            raise MemoryError("Unable to allocate 8.00 TiB")
        return {"name": task.case.name, **ROW}

    monkeypatch.setattr(dataset, "prepare_case", starved)
    rows, _ = prepare(cohort, tmp_path / "out", workers=0)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert rows[0]["code"] == "E_MEMORY"
    assert "8.00 TiB" in rows[0]["reason"]
