"""A seeded split of healthy subjects, even over sites; whoever is not healthy is tested."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slicenet.cohort.cohort import Cohort
from slicenet.cohort.roles import CALIBRATE, FIT, TEST, subjects
from slicenet.errors import ConfigError, NoInputError


@dataclass(frozen=True)
class DivideSettings:
    """How healthy subjects are divided; what is left is tested."""

    fit: float = 0.6  # share of the healthy subjects
    calibrate: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.fit <= 1 or not 0 <= self.calibrate <= 1 - self.fit + 1e-9:
            text = f"shares of {self.fit:g} to fit and {self.calibrate:g} to calibrate"
            raise ConfigError(text, "E_SPLIT", "expected positive shares of 1 together at most")


def divide(cohort: Cohort, settings: DivideSettings = DivideSettings()) -> Mapping[str, str]:
    """A role for every subject of a cohort, in order.

    A subject is tested if any scan of it is, or is not known to be healthy. The same subjects get
    the same roles in whatever order their files are named.
    """
    owners = subjects(cohort)
    healthy = set(cohort.healthy().cases)
    tested = {
        owner for owner, case in zip(owners, cohort.cases, strict=True)
        if case not in healthy or case.role == TEST
    }  # fmt: skip
    sites = dict(zip(owners, (case.site for case in cohort.cases), strict=True))
    free = sorted(set(owners) - tested)
    if not free:
        raise NoInputError("no healthy subject to divide", "E_NO_INPUT", "see column group")
    order = np.random.default_rng(settings.seed).permutation(len(free))
    ordered = sorted((free[index] for index in order), key=lambda subject: sites[subject])
    roles = dict(zip(ordered, _dealt(len(ordered), settings), strict=True))
    return {subject: roles.get(subject, TEST) for subject in sorted(set(owners))}


def _dealt(count: int, settings: DivideSettings) -> Sequence[str]:
    """Roles in turn, always the one that is most behind its share: any stretch has its shares."""
    shares = {FIT: settings.fit, CALIBRATE: settings.calibrate}
    shares[TEST] = max(0.0, 1 - sum(shares.values()))
    dealt: list[str] = []
    for number in range(1, count + 1):
        behind = {role: share * number - dealt.count(role) for role, share in shares.items()}
        dealt.append(max(behind, key=lambda role: round(behind[role], 9)))
    return dealt
