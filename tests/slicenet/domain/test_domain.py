from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from slicenet.domain.domain import Domain
from slicenet.domain.limits import learn_limits
from slicenet.domain.measures import columns
from slicenet.domain.portrait import portray
from slicenet.frame import Frame, FrameSettings

FRAME = Frame(FrameSettings(spacing=(8.0, 8.0, 8.0)))


def look(volume):
    return portray(volume, FRAME.enter(volume))


def inverted(volume, sequence=0):
    voxels = volume.voxels.clone()
    voxels[sequence] = (voxels[sequence].max() - voxels[sequence]) * volume.brain
    return replace(volume, voxels=voxels)


@pytest.fixture(scope="module")
def small(make_brain):
    """Brains of fewer voxels."""
    return partial(make_brain, shape=(22, 26, 20), spacing=6.0)


@pytest.fixture(scope="module")
def cohort(small):
    return [look(small(seed)) for seed in range(14)]


@pytest.fixture(scope="module")
def domain(cohort):
    made = Domain()
    made.fit(cohort[:10])
    made.hold(cohort[10:])
    return made


def value(domain, portrait, name, sequence=1):
    found = [one for one in domain.read(portrait) if one.usual.measure == name]
    return next(one.value for one in found if one.usual.sequence == sequence)


def test_the_correlation_is_numpys_with_the_mean_of_the_fitted(domain, cohort, small):
    new = look(small(30))
    pictures = np.stack([one.picture[0].numpy().astype(float) for one in cohort[:10]])
    inside = np.stack([one.inside.numpy() for one in cohort[:10]])
    mean = (pictures * inside).sum(0) / inside.sum(0).clip(min=1)
    both = new.inside.numpy() & (inside.mean(0) >= 0.5)
    wanted = np.corrcoef(mean[both], new.picture[0].numpy()[both].astype(float))[0, 1]
    assert value(domain, new, "pattern") == pytest.approx(wanted, abs=1e-3)


def test_a_fitted_subject_is_compared_with_the_others_alone(cohort):
    # As if it had been held out from a cohort of the others.
    without, within = Domain(), Domain()
    without.fit(cohort[1:12])
    without.hold(cohort[:1])
    within.fit(cohort[:12])
    assert torch.allclose(within.fitted[0], without.held[0], atol=5e-3)


def test_a_healthy_brain_is_like_the_cohort_and_an_inverted_one_is_not(domain, small):
    assert not any(one.unlike for one in domain.read(look(small(31))))
    far = {one.usual.measure for one in domain.read(look(inverted(small(31)))) if one.unlike}
    assert {"pattern", "histogram"} & far
    assert value(domain, look(inverted(small(31))), "pattern") < -0.5


def test_a_reading_is_unlike_exactly_where_it_leaves_its_limits(domain, small):
    for portrait in (look(small(31)), look(inverted(small(31)))):
        for one in domain.read(portrait):
            low = -np.inf if one.usual.low is None else one.usual.low
            high = np.inf if one.usual.high is None else one.usual.high
            assert one.unlike == (not low <= one.value <= high), one
            assert low <= one.usual.centre <= high


def test_each_sequence_is_judged_for_itself(small):
    made = Domain()
    made.fit([look(small(seed, sequences=2)) for seed in range(10)])
    readings = made.read(look(inverted(small(31, sequences=2), sequence=1)))
    assert {one.usual.sequence for one in readings if one.unlike} == {2}
    swapped = small(31, sequences=2)
    swapped = replace(swapped, voxels=swapped.voxels.flip(0))
    assert {one.usual.sequence for one in made.read(look(swapped)) if one.unlike} == {1, 2}


def test_too_few_subjects_leave_it_silent(cohort):
    silent = Domain()
    silent.fit(cohort[:5])
    silent.hold(cohort[5:9])
    assert silent.read(cohort[9]) == ()
    assert silent.usual() == ()
    silent.hold(cohort[5:10])  # in place of those before
    assert silent.subjects == 10
    assert len(silent.read(cohort[11])) == len(silent.usual()) == 13
    alone = Domain()
    alone.fit(cohort[:1])
    alone.hold(cohort[1:])
    assert alone.read(cohort[0]) == ()


def test_fitting_anew_forgets_who_was_held_out(domain, cohort):
    made = Domain()
    made.fit(cohort[:10])
    fresh = made.usual()
    made.hold(cohort[10:])
    assert made.usual() != fresh
    made.fit(cohort[:10])
    assert made.usual() == fresh


def test_tensors_alone_carry_it(domain, cohort):
    again = Domain()
    for name, tensor in domain.state_dict().items():
        setattr(again, name, tensor)
    assert again.read(cohort[0]) == domain.read(cohort[0])


def test_a_subject_that_comes_again_is_one_and_never_its_own_company(cohort, domain):
    again = Domain()
    again.fit([*cohort[:10], *cohort[:10]], "abcdefghij" * 2)
    again.hold([*cohort[10:], *cohort[10:]], "klmn" * 2)
    assert again.subjects == domain.subjects == 14
    assert torch.allclose(again.fitted[:10], domain.fitted, atol=1e-3)
    assert torch.equal(again.fitted[:10], again.fitted[10:])
    assert [one.measure for one in again.usual()] == [one.measure for one in domain.usual()]
    for one, other in zip(again.usual(), domain.usual(), strict=True):
        assert one.centre == pytest.approx(other.centre, rel=0.05, abs=0.02)


def test_subjects_count_however_many_scans_each_has_and_wherever_they_stand(cohort):
    # Two of the eleven portraits are of one subject: held out together, they are so few.
    made, without = Domain(), Domain()
    made.fit([cohort[0], *cohort[1:10], cohort[10]], "abcdefghija")
    without.fit(cohort[1:10])
    without.hold([cohort[0], cohort[10]])
    assert made.subjects == 10
    assert torch.allclose(made.fitted[[0, 10]], without.held, atol=5e-3)
    few = Domain()
    few.fit(cohort[:10], "aabbccddee")
    few.hold(cohort[10:], "fghg")
    assert few.subjects == 8
    assert few.read(cohort[0]) == ()


def test_a_domain_of_an_earlier_slicenet_knows_whose_its_rows_are(cohort):
    made, again = Domain(), Domain()
    made.fit([*cohort[:10], *cohort[:10]], "abcdefghij" * 2)
    made.hold(cohort[10:])
    state = made.state_dict()
    del state["fitted_by"], state["held_by"]
    for name in state:
        setattr(again, name, torch.zeros_like(state[name]))
    again.load_state_dict({**state, "people": torch.tensor((10, 4))})
    assert torch.equal(again.fitted_by, made.fitted_by)
    assert torch.equal(again.held_by, made.held_by)
    assert again.read(cohort[0]) == made.read(cohort[0])


def test_nobody_is_both_fitted_and_held_out(domain):
    rows = np.concatenate([domain.fitted.numpy(), domain.held.numpy()]).astype(np.float64)
    wanted = learn_limits(rows, [measure for measure, _ in columns(1)])  # each of its own
    assert domain._limits().reach == wanted.reach
