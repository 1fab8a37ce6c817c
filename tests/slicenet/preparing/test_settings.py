import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import ConfigError
from slicenet.mni import average
from slicenet.preparing.settings import PrepareSettings


@pytest.mark.parametrize("spacing", [0.7, 1.0, 2.0])
def test_the_grid_holds_the_average_brain(spacing):
    grid, found = PrepareSettings(spacing).grid, average()
    places = nib.affines.apply_affine(found.affine, np.argwhere(found.brain))
    voxels = nib.affines.apply_affine(np.linalg.inv(grid.affine), places)
    assert (voxels >= 0).all()
    assert (voxels <= np.array(grid.shape) - 1).all()
    assert np.allclose(grid.spacing, spacing)
    assert int(grid.header["sform_code"]) == 4


def test_names_say_the_voxel_size():
    assert PrepareSettings(2.0).entities == "space-MNI152NLin2009aSym_res-2"
    assert PrepareSettings(1.5).entities.endswith("_res-1p5")


@pytest.mark.parametrize("spacing", [0.0, 0.1, 9.0, float("nan")])
def test_other_sizes_are_refused(spacing):
    with pytest.raises(ConfigError, match="spacing"):
        PrepareSettings(spacing)
