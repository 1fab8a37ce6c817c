"""Outlines of lesions as depths: millimetres inside, negative outside."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from slicenet.errors import ConfigError
from slicenet.images.options import ReadOptions
from slicenet.images.printable import naming
from slicenet.images.stored import read_stored
from slicenet.resampling import sample

ROUGHNESS = ((0.7, 0.35), (0.35, 0.15))  # size and height of bumps, in radii
FARTHEST = 0.6  # bumps end here, in radii
MARGIN = 6  # mm around a mask in which depths are known


def draw_outline(
    random: np.random.Generator,
    affine: np.ndarray,
    shape: tuple[int, ...],
    centre: np.ndarray,
    radius: float,
) -> np.ndarray:
    """An irregular ellipsoid around the voxel `centre`, [X, Y, Z] float32; -inf far outside."""
    axes = np.exp(random.normal(0, 0.2, 3))
    axes = radius * axes / np.prod(axes) ** (1 / 3)
    turn = Rotation.random(random_state=random).as_matrix()
    noises = [(size, height, _bumps(random, size)) for size, height in ROUGHNESS]

    reach = (1 + FARTHEST) * axes.max() + MARGIN
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    first = np.maximum(np.floor(centre - reach / spacing), 0).astype(int)
    last = np.minimum(np.ceil(centre + reach / spacing), np.array(shape) - 1).astype(int)
    box = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
    steps = np.mgrid[box] - centre.reshape(3, 1, 1, 1)
    away = np.einsum("ij,j...->i...", turn.T @ affine[:3, :3], steps)
    away = away / axes.reshape(3, 1, 1, 1)  # in radii, along the ellipsoid's own axes
    distance = np.sqrt((away**2).sum(0))
    # Bumps depend on the direction only, so that every ray leaves once and nothing breaks off.
    ways = away / np.maximum(distance, 1e-6)
    bumps = sum(
        height * map_coordinates(noise, ways / size + noise.shape[0] // 2, order=3)
        for size, height, noise in noises
    )
    depth = np.full(shape, -np.inf, np.float32)
    depth[box] = radius * (1 + np.clip(bumps, -FARTHEST, FARTHEST) - distance)
    return depth


def read_outline(
    random: np.random.Generator,
    shapes: Sequence[Path],
    brain: np.ndarray,
    affine: np.ndarray,
    to_mni: np.ndarray,
) -> np.ndarray:
    """The outline of one of the masks `shapes`, which lie in MNI space, kept inside the brain."""
    for number in random.permutation(len(shapes)):
        with naming(shapes[number]):
            stored = read_stored(shapes[number], ReadOptions())
        grid = stored.place.grid
        mask = grid.to_ras(stored.voxels) > 0.5
        if mask.any():
            depths, crop = _depths(mask, grid.ras_affine)
            to_source = np.linalg.inv(crop) @ to_mni @ affine
            shifted = torch.from_numpy(depths + MARGIN)[None]  # what lies outside becomes 0
            depth = sample(shifted, to_source, brain.shape)[0].numpy() - MARGIN
            depth = np.where(brain & (depth > -MARGIN), depth, -np.inf)
            if (depth >= 0).any():
                return depth.astype(np.float32)
    raise ConfigError("no lesion mask of the shapes folder reaches into the brain", "E_SHAPES")


def _bumps(random: np.random.Generator, size: float) -> np.ndarray:
    nodes = 2 * int(np.ceil(1 / size)) + 3  # a cube around the unit sphere, and one node more
    return random.standard_normal((nodes, nodes, nodes), dtype=np.float32)


def _depths(mask: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depths around `mask`, smoothed by a millimetre, cropped, and the crop's affine."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    margin = np.ceil((MARGIN + 1) / spacing).astype(int)
    filled = np.nonzero(mask)
    first = [int(places.min()) for places in filled]
    box = tuple(slice(a, int(b.max()) + 1) for a, b in zip(first, filled, strict=True))
    padded = np.pad(mask[box], [(m, m) for m in margin])
    # Surfaces lie half a voxel off the centres that distances are measured between.
    half = float(spacing.mean()) / 2
    inner = np.maximum(distance_transform_edt(padded, spacing) - half, 0)
    outer = np.maximum(distance_transform_edt(~padded, spacing) - half, 0)
    smooth = gaussian_filter((inner - outer).astype(np.float32), 1 / spacing)
    crop = affine.copy()
    crop[:3, 3] += affine[:3, :3] @ (np.array(first) - margin)
    return np.maximum(smooth, -MARGIN), crop
