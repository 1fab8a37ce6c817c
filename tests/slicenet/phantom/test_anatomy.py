import numpy as np
import pytest

from slicenet.phantom.anatomy import Variation, draw_variation, find_brain, grow_tissues
from slicenet.phantom.template import BRAIN, GREY, WHITE


@pytest.fixture(scope="module")
def places(box):
    return np.stack(np.meshgrid(*box.axes, indexing="ij"))


@pytest.fixture(scope="module")
def brain(template, places):
    return find_brain(template, places)


@pytest.fixture(scope="module")
def average(template, places, brain):
    count = int(brain.sum())
    plain = Variation(np.ones((3, count), np.float32), np.zeros(count, np.float32))
    return grow_tissues(template, places, brain, plain)


def test_fractions_add_up_to_1(template, places, brain, box):
    variation = draw_variation(np.random.default_rng(0), brain, box)
    fractions = grow_tissues(template, places, brain, variation).fractions
    assert fractions.min() >= 0
    assert np.allclose(fractions.sum(0), 1, atol=1e-5)


def test_pure_tissue_stays_what_it_is_and_mixtures_become_crisper(template, places, brain, average):
    maps = template.at(places[:, brain], slice(GREY, BRAIN + 1))
    pure = maps[WHITE] > 0.999
    assert average.fractions[WHITE][pure].min() > 0.99
    mostly = (maps[WHITE] > 0.6) & (maps[WHITE] < 0.9) & (maps[GREY] > 0.05)
    assert (average.fractions[WHITE] - maps[WHITE])[mostly].mean() > 0.03


def test_tissue_does_not_fade_at_the_rim_of_the_brain(template, places, brain, average):
    # Half a voxel of brain is not half as bright: the other half is simply not looked at.
    share = template.at(places[:, brain], slice(BRAIN, BRAIN + 1))[0]
    assert (share < 0.9).any()
    assert np.allclose(average.fractions.sum(0), 1, atol=1e-5)


def test_subjects_differ_in_their_fluid_and_their_grain(brain, box):
    drawn = [draw_variation(np.random.default_rng(seed), brain, box) for seed in range(6)]
    fluid = np.array([np.log(one.odds[2]).mean() for one in drawn])
    assert fluid.std() > 0.1
    correlation = np.corrcoef([one.grain for one in drawn])
    assert np.abs(correlation[~np.eye(6, dtype=bool)]).max() < 0.3


def test_values_go_to_their_voxels_and_nowhere_else(average):
    values = np.arange(1, average.brain.sum() + 1, dtype=np.float32)
    full = average.spread(values)
    assert np.array_equal(full[average.brain], values)
    assert not full[~average.brain].any()
