from dataclasses import replace
from pathlib import Path, PurePosixPath

import nibabel as nib
import numpy as np
import pytest

from slicenet.cohort.case import Case
from slicenet.cohort.cohort import Cohort
from slicenet.cohort.examine import examine


@pytest.fixture
def good(brain_file):
    return Case("good", (brain_file("good.nii.gz"),), PurePosixPath("good"))


@pytest.fixture
def bad(tmp_path):
    (tmp_path / "bad.nii.gz").write_bytes(b"")
    return Case("bad", (tmp_path / "bad.nii.gz",), PurePosixPath("bad"))


def test_facts_are_those_of_the_file(good, make_brain):
    (finding,) = examine(Cohort((good,)))
    facts = finding.facts
    assert finding.error is None
    assert (facts.sequences, facts.shape, facts.spacing) == (1, (44, 52, 40), (3, 3, 3))
    assert (facts.axes, facts.lesion_ml) == ("RAS", None)
    assert facts.extent == (132, 156, 120)
    assert facts.brain_ml == pytest.approx(int(make_brain(0).brain.sum()) * 0.027, rel=0.01)


def test_axes_and_spacing_are_told_as_stored(good, tmp_path):
    image = nib.load(good.images[0])
    turned = image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    nib.save(turned, tmp_path / "turned.nii")
    (finding,) = examine(Cohort((replace(good, images=(tmp_path / "turned.nii",)),)))
    assert finding.facts.shape == turned.shape
    assert finding.facts.axes == "".join(nib.aff2axcodes(turned.affine))


def test_a_bad_case_stops_no_other_and_keeps_its_place(good, bad):
    steps = []
    cohort = Cohort((bad, good, bad))
    findings = list(examine(cohort, lambda stage, done, total: steps.append((stage, done, total))))
    assert [finding.error.code if finding.error else "ok" for finding in findings] == [
        "E_EMPTY",
        "ok",
        "E_EMPTY",
    ]
    assert steps == [("read", 1, 3), ("read", 2, 3), ("read", 3, 3)]


def test_truth_is_read_and_measured(good, tmp_path):
    image = nib.load(good.images[0])
    voxels = np.zeros(image.shape, np.uint8)
    voxels[20:30, 20:30, 20:30] = 1
    nib.save(nib.Nifti1Image(voxels, image.affine), tmp_path / "truth.nii")
    (finding,) = examine(Cohort((replace(good, truth=tmp_path / "truth.nii"),)))
    assert finding.facts.lesion_ml == pytest.approx(27)


def test_a_case_whose_truth_cannot_be_read_is_bad(good):
    (finding,) = examine(Cohort((replace(good, truth=Path("gone.nii")),)))
    assert finding.error.code == "E_NOT_FOUND"
    assert finding.error.__traceback__ is None  # whose frames hold the volume
