from dataclasses import replace

import numpy as np
import pytest

from slicenet.mni import average
from slicenet.preparing.quality import Quality, judge

GOOD = Quality(0.6, 0.95, 0.8, 1.0)


def moved(by):
    """The average brain, its contrast inverted, displaced by so many voxels along y."""
    found = average()
    voxels, brain = np.where(found.brain, 200 - found.t1, 0), found.brain
    return np.roll(voxels, by, 1), np.roll(brain, by, 1)


def test_similarity_is_that_of_structure_and_not_of_contrast():
    found = average()
    same = judge(*moved(0), np.eye(4), found)
    assert same.similarity > 0.9
    assert same.overlap == 1
    assert same.smallest == pytest.approx(1) == pytest.approx(same.largest)
    assert list(same.doubts()) == []


def test_the_further_off_the_less_similar_and_then_it_is_doubted():
    found = [judge(*moved(by), np.eye(4), average()) for by in (0, 4, 12, 24)]
    similarity = [one.similarity for one in found]
    assert similarity == sorted(similarity, reverse=True)
    assert [bool(list(one.doubts())) for one in found] == [False, False, True, True]


def test_the_size_is_read_off_the_matrix():
    matrix = np.diag([0.5, 0.9, 1.1, 1.0])
    found = judge(*moved(0), matrix, average())
    assert (found.smallest, found.largest) == (0.5, 1.1)
    assert "times as large" in "".join(found.doubts())


@pytest.mark.parametrize(
    "bad", [{"similarity": 0.1}, {"overlap": 0.5}, {"smallest": 0.3}, {"largest": 2.0}]
)
def test_each_figure_alone_can_be_doubted(bad):
    assert list(GOOD.doubts()) == []
    assert len(list(replace(GOOD, **bad).doubts())) == 1


def test_a_brain_beside_the_average_has_nothing_in_common():
    found = average()
    nothing = np.zeros_like(found.brain)
    assert judge(found.t1, nothing, np.eye(4), found) == Quality(0.0, 0.0, 1.0, 1.0)
