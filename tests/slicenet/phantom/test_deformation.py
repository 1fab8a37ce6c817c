import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from slicenet.phantom.box import LOWER, Box
from slicenet.phantom.deformation import STEEPEST, steepness, template_places


def jacobian(places, spacing):
    """Determinant of the gradient between neighbours, [X - 1, Y - 1, Z - 1]."""
    steps = [
        np.diff(places, axis=1)[:, :, :-1, :-1],
        np.diff(places, axis=2)[:, :-1, :, :-1],
        np.diff(places, axis=3)[:, :-1, :-1, :],
    ]
    return np.linalg.det(np.moveaxis(np.stack(steps, 1), (0, 1), (-2, -1)) / spacing)


@pytest.mark.parametrize("seed", range(8))
def test_no_brain_is_folded(template, seed):
    box = Box(3.0)
    places = template_places(np.random.default_rng(seed), template, box)
    assert jacobian(places.astype(np.float64), box.spacing).min() > 0.05


def test_steepness_bounds_the_gradient_between_the_nodes_too():
    random = np.random.default_rng(0)
    nodes = random.standard_normal((3, 6, 6, 6))
    fine = np.stack(np.meshgrid(*[np.linspace(0, 5, 41)] * 3, indexing="ij"))
    between = np.stack([map_coordinates(one, fine, order=1) for one in nodes])
    gradient = np.stack(np.gradient(between, 5 / 40 * 6.0, axis=(1, 2, 3)), 1)
    norms = np.linalg.norm(np.moveaxis(gradient, (0, 1), (-2, -1)), 2, axis=(-2, -1))
    assert norms.max() <= steepness(nodes)
    assert STEEPEST < 1


def test_brains_stay_near_the_template_and_differ(template, box):
    middle = tuple(size // 2 for size in box.shape)
    world = LOWER + box.spacing * np.array(middle)
    drawn = [template_places(np.random.default_rng(seed), template, box) for seed in range(6)]
    shifts = np.stack([places[:, *middle] for places in drawn]) - world
    assert np.abs(shifts).max() < 15
    assert shifts.std(0).min() > 0.3
