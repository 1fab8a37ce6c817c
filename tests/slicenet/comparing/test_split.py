from dataclasses import replace

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


def test_roles_of_a_split_leave_nothing_to_choose():
    whole = cohort(6, 2)
    roles = {f"s{i}": role for i, role in enumerate(["fit", "fit", "calibrate"] + ["test"] * 3)}
    cases = [replace(case, role=roles.get(case.subject, "test")) for case in whole.cases]
    for seed in (0, 1):
        split = divide(Cohort(tuple(cases)), 0.25, seed)
        assert [case.role for case in split.healthy.cases] == ["fit"] * 4 + ["calibrate"] * 2
        assert {case.subject for case in split.tested.cases} == {"s3", "s4", "s5", "s100", "s101"}
    with pytest.raises(NoInputError, match="tests nobody"):
        divide(Cohort(tuple(case for case in cases if case.role != "test")), 0.25, 0)


def test_what_a_data_set_keeps_for_testing_is_only_tested():
    whole = cohort(8, 0)
    cases = [replace(c, role="test" if c.subject in ("s0", "s1") else "") for c in whole.cases]
    split = divide(Cohort(tuple(cases)), 0.25, 0)
    assert {"s0", "s1"} <= {case.subject for case in split.tested.cases}
    assert len({case.subject for case in split.healthy.cases}) == 4
