import numpy as np
import pytest
from scipy.stats import rice

from slicenet.phantom.box import Box
from slicenet.phantom.scanner import LARGEST, coil, scan


def test_images_are_whole_numbers_above_0():
    signal = np.linspace(0, 20, 5000).astype(np.float32)
    seen = scan(np.random.default_rng(0), signal, np.ones(5000, np.float32), 0.2)
    assert np.array_equal(seen, np.rint(seen))
    assert seen.min() >= 1
    assert seen.max() == LARGEST
    assert seen.dtype == np.float32


def test_noise_is_rician():
    class Fixed(np.random.Generator):
        """Gain and gamma 1, noise as asked."""

        def uniform(self, low, high):
            return 1.0

    count, deviation = 200_000, 0.1
    for signal in (0.0, 0.15, 1.0):
        random = Fixed(np.random.PCG64(0))
        flat = np.full(count, signal, np.float32)
        seen = scan(random, flat, np.ones(count, np.float32), deviation) / 600
        truth = rice(signal / deviation, scale=deviation)
        assert seen.mean() == pytest.approx(truth.mean(), abs=2e-3)
        assert seen.std() == pytest.approx(truth.std(), abs=2e-3)


def test_shading_is_smooth_positive_and_differs_between_sessions():
    box = Box(6.0)
    brain = np.ones(box.shape, bool)
    first, second = (
        coil(np.random.default_rng(seed), box, brain).reshape(box.shape) for seed in (0, 1)
    )
    assert 0.4 < first.min() < 1 < first.max() < 2.5
    assert np.abs(np.diff(first, axis=0)).max() < 0.03  # over 6 mm
    assert np.abs(first - second).mean() > 0.01
