import dataclasses

import pytest

from slicenet.images.options import ReadOptions


def test_the_limit_lets_a_volume_of_512_voxels_a_side_through():
    assert ReadOptions().max_voxels == 512 * 512 * 512


def test_options_cannot_change_half_way_through_a_run():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ReadOptions().volume = 1  # type: ignore[misc]
