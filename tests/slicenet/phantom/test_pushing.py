import numpy as np
import pytest

from slicenet.phantom.lesions import Lesion
from slicenet.phantom.pushing import REACH, SHARE, pull, push


@pytest.fixture(scope="module")
def places(ball):
    """World millimetres of each voxel: what a map looks like before anything is pushed."""
    axes = [ball.affine[a, 3] + ball.affine[a, a] * np.arange(n)
            for a, n in enumerate(ball.brain.shape)]  # fmt: skip
    return np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)


def lesion_at(centre, radius, shape):
    return Lesion("dark", np.zeros(shape, np.float32), 1.0, centre, radius)


def test_places_keep_their_order_along_every_ray():
    distance = np.linspace(0, 4, 4001)
    for share in SHARE:
        source = distance - pull(distance, share)
        assert (np.diff(source) > 0).all()
        assert source[0] == 0


def test_tissue_moves_outwards_and_nothing_moves_beyond_the_reach(places, ball):
    centre, radius = (3.0, -5.0, 1.0), 9.0
    lesion = lesion_at(centre, radius, ball.brain.shape)
    pushed = push(np.random.default_rng(0), places, ball.affine, [lesion])
    away = np.linalg.norm(places - np.reshape(centre, (3, 1, 1, 1)), axis=0)
    source = np.linalg.norm(pushed - np.reshape(centre, (3, 1, 1, 1)), axis=0)
    assert np.array_equal(pushed[:, away > REACH * radius], places[:, away > REACH * radius])
    moved = (away - source)[np.abs(away - radius) < 1]
    assert moved.min() > (SHARE[0] - 0.03) * radius
    assert moved.max() < (SHARE[1] + 0.03) * radius
    assert (source <= away + 1e-3).all()


def test_nothing_is_folded(places, ball):
    lesions = [lesion_at((0.0, 0.0, 0.0), 10.0, ball.brain.shape),
               lesion_at((12.0, 4.0, -8.0), 6.0, ball.brain.shape)]  # fmt: skip
    pushed = push(np.random.default_rng(1), places, ball.affine, lesions).astype(np.float64)
    steps = [np.diff(pushed, axis=a + 1)[:, :48, :48, :24] / ball.affine[a, a] for a in range(3)]
    gradient = np.moveaxis(np.stack(steps, 1), (0, 1), (-2, -1))
    assert np.linalg.det(gradient).min() > 0.05
