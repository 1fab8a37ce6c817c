import numpy as np
import pytest
import scipy.stats
import torch
from scipy.ndimage import label
from scipy.spatial import ConvexHull

from slicenet.simulation.draws import Draws
from slicenet.simulation.settings import SHAPES, SimulationSettings
from slicenet.simulation.shapes import draw_centres, draw_shapes
from slicenet.simulation.space import space_of


def draws(seed=0):
    return Draws(torch.Generator().manual_seed(seed), torch.device("cpu"))


def disc(count, shape=(96, 112)):
    lines = [torch.linspace(-1.15, 1.15, size) for size in shape]
    squares = sum(axis**2 for axis in torch.meshgrid(*lines, indexing="ij"))
    return (squares < 1)[None].repeat(count, *(1 for _ in shape))


def drawn(count, spacing, settings, seed=0, shape=(96, 112)):
    brain = disc(count, shape)
    soft, centres = draw_shapes(draws(seed), space_of(brain, spacing), brain, settings)
    return brain, soft, centres


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("shape", [(96, 112), (32, 36, 40)])
def test_every_kind_is_soft_and_ends_at_the_brains_edge(kind, shape):
    settings = SimulationSettings(shapes=(kind,), smallest=10, largest=20)
    brain, soft, centres = drawn(12, (2.0,) * len(shape), settings, shape=shape)
    assert soft.min() >= 0
    assert soft.max() <= 1
    assert soft[~brain].abs().max() == 0
    assert ((soft > 0.1) & (soft < 0.9)).any()
    for row, centre in enumerate(centres.tolist()):
        assert brain[(row, *centre)]
    assert ((soft > 0.5).flatten(1).sum(1) > 4).float().mean() > 0.9


@pytest.mark.parametrize("kind", SHAPES)
def test_sizes_are_millimetres(kind):
    areas = {}
    for radius in (5.0, 10.0, 20.0):
        settings = SimulationSettings(shapes=(kind,), smallest=radius, largest=radius)
        _, soft, centres = drawn(60, (1.0, 2.0), settings, shape=(240, 120))
        amid = ((centres - torch.tensor([120, 60])).abs() < torch.tensor([60, 30])).all(1)
        areas[radius] = float(soft[amid].sum((1, 2)).median()) * 2
    for radius in (5.0, 10.0):
        # Four times the area with twice the radius; sheets are no thinner than a voxel.
        assert 2.4 < areas[2 * radius] / areas[radius] < 6
    assert 0.1 < areas[10.0] / (np.pi * 100) < 2


def test_sizes_are_even_on_a_logarithmic_scale():
    settings = SimulationSettings(shapes=("blocks",), smallest=3, largest=24)
    _, soft, centres = drawn(400, (1.0, 1.0), settings, shape=(128, 128))
    amid = ((centres - 64).abs() < 40).all(1)
    radius = (soft[amid].sum((1, 2)) / np.pi).sqrt()
    low, middle, high = np.log(np.quantile(radius.numpy(), [0.25, 0.5, 0.75]))
    # Half of all lie within half of the logarithms: a factor of 8 ** 0.5 and what shapes add.
    assert np.log(8) / 2 * 0.8 < high - low < np.log(8)
    assert abs((high + low) / 2 - middle) < 0.3


def test_centres_are_even_over_the_brain():
    brain = disc(1, (20, 16)).repeat(8000, 1, 1)
    centres = draw_centres(draws(), space_of(brain, (1.0, 1.0)), brain)
    counts = np.bincount(centres[:, 0] * 16 + centres[:, 1], minlength=320).reshape(20, 16)
    assert (counts[~brain[0].numpy()] == 0).all()
    assert scipy.stats.chisquare(counts[brain[0].numpy()]).pvalue > 0.001


def test_each_sample_has_its_own_brain():
    brain = torch.zeros(3, 10, 12, dtype=torch.bool)
    brain[0, 1, 2] = brain[1, 9, 11] = brain[2, 0, 0] = True
    found = draw_centres(draws(), space_of(brain, (1.0, 1.0)), brain)
    assert found.tolist() == [[1, 2], [9, 11], [0, 0]]


def holes(mask):
    return label(~np.pad(mask, 1))[1] - 1


def test_kinds_differ_in_what_they_are_made_of():
    parts, gaps, solid = {}, {}, {}
    for kind in SHAPES:
        settings = SimulationSettings(shapes=(kind,), smallest=14, largest=14, edges=(0.5, 0.6))
        _, soft, _ = drawn(60, (1.0, 1.0), settings, shape=(160, 160))
        masks = [one for one in (soft > 0.5).numpy() if one.any()]
        parts[kind] = np.mean([label(one)[1] for one in masks])
        gaps[kind] = np.mean([holes(one) for one in masks])
        solid[kind] = np.mean([filled(one) for one in masks])
    assert parts["clouds"] > 1.5 * parts["blocks"]
    assert gaps["clouds"] + gaps["sheets"] > 4 * (gaps["blocks"] + 0.05)
    assert solid["chains"] > solid["clouds"] > solid["sheets"]


def filled(mask):
    """Share of its convex hull that a mask fills."""
    corners = np.argwhere(mask)
    around = np.concatenate([corners + step for step in ((0, 0), (0, 1), (1, 0), (1, 1))])
    return mask.sum() / ConvexHull(around).volume


def test_edges_are_as_soft_as_asked():
    widths = []
    for edge in (0.8, 5.0):
        settings = SimulationSettings(
            shapes=("blocks",), smallest=20, largest=20, edges=(edge, edge)
        )
        _, soft, _ = drawn(40, (1.0, 1.0), settings, shape=(160, 160))
        amid = (soft > 0.05) & (soft < 0.95)
        widths.append(float(amid.sum() / (soft > 0.5).sum()))
    assert widths[1] > 3 * widths[0]
