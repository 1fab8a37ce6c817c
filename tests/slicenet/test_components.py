import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from slicenet.components import components

AFFINE = np.array([[0, -2.0, 0, 40], [1.5, 0, 0, -30], [0, 0, 4.0, 7], [0, 0, 0, 1]])


@pytest.fixture
def pieces():
    """A block, a pair that touches by a corner, and one voxel; scores rise along x."""
    above = np.zeros((12, 11, 10), bool)
    above[1:4, 1:3, 2:4] = True
    above[8, 8, 8] = above[9, 9, 9] = True
    above[10, 1, 1] = True
    scores = np.linspace(0, 1, above.size).reshape(above.shape).astype(np.float32)
    return scores, above


def test_pieces_are_counted_from_the_largest_and_touch_by_corners(pieces):
    scores, above = pieces
    labels, found = components(scores, above, AFFINE)
    assert [one.index for one in found] == [1, 2, 3]
    assert [one.voxels for one in found] == [12, 2, 1]
    assert ((labels > 0) == above).all()
    assert labels[8, 8, 8] == labels[9, 9, 9] == 2
    for one in found:
        inside = labels == one.index
        assert one.voxels == inside.sum()
        assert one.volume == pytest.approx(one.voxels * 1.5 * 2 * 4)
        assert one.peak == scores[inside].max()
        assert one.mean == pytest.approx(scores[inside].mean())


def test_places_are_those_of_nibabel(pieces):
    scores, above = pieces
    labels, found = components(scores, above, AFFINE)
    for one in found:
        voxels = np.argwhere(labels == one.index)
        assert np.allclose(one.centroid, apply_affine(AFFINE, voxels).mean(0))
        highest = voxels[np.argmax(scores[tuple(voxels.T)])]
        assert np.allclose(one.summit, apply_affine(AFFINE, highest))


def test_turning_an_image_moves_no_piece(pieces):
    scores, above = pieces
    turned = [
        nib.as_closest_canonical(nib.Nifti1Image(part.astype(np.float32), AFFINE))
        for part in (scores, above)
    ]
    again = components(turned[0].get_fdata(), turned[1].get_fdata() > 0, turned[0].affine)[1]
    for one, other in zip(components(scores, above, AFFINE)[1], again, strict=True):
        assert (one.voxels, one.volume) == (other.voxels, pytest.approx(other.volume))
        assert np.allclose(one.centroid, other.centroid)
        assert np.allclose(one.summit, other.summit)


def test_of_one_size_the_higher_comes_first_and_nothing_is_no_piece(pieces):
    scores, _ = pieces
    above = np.zeros(scores.shape, bool)
    above[0, 0, 0] = above[11, 10, 9] = True
    _, found = components(scores, above, AFFINE)
    assert [one.peak for one in found] == [1, 0]
    labels, none = components(scores, np.zeros_like(above), AFFINE)
    assert none == ()
    assert labels.dtype == np.int32
    assert not labels.any()
