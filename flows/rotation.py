"""Rotations that are a function of a seed, and so need not be stored."""

import numpy as np


def rotation(channels: int, seed: int, place: int) -> np.ndarray:
    """The rotation number `place` of a seed, uniform over all, [C, C] float64, determinant 1."""
    # The one generator of NumPy whose numbers are promised never to change.
    normal = np.random.RandomState([seed, place]).standard_normal((channels, channels))
    basis, triangle = np.linalg.qr(normal)
    # A QR is unique, and its basis uniform, once the triangle's diagonal is positive.
    turn = basis * np.sign(np.diag(triangle))
    turn[0] *= np.linalg.slogdet(turn)[0]  # of reflections, their mirror images
    return turn
