"""A brain drawn by formula: nested ellipsoids with a folded ribbon of cortex."""

import numpy as np

from slicenet.phantom.box import Box

SPACING = 2.0  # mm
WAVELENGTH = 24.0  # mm, of the folds
Ellipsoid = tuple[tuple[float, float, float], tuple[float, float, float]]  # centre and axes, mm

CEREBRUM: Ellipsoid = ((0, -17, 14), (70, 88, 66))
CEREBELLUM: Ellipsoid = ((0, -62, -38), (50, 32, 26))
STEM: Ellipsoid = ((0, -28, -42), (13, 16, 36))
NUCLEI: tuple[Ellipsoid, ...] = (((12, -19, 8), (9, 15, 10)), ((27, 2, 4), (7, 16, 11)))
VENTRICLES: tuple[Ellipsoid, ...] = (((10, 0, 15), (6, 30, 9)), ((24, -38, 6), (6, 18, 8)))


def draw_brain() -> tuple[np.ndarray, np.ndarray]:
    """Maps of grey and white matter, brain and texture, [4, X, Y, Z] float32, and their affine."""
    box = Box(SPACING)
    x, y, z = np.meshgrid(*box.axes, indexing="ij", sparse=True)
    folds = _folds(x, y, z)
    cerebrum = np.minimum(_depth(CEREBRUM, x, y, z), z + 34)  # flat below
    fissure = np.sqrt(x**2 + np.maximum(28 - z, 0) ** 2)  # from the sheet between the hemispheres
    cortex = np.minimum(cerebrum, fissure)
    cerebellum = _depth(CEREBELLUM, x, y, z)
    stem = _depth(STEM, x, y, z)

    # Narrow sulci run along the sheets where the waves cancel; white matter keeps away from them.
    fluid = _step(2 + 13 * np.exp(-((folds / 0.2) ** 2)) - cortex)
    fluid = fluid * _step(1.5 - cerebellum) * _step(2 - stem)
    white = _step(cortex - 5 - 15 * np.exp(-((folds / 0.6) ** 2)))
    white = np.maximum(white, _step(cerebellum - 7 - 2.5 * np.sin(1.1 * z + 0.5 * y)))
    white = np.maximum(white, _step(stem - 2))
    for nucleus in NUCLEI:
        white *= 1 - 0.7 * _step(_depth(nucleus, np.abs(x), y, z))
    for ventricle in VENTRICLES:
        fluid = np.maximum(fluid, _step(_depth(ventricle, np.abs(x), y, z)))
    brain = _step(np.maximum(np.maximum(cerebrum, cerebellum), stem))
    white = white * (1 - fluid) * brain
    grey = brain * (1 - fluid) - white
    return np.stack([grey, white, brain, 0.03 * folds * brain]), box.affine


def _folds(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """A fixed sum of plane waves in all directions, of deviation about 1."""
    count = 24
    order = np.arange(count, dtype=np.float32)
    # Directions on a Fibonacci sphere; the golden ratio also spreads the phases.
    height = 1 - (2 * order + 1) / count
    turn = order * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt(1 - height**2)
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.float32)
    for one in range(count):
        phase = x * (radius * np.cos(turn))[one] + y * (radius * np.sin(turn))[one]
        phase = phase + z * height[one]
        total += np.cos(phase * np.float32(2 * np.pi / WAVELENGTH) + 4.0 * turn[one])
    return total * np.float32(np.sqrt(2 / count))


def _depth(body: Ellipsoid, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """About how many mm a place lies inside the ellipsoid; negative outside."""
    (a, b, c), (width, length, height) = body
    ratio = np.sqrt(((x - a) / width) ** 2 + ((y - b) / length) ** 2 + ((z - c) / height) ** 2)
    return (1 - ratio) * np.float32(min(width, length, height))


def _step(depth: np.ndarray) -> np.ndarray:
    """From 0 to 1 over 2 mm around depth 0."""
    return np.clip(depth / 2 + 0.5, 0, 1).astype(np.float32)
