import numpy as np
import pytest
import torch

from slicenet.bench.subject import SubjectSettings, bring, keep, subject
from slicenet.errors import ConfigError


@pytest.fixture(scope="module")
def brain():
    return subject(SubjectSettings(pixels=64, slices=24, template="procedural"))


def test_the_box_is_the_published_one_whatever_the_sampling(brain):
    assert brain.voxels.shape == (1, 64, 64, 24)
    assert np.allclose(brain.spacing * [64, 64, 24], [192, 192, 96])
    low, high = (brain.affine @ [*corner, 1] for corner in ([-0.5] * 3, [63.5, 63.5, 23.5]))
    assert np.allclose(low[:3], [-96.5, -113.5, -48.5])
    assert np.allclose(high[:3], [95.5, 78.5, 47.5])


def test_a_brain_fills_the_box_as_brains_do_and_every_slice_shows_it(brain):
    assert 0.25 < brain.brain.float().mean() < 0.7
    assert brain.brain.any(0).any(0).all()
    assert (brain.voxels[0][~brain.brain] == 0).all()


def test_intensities_are_framed(brain):
    low, middle, high = torch.quantile(
        brain.voxels[0][brain.brain], torch.tensor([0.25, 0.5, 0.75])
    )
    assert float(middle) == pytest.approx(0, abs=1e-4)
    assert float(high - low) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("wrong", [{"pixels": 40}, {"pixels": 16}, {"slices": 10}])
def test_boxes_of_parts_of_cells_are_refused(wrong):
    with pytest.raises(ConfigError):
        SubjectSettings(**wrong)


def test_another_process_finds_the_same_subject(tmp_path):
    made = subject(SubjectSettings(32, 3, "procedural"))
    keep(made, tmp_path / "brain.safetensors")
    found = bring(tmp_path / "brain.safetensors")
    assert torch.equal(found.voxels, made.voxels)
    assert torch.equal(found.brain, made.brain)
    assert (found.affine == made.affine).all()
