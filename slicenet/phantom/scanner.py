"""What a scanner adds to clean signals: shading, gain, gamma, noise, and whole numbers."""

import numpy as np

from slicenet.phantom.box import Box, smooth_lattice

SHADING = ((60.0, 20.0, 0.1),)  # blur and step in mm, deviation of the logarithm
LEVEL = 600.0  # of signal 1 at gain 1
LARGEST = 4095  # twelve bits, as scanners store


def coil(random: np.random.Generator, box: Box, brain: np.ndarray) -> np.ndarray:
    """The shading that all images of one session share, [N], around 1."""
    shading = np.zeros(1, np.float32)
    for scale, step, deviation in SHADING:
        strength = np.float32(deviation * random.uniform(0.4, 1.6))
        noise = box.stretch(smooth_lattice(random, scale, step), step)[brain]
        shading = shading + strength * noise
    return np.exp(shading)


def scan(
    random: np.random.Generator, signal: np.ndarray, shading: np.ndarray, noise: float
) -> np.ndarray:
    """Image values of clean signals [N]: whole numbers from 1 to 4095, float32."""
    gain, gamma = random.uniform(0.7, 1.3), random.uniform(0.9, 1.1)
    deviation = np.float32(noise * random.uniform(0.5, 1.5))
    seen = np.maximum(signal, 0) ** np.float32(gamma) * shading
    real = seen + deviation * random.standard_normal(len(seen), np.float32)
    imaginary = deviation * random.standard_normal(len(seen), np.float32)
    # The magnitude of a complex signal: Rician noise.
    magnitude = np.sqrt(real**2 + imaginary**2)
    # At least 1, so that voxels above 0 are the brain.
    return np.clip(np.rint(magnitude * np.float32(LEVEL * gain)), 1, LARGEST)
