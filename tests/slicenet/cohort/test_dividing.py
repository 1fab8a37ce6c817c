from collections import Counter

import pytest

from slicenet.cohort import Case, Cohort
from slicenet.cohort.dividing import DivideSettings, divide
from slicenet.errors import ConfigError, NoInputError


def cohort(*kinds, scans=2):
    """Subjects as (count, group, site, role), each with several scans."""
    numbered = [kind for count, *kind in kinds for _ in range(count)]
    return Cohort(
        tuple(
            Case(f"s{i:03}_{scan}", (), None, group=group, subject=f"s{i:03}", site=site, role=role)
            for i, (group, site, role) in enumerate(numbered)
            for scan in range(scans)
        )
    )


HEALTHY = cohort((50, "healthy", "A", ""), (10, "healthy", "B", ""), (7, "lesioned", "A", ""))


def test_shares_hold_in_every_site_and_the_lesioned_are_tested():
    roles = divide(HEALTHY)
    assert list(roles) == [f"s{i:03}" for i in range(67)]
    for first, last, expected in ((0, 50, (30, 10, 10)), (50, 60, (6, 2, 2)), (60, 67, (0, 0, 7))):
        counts = Counter(roles[f"s{i:03}"] for i in range(first, last))
        assert [counts[role] for role in ("fit", "calibrate", "test")] == pytest.approx(
            expected, abs=1
        )
    total = Counter(list(roles.values())[:60])
    assert (total["fit"], total["calibrate"], total["test"]) == (36, 12, 12)


def test_the_seed_alone_decides_and_the_order_of_files_does_not():
    turned = HEALTHY.select(reversed(range(len(HEALTHY))))
    assert divide(turned) == divide(HEALTHY)
    others = {tuple(divide(HEALTHY, DivideSettings(seed=seed)).values()) for seed in range(5)}
    assert len(others) == 5


def test_one_scan_that_is_not_healthy_or_kept_for_testing_takes_its_subject_along():
    mixed = cohort((8, "healthy", "", ""), (2, "healthy", "", "test"), (1, "", "", ""))
    ill = Case("s000_2", (), None, group="lesioned", subject="s000")
    roles = divide(Cohort((*mixed.cases, ill)))
    assert [roles[f"s{i:03}"] for i in (0, 8, 9, 10)] == ["test"] * 4


def test_without_any_group_all_are_healthy_and_without_anyone_healthy_nothing_is_divided():
    assert set(divide(cohort((10, "", "", ""))).values()) == {"fit", "calibrate", "test"}
    with pytest.raises(NoInputError, match="no healthy subject"):
        divide(cohort((3, "lesioned", "", "")))


def test_shares_beyond_the_whole_are_refused():
    assert set(divide(HEALTHY, DivideSettings(0.8, 0.2)).values()) == {"fit", "calibrate", "test"}
    for fit, calibrate in ((0.9, 0.2), (0.0, 0.5), (0.5, -0.1)):
        with pytest.raises(ConfigError):
            DivideSettings(fit, calibrate)
