import numpy as np
from nilearn.datasets import load_mni152_brain_mask

from slicenet.mni import average


def test_the_brain_lies_where_nilearn_has_it():
    found, mask = average(), load_mni152_brain_mask(resolution=1)
    assert found.t1.shape == found.grey.shape == found.white.shape
    inverse = np.linalg.inv(mask.affine) @ found.affine
    assert np.allclose(inverse[:3, :3], np.eye(3))
    first = np.rint(inverse[:3, 3]).astype(int)
    box = tuple(slice(at, at + size) for at, size in zip(first, found.brain.shape, strict=True))
    theirs = mask.get_fdata() > 0
    assert theirs.sum() == theirs[box].sum()
    assert (found.brain == theirs[box]).mean() > 0.999


def test_air_is_left_around_the_brain_only():
    brain = average().brain
    for axis in range(3):
        filled = np.flatnonzero(brain.any(tuple(other for other in range(3) if other != axis)))
        assert filled[0] <= 3
        assert brain.shape[axis] - 1 - filled[-1] <= 3
