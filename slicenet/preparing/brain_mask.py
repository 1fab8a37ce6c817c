"""The brain of a head, with all fluid around it: the average brain's mask, corrected by the scan.

What the affine leaves wrong is corrected by what tissue looks like and by how it hangs together.
"""

import numpy as np
from scipy import ndimage

SURE = 8.0  # mm inside the average brain's mask, where there is nothing but brain
INNER = 4.0  # mm inside, where tissue is looked at
REACH = 7.0  # mm outside, beyond which there is no brain
BRIDGE = 2.0  # mm, half the width of what joins brain to meninges and eyes
SULCI = 6.0  # mm, half the width of what closes over
FLUID = 2.0  # mm of fluid between the brain and its skull


def brain_mask(values: np.ndarray, spacing: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Brain of a T1 of even gain [X, Y, Z], where the average brain is `expected`; bool."""
    depth, height = _depth(expected, spacing), _depth(~expected, spacing)
    darkest, brightest = _tissue(values, depth)
    tissue = (height < REACH) & (values > darkest) & (values < brightest)
    cores = _depth(tissue, spacing) > BRIDGE
    pieces, count = ndimage.label(cores)
    sizes = np.bincount(pieces[cores & (depth > SURE)], minlength=count + 1)
    if not sizes.any():
        return expected
    brain = (_depth(pieces != sizes.argmax(), spacing) <= 1.3 * BRIDGE) & tissue
    closed = _depth(_depth(~brain, spacing) <= SULCI, spacing) > SULCI
    whole = ndimage.binary_fill_holes(closed | (depth > SURE))
    return _depth(~whole, spacing) <= FLUID


def _tissue(values: np.ndarray, depth: np.ndarray) -> tuple[float, float]:
    """Between which intensities grey and white matter lie: two means without the fluid."""
    fluid = np.quantile(values[depth > SURE], 0.01)
    seen = values[depth > INNER]
    seen = np.sort(seen[(seen > fluid) & (seen <= np.quantile(seen, 0.99))])
    if not len(seen):
        return np.inf, -np.inf
    grey, white = np.quantile(seen, (0.3, 0.8))
    for _ in range(30):
        split = np.searchsorted(seen, (grey + white) / 2)
        grey, white = seen[:split].mean(), seen[split:].mean()
    return float(fluid + grey) / 2, float(2 * white - grey)


def _depth(inside: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Distance to the nearest voxel that is not `inside`, mm; 0 outside."""
    return ndimage.distance_transform_edt(inside, spacing)
