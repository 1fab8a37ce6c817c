"""Mass effect: lesions that push the tissue around them outwards."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from slicenet.phantom.lesions import Lesion

SHARE = (0.15, 0.35)  # of the radius by which tissue at the outline is pushed away
REACH = 3.0  # radii beyond which nothing moves


def push(
    random: np.random.Generator, maps: np.ndarray, affine: np.ndarray, lesions: Sequence[Lesion]
) -> np.ndarray:
    """Displace `maps` [M, X, Y, Z] away from each lesion; exactly unchanged beyond its reach.

    Along each ray from the centre places keep their order, so one-to-one maps stay so.
    """
    for lesion in lesions:
        share = random.uniform(*SHARE)
        maps = _push(maps, affine, np.array(lesion.centre), lesion.radius, share)
    return maps


def pull(distance: np.ndarray, share: float) -> np.ndarray:
    """How far inwards, in radii, what shows at `distance` radii comes from; 0 from REACH on."""
    # d exp((1 - d²) / 2) is 1 at the outline; its slope stays below 1.65, so that share < 0.6
    # keeps distance - pull rising. The last factor ends it smoothly.
    bump = distance * np.exp((1 - distance**2) / 2)
    return share * bump * np.clip(1 - (distance / REACH) ** 4, 0, 1)


def _push(
    maps: np.ndarray, affine: np.ndarray, centre: np.ndarray, radius: float, share: float
) -> np.ndarray:
    to_voxel = np.linalg.inv(affine)
    middle = to_voxel[:3, :3] @ centre + to_voxel[:3, 3]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    shape = np.array(maps.shape[1:])
    first = np.clip(np.floor(middle - REACH * radius / spacing), 0, shape - 1).astype(int)
    last = np.clip(np.ceil(middle + REACH * radius / spacing), 0, shape - 1).astype(int)
    box = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))

    away = np.mgrid[box] - middle.reshape(3, 1, 1, 1)  # voxels
    world = [sum(affine[row, axis] * away[axis] for axis in range(3)) for row in range(3)]
    distance = np.sqrt(sum(one**2 for one in world)) / radius
    moved = pull(distance, share)
    ratio = 1 - moved / np.maximum(distance, 1e-6)
    source = middle.reshape(3, 1, 1, 1) + away * ratio
    pushed = maps.copy()
    pushed[:, *box] = np.where(moved > 0, _take(maps, source), maps[:, *box])
    return pushed


def _take(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values of `maps` at voxel positions [3, ...]; the edge's beyond it."""
    ends = np.maximum(np.array(maps.shape[1:]) - 1, 1).reshape(3, 1, 1, 1)
    grid = np.stack(list((2 * places / ends - 1)[::-1]), -1).astype(np.float32)
    volume = torch.from_numpy(np.ascontiguousarray(maps, np.float32))
    taken = F.grid_sample(
        volume[None], torch.from_numpy(grid)[None], padding_mode="border", align_corners=True
    )
    return taken[0].numpy()
