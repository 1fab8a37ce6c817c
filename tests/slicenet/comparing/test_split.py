import pytest

from slicenet.cohort import Case, Cohort
from slicenet.comparing import divide
from slicenet.errors import NoInputError


def cohort(healthy, lesioned):
    cases = [
        Case(f"s{i}_{scan}", (), None, group=group, subject=f"s{i}")
        for group, numbers in (
            ("healthy", range(healthy)),
            ("lesioned", range(100, 100 + lesioned)),
        )
        for i in numbers
        for scan in "ab"
    ]
    return Cohort(tuple(cases))


def test_pathology_is_only_tested_and_subjects_stay_together():
    split = divide(cohort(12, 5), 0.25, 0)
    learnt = {case.subject for case in split.healthy.cases}
    tested = {case.subject for case in split.tested.cases}
    assert not learnt & tested
    assert {case.group for case in split.healthy.cases} == {"healthy"}
    assert len(tested) == 3 + 5
    assert len(split.healthy.cases) + len(split.tested.cases) == 34


def test_the_seed_chooses_who_is_tested():
    chosen = {
        tuple(case.name for case in divide(cohort(12, 1), 0.25, seed).tested.cases)
        for seed in range(5)
    }
    assert len(chosen) > 1


def test_only_healthy_cases_cannot_be_divided():
    with pytest.raises(NoInputError, match="only healthy"):
        divide(cohort(5, 0), 0.25, 0)
