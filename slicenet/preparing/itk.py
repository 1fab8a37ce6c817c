"""Between arrays in RAS millimetres and SimpleITK's images in LPS millimetres."""

from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy.linalg import polar

TURN = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS to LPS, and back
# Sums of several threads differ in their last bits from one run to the next.
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def squared(affine: np.ndarray) -> np.ndarray:
    """The nearest affine whose axes stand square to each other: ITK knows no others."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    nearest = affine.copy()
    nearest[:3, :3] = polar(affine[:3, :3] / spacing)[0] * spacing
    return nearest


def image_of(values: np.ndarray, affine: np.ndarray) -> Any:
    """Values [X, Y, Z] at the places that a square `affine` gives them."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.T))
    placed = TURN @ affine
    spacing = np.linalg.norm(placed[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((placed[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(placed[:3, 3].tolist())
    return image


def array_of(image: Any) -> np.ndarray:
    """The values of an image, [X, Y, Z]."""
    return sitk.GetArrayFromImage(image).T


def matrix_of(transform: Any) -> np.ndarray:
    """A linear transform as a matrix of RAS millimetres, [4, 4]."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    centre, shift = np.array(transform.GetCenter()), np.array(transform.GetTranslation())
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return TURN @ matrix @ TURN


def transform_of(matrix: np.ndarray, centre: np.ndarray | None = None) -> Any:
    """The affine transform of a matrix of RAS millimetres, turning around `centre`, [3] in RAS."""
    placed = TURN @ matrix @ TURN
    around = np.zeros(3) if centre is None else TURN[:3, :3] @ centre
    transform = sitk.AffineTransform(3)
    transform.SetCenter(around.tolist())
    transform.SetMatrix(placed[:3, :3].ravel().tolist())
    shift = placed[:3, 3] - around + placed[:3, :3] @ around
    transform.SetTranslation(shift.tolist())
    return transform


def coarser(image: Any, edge: float) -> Any:
    """Blocks of about `edge` mm, averaged; as it is where voxels are as large already."""
    blocks = [
        min(max(1, round(edge / step)), size)
        for step, size in zip(image.GetSpacing(), image.GetSize(), strict=True)
    ]
    return image if max(blocks) == 1 else sitk.BinShrink(image, blocks)
