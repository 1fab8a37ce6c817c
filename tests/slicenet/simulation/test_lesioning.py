from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from slicenet.simulation.lesioning import SEEN_THROUGH, simulate, visible
from slicenet.simulation.settings import JitterSettings, SimulationSettings
from slicenet.simulation.space import space_of

STILL = JitterSettings(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
PLAIN = SimulationSettings(jitter=STILL)


def healthy(count=10, sequences=1, shape=(64, 72), seed=0):
    lines = [torch.linspace(-1.2, 1.2, size) for size in shape]
    grid = torch.meshgrid(*lines, indexing="ij")
    brain = (sum(axis**2 for axis in grid) < 1)[None].repeat(count, *(1 for _ in shape))
    noise = torch.randn(count, sequences, *shape, generator=torch.Generator().manual_seed(seed))
    voxels = 0.8 * torch.sin(9 * grid[0]) * torch.cos(7 * grid[1]) + 0.1 * noise
    return voxels * brain[:, None], brain


def simulated(voxels, brain, settings=PLAIN, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return simulate(voxels, brain, (2.0,) * (brain.ndim - 1), settings, generator)


@pytest.mark.parametrize(("sequences", "shape"), [(1, (64, 72)), (3, (64, 72)), (2, (24, 28, 20))])
def test_slices_and_volumes_of_any_sequences_get_lesions_inside_the_brain(sequences, shape):
    voxels, brain = healthy(4, sequences, shape)
    altered, truth = simulated(voxels, brain, SimulationSettings(least=1))
    assert (altered.shape, truth.shape) == (voxels.shape, brain.shape)
    outside = ~brain
    assert altered.movedim(1, 0)[:, outside].abs().max() == 0
    assert truth[outside].abs().max() == 0
    assert truth.min() >= 0
    assert truth.max() <= 1
    assert (truth > 0.5).any()
    assert torch.isfinite(altered).all()


def test_without_jitter_only_lesions_change_and_what_is_called_lesion_has_changed():
    voxels, brain = healthy(40)
    altered, truth = simulated(voxels, brain)
    change = (altered - voxels).abs().amax(1)
    for one, where in zip(change.numpy(), truth.numpy(), strict=True):
        inside = brain[0].numpy()
        mass = gaussian_filter(inside.astype(float), SEEN_THROUGH / 2, mode="wrap", truncate=6)
        seen = gaussian_filter(one, SEEN_THROUGH / 2, mode="wrap", truncate=6) / mass.clip(1e-3)
        assert (seen[where > 0] > 0.45 * PLAIN.visible).all()
    clear = torch.where(truth == 0, change, 0)
    assert (clear > 1).float().mean() < 0.01
    # What is lesion through and through has changed by more than what is hardly any.
    assert change[truth > 0.9].mean() > 3 * change[(truth > 0) & (truth < 0.2)].mean()


def test_a_change_counts_from_half_of_what_is_visible():
    brain = torch.ones(1, 20, 20, dtype=torch.bool)
    space = space_of(brain, (1.0, 1.0))
    for change, wanted in ((0.1, 0.0), (0.125, 0.0), (0.25, 0.5), (0.375, 1.0), (2.0, 1.0)):
        seen = visible(torch.full((1, 20, 20), change), brain, space, 0.25)
        assert torch.allclose(seen, torch.tensor(wanted), atol=1e-4)


def test_as_many_samples_are_without_lesions_as_if_each_lesion_came_on_its_own():
    voxels, brain = healthy(400, shape=(24, 24))
    settings = replace(PLAIN, mean=1.2, visible=0.0, looks=("shifted",), smallest=6.0)
    altered, truth = simulated(voxels, brain, settings)
    untouched = (truth.flatten(1) > 0.3).sum(1) == 0
    assert abs(float(untouched.float().mean()) - 0.3) < 0.07
    same = (altered - voxels).abs().flatten(1).amax(1) < 1e-5
    assert torch.equal(same & untouched, same)
    assert float(same.float().mean()) > 0.25


def test_nobody_has_a_lesion_where_none_is_asked_for_but_scans_differ():
    voxels, brain = healthy()
    altered, truth = simulated(voxels, brain, SimulationSettings(mean=0.0))
    assert truth.abs().max() == 0
    assert (altered - voxels).abs().mean() > 0.02


def test_equal_generators_give_equal_lesions_and_the_input_is_left_alone():
    voxels, brain = healthy()
    kept = voxels.clone()
    settings = SimulationSettings()
    first, again, other = (simulated(voxels, brain, settings, seed) for seed in (5, 5, 6))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])
    assert torch.equal(voxels, kept)


def test_lesions_of_a_healthy_cohort_are_rarer_than_what_is_healthy():
    voxels, brain = healthy(200, shape=(96, 112))
    _, truth = simulated(voxels, brain, SimulationSettings())
    share = float(truth.sum() / brain.sum())
    assert 0.01 < share < 0.15
    sizes = (truth > 0.5).flatten(1).sum(1).numpy()
    sizes = sizes[sizes > 0]
    assert np.quantile(sizes, 0.9) > 15 * np.quantile(sizes, 0.1)


def test_an_empty_brain_gets_no_lesion():
    voxels, brain = healthy(2)
    altered, truth = simulated(voxels * 0, brain & False, SimulationSettings(least=1))
    assert altered.abs().max() == 0
    assert truth.abs().max() == 0
