import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.planes import AXES, ranks, resample, view
from slicenet.volume import Volume


def box(spacing=(1.0, 1.0, 2.0), shape=(16, 24, 12)):
    voxels = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    brain = torch.ones(shape, dtype=torch.bool)
    return Volume(voxels, brain, np.diag([*spacing, 1.0]), "box")


@pytest.mark.parametrize("plane", sorted(AXES))
def test_a_plane_shows_its_own_slices(plane):
    volume = box((1.0, 1.0, 1.0), (16, 24, 8))
    seen = view(volume, plane, 8)
    picture = seen.pictures([2], PictureSettings(limit=1.0))[0, 0]
    slices = {
        "axial": volume.voxels[0, :, :, 2],
        "coronal": volume.voxels[0, :, 2],
        "sagittal": volume.voxels[0, 2],
    }
    assert torch.allclose(picture, (slices[plane] + 1) / 2)


def test_thick_slices_are_stretched_to_square_pixels_of_whole_cells():
    assert view(box(), "coronal", 8).size == (16, 24)
    assert view(box(), "sagittal", 8).size == (24, 24)
    assert view(box(), "axial", 8).size == (16, 24)
    assert view(box(), "coronal", 8).pictures([0, 1], PictureSettings()).shape == (2, 3, 16, 24)


def test_the_crop_follows_the_stretch():
    volume = box(shape=(32, 32, 32))
    volume.brain[:] = False
    volume.brain[4:12, 5, 20:24] = True
    crop = view(volume, "coronal", 8).crop(5, 5, 0, 8)
    assert crop.rows == range(0, 16)
    assert (crop.columns.start, crop.columns.stop) == (32, 56)  # 40 to 48, and half a pixel each


def test_ranks_are_the_order_of_the_vectors():
    inside = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0)) > 0.5
    assert torch.equal(ranks(inside)[inside], torch.arange(int(inside.sum())))


def test_a_ramp_stays_a_ramp_on_a_finer_lattice():
    ramp = torch.arange(6.0).expand(1, 1, 2, 6)
    fine = resample(ramp, (2, 12))
    wanted = np.interp((np.arange(12) + 0.5) / 2 - 0.5, np.arange(6), np.arange(6))
    assert np.allclose(fine[0, 0, 0].numpy(), wanted)
    assert resample(ramp, (2, 6)) is ramp
    coarse = resample(fine.expand(1, 1, 2, 12), (1, 6))
    assert np.allclose(coarse[0, 0, 0].numpy(), wanted.reshape(6, 2).mean(1))


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
def test_a_picture_has_slices_of_one_plane(plane):
    flat = box(shape=(16, 24, 1))
    assert view(flat, "axial", 8).size == (16, 24)
    with pytest.raises(ConfigError, match=f"{plane} slices need three dimensions"):
        view(flat, plane, 8)
