"""Where the average brain lies in a scan: an affine that mutual information finds."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, final

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import binary_dilation

from slicenet.mni import average
from slicenet.preparing.itk import array_of, coarser, image_of, matrix_of, transform_of

MIDDLE = np.array([0.0, -17.0, 10.0])  # MNI mm, of the brain's box
CROWN = 75.0  # mm from the top of a head down to the middle of its brain
HEAD = 140.0  # mm from its top, below which a head is face and neck
SIZE = 0.92  # of a living brain beside the average one, which is large
# A head may have nodded, and its top may be cut or hidden by a cap: where the search starts.
NODS = (-25.0, 0.0, 25.0)  # degrees
SHIFTS = (-20.0, 0.0, 20.0)  # mm, back to front and bottom to top
KEPT = 3  # starts that are followed
BINS = 48  # of the histogram of mutual information
FINEST = 2.0  # mm, of a scan; finer detail is everyone's own
LEVELS = {8: (3.0, 60), 4: (2.0, 80), 2: (1.0, 40)}  # mm: longest step in mm, and how many
NEAR = 4  # mm around the average brain that count as long as there is a skull
WIDE = 8  # mm once it is gone: then the rim of the brain is what tells its size


@final
@dataclass(frozen=True, eq=False)
class Level:
    """The average brain, and where it counts, on one grid."""

    image: Any
    counts: Any


def find_head(values: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Average brain to a scan with its skull: MNI mm to the scan's mm, [4, 4]."""
    image = coarser(image_of(values, affine), FINEST)
    centre = _crown(image)
    turns = product(NODS, SHIFTS, SHIFTS)
    starts = [_start(centre + np.array([0, along, up]), nod) for nod, along, up in turns]
    return _refined(image, _settle(image, starts), NEAR, (8, 4))


def find_brain(values: np.ndarray, affine: np.ndarray, start: np.ndarray | None) -> np.ndarray:
    """Average brain to a brain without its skull, 0 outside: MNI mm to the scan's mm, [4, 4]."""
    image = coarser(image_of(values, affine), FINEST)
    if start is not None:
        return _refined(image, start, WIDE, (4, 2))
    places = np.argwhere(values > 0).astype(np.float32) @ affine[:3, :3].T + affine[:3, 3]
    centre = (places.min(0) + places.max(0)) / 2
    starts = [_start(centre + np.array([0, along, 0]), nod) for nod, along in product(NODS, SHIFTS)]
    return _refined(image, _settle(image, starts), WIDE, (8, 4, 2))


def _crown(image: Any) -> np.ndarray:
    """About the middle of the brain of a head, RAS mm, [3]."""
    head = sitk.OtsuThreshold(coarser(image, 4.0), 0, 1, 200)
    places = np.argwhere(array_of(head)).astype(np.float64)
    step = np.reshape(head.GetDirection(), (3, 3)) * np.array(head.GetSpacing())
    world = (places @ step.T + head.GetOrigin()) * [-1, -1, 1]
    top = np.quantile(world[:, 2], 0.999)
    upper = world[world[:, 2] > top - HEAD]
    return np.array([*upper[:, :2].mean(0), top - CROWN])


def _start(centre: np.ndarray, nod: float) -> np.ndarray:
    """The average brain at a living size, moved to `centre` and nodding by so many degrees."""
    angle = np.radians(nod)
    turn = np.array([
        [1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]
    ])  # fmt: skip
    matrix = np.eye(4)
    matrix[:3, :3] = SIZE * turn
    matrix[:3, 3] = centre - matrix[:3, :3] @ MIDDLE
    return matrix


def find_sequence(
    fixed: np.ndarray, place: np.ndarray, brain: np.ndarray, moving: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """From one sequence of a head to another, turning and moving only: mm to mm, [4, 4]."""
    image, counts = image_of(fixed, place), image_of(brain.astype(np.float32), place)
    target = coarser(image_of(moving, other), FINEST)
    transform = sitk.Euler3DTransform()
    middle = [(size - 1) / 2 for size in image.GetSize()]
    transform.SetCenter(image.TransformContinuousIndexToPhysicalPoint(middle))
    for edge in (4, 2):
        level = Level(_smoothed(image, edge), _counted(coarser(counts, edge)))
        _climb(level, _smoothed(target, edge), transform, LEVELS[edge])
    return matrix_of(transform)


def _settle(image: Any, starts: list[np.ndarray]) -> np.ndarray:
    """The best of a few starts after the coarsest search."""
    level, moving = _level(8, NEAR), _smoothed(image, 8)

    def climbed(start: np.ndarray, steps: int) -> tuple[float, np.ndarray]:
        return _climb(level, moving, transform_of(start, MIDDLE), (LEVELS[8][0], steps))

    ranked = sorted(starts, key=lambda start: climbed(start, 0)[0])
    return min((climbed(start, 40) for start in ranked[:KEPT]), key=lambda one: one[0])[1]


def _refined(image: Any, found: np.ndarray, around: int, edges: tuple[int, ...]) -> np.ndarray:
    for edge in edges:
        transform = transform_of(found, MIDDLE)
        found = _climb(_level(edge, around), _smoothed(image, edge), transform, LEVELS[edge])[1]
    return found


def _climb(
    level: Level, moving: Any, transform: Any, course: tuple[float, int]
) -> tuple[float, np.ndarray]:
    """Minus the mutual information after the steps, and the matrix that has it."""
    longest, steps = course
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricFixedMask(level.counts)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(transform, True)
    if not steps:
        return method.MetricEvaluate(level.image, moving), matrix_of(transform)
    method.SetOptimizerAsRegularStepGradientDescent(
        longest, 1e-3, steps, relaxationFactor=0.6, gradientMagnitudeTolerance=1e-6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.Execute(level.image, moving)
    return method.GetMetricValue(), matrix_of(transform)


def _smoothed(image: Any, edge: float) -> Any:
    return coarser(sitk.SmoothingRecursiveGaussian(image, edge / 2), edge)


def _counted(share: Any) -> Any:
    return sitk.Cast(share > 0.5, sitk.sitkUInt8)


@lru_cache(maxsize=8)
def _level(edge: int, around: int) -> Level:
    """The average brain in blocks of `edge` mm, of which those within `around` mm count."""
    found = average()
    # Air all around, so that what counts does not end where the average was cropped.
    t1 = np.pad(found.t1, around)
    affine = found.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, around)
    near = binary_dilation(t1 > 0, iterations=around).astype(np.float32)
    counts = coarser(image_of(near, affine), edge)
    return Level(_smoothed(image_of(t1, affine), edge), _counted(counts))
