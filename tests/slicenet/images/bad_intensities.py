"""The bad files of group D: voxels that are no numbers, no contrast or no MRI."""

from pathlib import Path

import numpy as np

from tests.slicenet.images.brains import brain, packed, plain, put


def _float() -> np.ndarray:
    return brain(np.float32)


def all_nan(folder: Path) -> Path:
    return put(folder, "d60-all-nan.nii.gz", packed(plain(np.full_like(_float(), np.nan))))


def one_inf(folder: Path) -> Path:
    voxels = _float()
    voxels[20, 24, 20] = np.inf
    return put(folder, "d61-one-inf.nii.gz", packed(plain(voxels)))


def nan_outside(folder: Path) -> Path:
    voxels = _float()
    voxels[voxels == 0] = np.nan
    return put(folder, "d62-nan-outside.nii.gz", packed(plain(voxels)))


def nan_scattered(folder: Path) -> Path:
    voxels = _float()
    voxels[np.random.default_rng(0).random(voxels.shape) < 0.01] = np.nan
    return put(folder, "d62-nan-scattered.nii.gz", packed(plain(voxels)))


def constant(folder: Path) -> Path:
    return put(folder, "d63-constant.nii.gz", packed(plain(np.full_like(brain(), 7))))


def all_zero(folder: Path) -> Path:
    return put(folder, "d64-all-zero.nii.gz", packed(plain(np.zeros_like(brain()))))


def one_voxel(folder: Path) -> Path:
    voxels = np.zeros_like(brain())
    voxels[20, 24, 20] = 500
    return put(folder, "d65-one-voxel.nii.gz", packed(plain(voxels)))


def binary(folder: Path) -> Path:
    return put(folder, "d66-binary.nii.gz", packed(plain((brain() > 0).astype(np.uint8))))


def labels(folder: Path) -> Path:
    return put(folder, "d66-labels.nii.gz", packed(plain((brain() // 100).astype(np.uint8))))


def many_labels(folder: Path) -> Path:
    voxels = brain()
    blocks = np.indices(voxels.shape) // 8
    parcels = 1 + blocks[0] + 5 * blocks[1] + 30 * blocks[2]
    return put(
        folder,
        "d66-many-labels.nii.gz",
        packed(plain(np.where(voxels > 0, parcels, 0).astype(np.int16))),
    )


def saturated(folder: Path) -> Path:
    voxels = np.clip(brain() // 2, 0, 255).astype(np.uint8)
    return put(folder, "d67-saturated.nii.gz", packed(plain(voxels)))


def negative(folder: Path) -> Path:
    voxels = _float()
    inside = voxels > 0
    voxels[inside] = (voxels[inside] - voxels[inside].mean()) / voxels[inside].std()
    return put(folder, "d68-negative.nii.gz", packed(plain(voxels)))


def hounsfield(folder: Path) -> Path:
    voxels = np.where(brain() > 0, brain() // 10 - 20, -1024).astype(np.int16)
    return put(folder, "d69-hounsfield.nii.gz", packed(plain(voxels)))
