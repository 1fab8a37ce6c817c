import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from slicenet.preparing.registering import find_brain, find_head, find_sequence
from slicenet.resampling import sample


@pytest.fixture(scope="module")
def found(head):
    return find_head(head.values, head.affine)


def test_the_average_brain_is_found_in_a_head_that_is_turned_and_small(head, found, off):
    assert off(np.eye(4), head.matrix) > 30
    assert off(found, head.matrix) < 6


def test_without_its_skull_a_brain_is_found_closer(head, found, off):
    values = np.where(head.brain, head.values, 0)
    assert off(find_brain(values, head.affine, found), head.matrix) < 2
    assert off(find_brain(values, head.affine, None), head.matrix) < 2


def test_the_same_scan_is_found_at_the_same_place_to_the_bit(head, found):
    assert np.array_equal(find_head(head.values.copy(), head.affine), found)


def test_another_sequence_is_found_whatever_its_contrast(head, off):
    wanted = np.eye(4)
    wanted[:3, :3] = Rotation.from_euler("xyz", (4, -3, 5), degrees=True).as_matrix()
    wanted[:3, 3] = 3, -5, 4
    dark = np.where(head.values > 50, head.values.max() - head.values, 0)
    to_source = np.linalg.inv(head.affine) @ np.linalg.inv(wanted) @ head.affine
    other = sample(torch.from_numpy(dark)[None], to_source, dark.shape)[0].numpy()
    found = find_sequence(head.values, head.affine, head.brain, other, head.affine)
    assert off(found, wanted) < 1
    assert np.allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3))
