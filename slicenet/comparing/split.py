"""Who is learnt from, and who is tested."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.cohort import Cohort
from slicenet.cohort.roles import CALIBRATE, FIT, TEST, subjects
from slicenet.errors import NoInputError

LEAST_TESTED = 2  # healthy subjects, so that volume scores have something to be compared with


@final
@dataclass(frozen=True)
class Split:
    """Who is learnt from and who is tested; pathology is only ever tested."""

    healthy: Cohort
    tested: Cohort


def divide(cohort: Cohort, share: float, seed: int) -> Split:
    """Hold out a share of the healthy subjects, chosen by seed, beside all that are not healthy.

    A subject with any scan that is not healthy, or is kept for testing, is only tested. Roles of
    a split leave nothing to choose.
    """
    if any(case.role in (FIT, CALIBRATE) for case in cohort.cases):
        return _by_roles(cohort)
    owners = subjects(cohort)
    ill = {
        owner for owner, case in zip(owners, cohort.cases, strict=True)
        if not case.is_healthy or case.role == TEST
    }  # fmt: skip
    healthy = [index for index, owner in enumerate(owners) if owner not in ill]
    if not ill:
        raise NoInputError(
            "only healthy cases: nothing to tell apart", "E_NO_INPUT",
            "give a cohort whose table has groups healthy and others, with truth masks",
        )  # fmt: skip
    known = sorted({owners[index] for index in healthy})
    held = max(LEAST_TESTED, round(share * len(known)))
    order = np.random.default_rng(seed).permutation(len(known))
    chosen = {known[index] for index in order[:held]}
    learnt = [index for index in healthy if owners[index] not in chosen]
    tested = [index for index in range(len(owners)) if index not in set(learnt)]
    return Split(cohort.select(learnt), cohort.select(tested))


def _by_roles(cohort: Cohort) -> Split:
    learnt = [i for i, case in enumerate(cohort.cases) if case.role != TEST and case.is_healthy]
    tested = [i for i, case in enumerate(cohort.cases) if case.role == TEST]
    if not tested:
        raise NoInputError("the split tests nobody", "E_NO_INPUT", "see its column role")
    return Split(cohort.select(learnt), cohort.select(tested))
