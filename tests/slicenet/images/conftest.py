import numpy as np
import pytest
from scipy import ndimage

from slicenet.images.grid import Grid
from slicenet.images.image import Image


@pytest.fixture(scope="session")
def make_image():
    """Images in memory, as if read from a file with a plain affine."""

    def make(voxels, spacing=(2.0, 2.0, 2.0)):
        voxels = np.asarray(voxels, np.float32)
        return Image(voxels, Grid(voxels.shape, np.diag([*spacing, 1.0])), "scanner", (), "")

    return make


@pytest.fixture(scope="session")
def head():
    """A head at 2 mm with bright scalp, dark bone, and folded brain with ventricles; its brain."""
    shape = (96, 116, 104)
    places = np.stack(np.meshgrid(*[np.arange(size) for size in shape], indexing="ij"), -1) * 2.0
    offsets = places - np.array([95, 115, 110])
    depth = (1 - np.linalg.norm(offsets / (66.0, 84.0, 62.0), axis=-1)) * 65  # mm under the brain's
    waves = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 2.5)
    folds = waves / waves.std()
    tissue = np.where(depth + 3 * folds > 5, 900, np.where(depth + 5 * folds > -3, 600, 250))
    ventricles = np.linalg.norm(offsets / (12.0, 30.0, 10.0), axis=-1) < 1
    brain = depth > 0
    voxels = np.where(brain, np.where(ventricles, 200, tissue), 0)
    voxels[(depth <= 0) & (depth > -8)] = 60  # bone
    voxels[(depth <= -8) & (depth > -15)] = 1100  # scalp
    neck = (np.hypot(offsets[..., 0], offsets[..., 1]) < 50) & (offsets[..., 2] < -60)
    voxels[neck & (depth <= 0)] = 700
    noise = np.random.default_rng(1).normal(0, 15, shape)
    return np.where(voxels > 0, np.clip(voxels + noise, 1, None), 0).astype(np.float32), brain
