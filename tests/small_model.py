"""A model file of 60 kB, for tests that damage it."""

from pathlib import Path

import numpy as np

from slicenet.backends.zscore import ZScore
from slicenet.cache import Cache
from slicenet.checkpoint import Model, save
from slicenet.frame import FrameSettings
from slicenet.volume import from_array

BACKEND = ZScore(frame=FrameSettings(box=(96.0, 96.0, 96.0), spacing=(8.0, 8.0, 8.0)))


def small_model(folder: Path) -> Path:
    """Fit the z-score on three balls of noise, calibrate it on two more, and save it."""
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, 16)] * 3, indexing="ij")
    ball = sum(axis**2 for axis in axes) < 1
    affine = np.diag([6.0, 6.0, 6.0, 1.0])
    affine[:3, 3] = -45
    brains = [
        from_array(np.random.default_rng(seed).uniform(50, 100, ball.shape) * ball, affine, "ball")
        for seed in range(5)
    ]
    detector = BACKEND.build()
    detector.fit(brains[:3], cache=Cache(folder / "cache"))
    detector.calibrate(brains[3:])
    save(folder / "model.safetensors", Model(detector, "zscore", BACKEND))
    return folder / "model.safetensors"
