import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError, VolumeError
from slicenet.extractors.pictures import (
    DEVIATIONS,
    PictureSettings,
    check_sequences,
    paint,
    stretched,
)
from slicenet.volume import Volume

GENERATOR = torch.Generator().manual_seed(0)
VOXELS = torch.randn(3, 4, 5, 6, generator=GENERATOR) * 3
BRAIN = torch.rand(4, 5, 6, generator=GENERATOR) > 0.3


@pytest.mark.parametrize("outside", [0.0, 0.25])
def test_the_median_is_middle_grey_and_the_limits_are_black_and_white(outside):
    painted = paint(VOXELS, BRAIN, PictureSettings(limit=2.0, outside=outside))
    for index in range(6):
        for colour in range(3):
            wanted = np.interp(VOXELS[colour, :, :, index].numpy(), (-2, 2), (0, 1))
            wanted = np.where(BRAIN[:, :, index].numpy(), wanted, outside)
            assert np.allclose(painted[index, colour].numpy(), wanted, atol=1e-6)


def test_one_sequence_is_repeated_and_two_leave_their_mean():
    one = paint(VOXELS[:1], BRAIN, PictureSettings())
    assert torch.equal(one, one[:, :1].expand(-1, 3, -1, -1))
    two = paint(VOXELS[:2], BRAIN, PictureSettings())
    assert torch.allclose(two[:, 2], (two[:, 0] + two[:, 1]) / 2)


def test_a_fourth_sequence_has_no_colour():
    check_sequences(3, "three")
    with pytest.raises(VolumeError, match="four: 4 sequences"):
        check_sequences(4, "four")


@pytest.mark.parametrize("wrong", [{"limit": 0.0}, {"outside": 1.5}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        PictureSettings(**wrong)


def test_published_pictures_span_black_to_white_within_each_brain():
    volume = Volume(VOXELS, BRAIN, np.eye(4), "brain")
    settings = PictureSettings(scale="extremes")
    painted = paint(stretched(volume, settings).voxels, BRAIN, settings)
    for colour in range(3):
        inside = VOXELS[colour][BRAIN]
        wanted = (inside - inside.min()) / (inside.max() - inside.min())
        assert torch.allclose(painted[:, colour].permute(1, 2, 0)[BRAIN], wanted, atol=1e-6)
    assert stretched(volume, PictureSettings()) is volume


def test_the_second_colour_of_one_sequence_is_its_distance_from_what_is_usual():
    usual = torch.stack((VOXELS[1] * 0.1, VOXELS[2].abs() + 0.5))
    plain = paint(VOXELS[:1], BRAIN, PictureSettings(outside=0.25))
    shown = paint(VOXELS[:1], BRAIN, PictureSettings(outside=0.25), usual)
    assert torch.equal(shown[:, (0, 2)], plain[:, (0, 2)])
    mean, deviation = usual.numpy()
    strange = (VOXELS[0].numpy() - mean) / deviation
    wanted = np.interp(strange, (-DEVIATIONS, DEVIATIONS), (0, 1))
    wanted = np.where(BRAIN.numpy(), wanted, 0.25).transpose(2, 0, 1)
    assert np.allclose(shown[:, 1].numpy(), wanted, atol=1e-5)
