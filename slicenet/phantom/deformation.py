"""Where in the template each voxel of a subject comes from: smooth, one to one, never folded."""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from slicenet.phantom.box import LOWER, UPPER, Box, lattice_shape, smooth_lattice
from slicenet.phantom.template import BRAIN, GREY, TEXTURE, WHITE, Template

STEP = 6.0  # mm between the nodes that carry the displacement
SCALES = ((20.0, 3.0), (9.0, 0.9))  # blur and mean length of the displacements, mm
STEEPEST = 0.8  # of the displacement, mm a mm; below 1 nothing can fold
TURN, SHIFT, GROWTH = 1.5, 1.0, 0.02  # deviations: degrees, mm, share
VENTRICLES = (np.array([0.0, -10.0, 14.0]), np.array([36.0, 48.0, 26.0]))  # centre, axes, mm


def template_places(random: np.random.Generator, template: Template, box: Box) -> np.ndarray:
    """MNI millimetres of the template that each voxel of the box shows, [3, X, Y, Z] float32."""
    displacement = box.stretch(_displacement(random, template), STEP)
    x, y, z = np.meshgrid(*box.axes, indexing="ij", sparse=True)
    displaced = displacement + np.stack(np.broadcast_arrays(x, y, z))
    centre = ((LOWER + UPPER) / 2).astype(np.float32).reshape(3, 1, 1, 1)
    matrix, shift = _affine(random)
    away = displaced - centre
    # Written out: BLAS changes in the last bit with the number of threads.
    rows = [sum(matrix[row, column] * away[column] for column in range(3)) for row in range(3)]
    return np.stack(rows) + centre + shift.reshape(3, 1, 1, 1)


def _displacement(random: np.random.Generator, template: Template) -> np.ndarray:
    """Millimetres at the nodes, [3, x, y, z] float32."""
    total = np.zeros((3, *lattice_shape(STEP)), np.float32)
    for scale, length in SCALES:
        noise = [smooth_lattice(random, scale, STEP) for _ in range(3)]
        total += np.stack(noise) * np.float32(length / np.sqrt(3))
    # Ventricles grow more than they shrink; 6 mm at their wall is an old brain's.
    growth = np.clip(random.normal(1.5, 2.5), -2.0, 6.0)
    total += np.float32(growth) * _towards_ventricles(template)
    return total * np.float32(min(1.0, STEEPEST / steepness(total)))


def steepness(displacement: np.ndarray) -> float:
    """Upper bound of the gradient's norm of [3, x, y, z] mm at nodes, however interpolated."""
    # Between nodes each column of the gradient is an average of the differences along its axis.
    steepest = [
        (np.diff(displacement, axis=axis) ** 2).sum(0).max() / STEP**2 for axis in (1, 2, 3)
    ]
    return float(np.sqrt(sum(steepest)))


def _affine(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    turn = Rotation.from_euler("xyz", random.normal(0, TURN, 3), degrees=True).as_matrix()
    shared, single = random.normal(0, GROWTH), random.normal(0, GROWTH / 2, 3)
    matrix = turn * np.exp(shared + single)
    return matrix.astype(np.float32), random.normal(0, SHIFT, 3).astype(np.float32)


@lru_cache(maxsize=4)
def _towards_ventricles(template: Template) -> np.ndarray:
    """Directions towards the nearest ventricle, [3, x, y, z]; longest at its wall, where 1."""
    coarse = Box(STEP)
    places = np.stack(np.meshgrid(*coarse.axes, indexing="ij"))
    maps = template.at(places, slice(GREY, TEXTURE))
    fluid = maps[BRAIN] - maps[GREY] - maps[WHITE]
    centre, axes = VENTRICLES
    reach = ((places - centre.reshape(3, 1, 1, 1)) / axes.reshape(3, 1, 1, 1)) ** 2
    fluid = gaussian_filter(fluid * (reach.sum(0) < 1), 1.2)
    gradient = np.stack(np.gradient(fluid))
    return (gradient / np.sqrt((gradient**2).sum(0).max())).astype(np.float32)
