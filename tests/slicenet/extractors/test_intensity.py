import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from slicenet.errors import ConfigError
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings


def test_unsmoothed_cells_of_one_voxel_are_the_intensities(make_brain):
    volume = make_brain(0, sequences=2)
    features = IntensityExtractor(IntensitySettings(cell=3.0, smooth=0.0)).extract(volume)
    assert torch.equal(features.inside, volume.brain)
    assert torch.allclose(features.vectors, volume.voxels[:, volume.brain].T, rtol=1e-5)


def test_smoothing_looks_at_the_brain_only(make_brain):
    volume = make_brain(0)
    features = IntensityExtractor(IntensitySettings(cell=3.0, smooth=6.0)).extract(volume)
    mask = volume.brain.numpy().astype(float)
    blur = [
        gaussian_filter(image, 2.0, mode="constant")
        for image in (volume.voxels[0].numpy() * mask, mask)
    ]
    wanted = (blur[0] / np.maximum(blur[1], 1e-6))[volume.brain.numpy()]
    assert np.allclose(features.vectors[:, 0].numpy(), wanted, rtol=1e-3)


@pytest.mark.parametrize("wrong", [{"cell": 0.0}, {"smooth": -1.0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        IntensitySettings(**wrong)
