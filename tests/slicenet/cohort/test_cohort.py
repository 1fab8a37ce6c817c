from pathlib import Path, PurePosixPath

import pytest

from slicenet.cohort import Cohort
from slicenet.cohort.case import Case
from slicenet.errors import VolumeError


@pytest.fixture
def cohort(brain_file):
    groups = ("healthy", "Lesioned", "healthy")
    cases = [
        Case(f"c{seed}", (brain_file(f"c{seed}.nii.gz", seed),), PurePosixPath(f"c{seed}"), group=g)
        for seed, g in enumerate(groups)
    ]
    return Cohort(tuple(cases))


def test_a_cohort_is_a_sequence_of_volumes_that_can_be_walked_twice(cohort):
    assert len(cohort) == 3
    assert [volume.name for volume in cohort] == ["c0", "c1", "c2"]
    assert [volume.digest for volume in cohort] == [volume.digest for volume in cohort]
    assert cohort[-1].name == "c2"


def test_nothing_is_read_before_it_is_asked_for():
    gone = Cohort((Case("gone", (Path("gone.nii"),), PurePosixPath("gone")),))
    walk = iter(gone)
    assert len(gone[:1]) == 1
    with pytest.raises(VolumeError):
        next(walk)


def test_an_index_past_the_end_is_an_index_error(cohort):
    with pytest.raises(IndexError):
        cohort[3]


def test_parts_of_a_cohort_keep_its_options(cohort):
    assert [case.name for case in cohort.select([2, 0]).cases] == ["c2", "c0"]
    assert [case.name for case in cohort[1:].cases] == ["c1", "c2"]
    assert [case.name for case in cohort.only("lesioned").cases] == ["c1"]
    assert cohort.only("healthy").options is cohort.options


def test_a_cohort_is_synthetic_when_all_of_it_is():
    real = Case("a", (Path("a"),), PurePosixPath("a"))
    made = Case("b", (Path("b"),), PurePosixPath("b"), synthetic=True)
    assert Cohort((made, made)).synthetic
    assert not Cohort((made, real)).synthetic
    assert not Cohort(()).synthetic


def test_a_cohort_of_pictures_is_flat():
    scan, picture = (Case(name, (Path(name),), PurePosixPath("x")) for name in ("a.nii", "b.JPG"))
    assert [case.flat for case in (scan, picture)] == [False, True]
    assert [Cohort(cases).flat for cases in ((), (scan,), (picture,))] == [False, False, True]
