"""Small good images, and the ways to spoil their bytes, that the bad files are made with."""

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

SHAPE = (40, 48, 40)
SPACING = 4.0  # mm: the size of a head in few voxels
AFFINE = np.array(
    [
        [SPACING, 0, 0, -78.0],
        [0, SPACING, 0, -112.0],
        [0, 0, SPACING, -70.0],
        [0, 0, 0, 1],
    ]
)


def brain(dtype: Any = np.int16) -> np.ndarray:
    """An ellipsoid of textured tissue, 200 to 900, in zeros."""
    return _tissue().astype(dtype)


@cache
def _tissue() -> np.ndarray:
    axes = np.meshgrid(*[np.linspace(-1.2, 1.2, size) for size in SHAPE], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    noise = np.random.default_rng(0).normal(0, 20, SHAPE)
    waves = np.cos(9 * axes[0]) * np.cos(7 * axes[1]) * np.cos(8 * axes[2])
    return np.where(radius < 1, np.clip(550 + 200 * waves + noise, 200, 900), 0)


def image(voxels: np.ndarray | None = None, affine: np.ndarray = AFFINE) -> nib.Nifti1Image:
    """A NIfTI-1 image with both forms set, of the good brain unless told otherwise."""
    made = nib.Nifti1Image(brain() if voxels is None else voxels, affine)
    made.set_sform(affine, 1)
    made.set_qform(affine, 1)
    made.header.set_xyzt_units("mm", "sec")
    return made


def plain(voxels: np.ndarray | None = None, affine: np.ndarray = AFFINE) -> bytes:
    """The bytes of a .nii file."""
    return image(voxels, affine).to_bytes()


def edited(content: bytes | None = None, **fields: Any) -> bytes:
    """The bytes of a .nii file with header fields set to anything at all."""
    content = plain() if content is None else content
    form = nib.Nifti2Header if content[:4] == b"\x1c\x02\0\0" else nib.Nifti1Header
    header = form(content[: form.sizeof_hdr], check=False)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + content[form.sizeof_hdr :]


def with_dim(*sizes: int) -> bytes:
    """The bytes of a .nii file whose dim field begins with `sizes`."""
    dim = np.ones(8, np.int16)
    dim[: len(sizes)] = sizes
    return edited(dim=dim)


def packed(content: bytes) -> bytes:
    """The same inside gzip."""
    return gzip.compress(content, 1, mtime=0)


def put(folder: Path, name: str, content: bytes) -> Path:
    """Write `content` to a file."""
    path = folder / name
    path.write_bytes(content)
    return path


def save(folder: Path, name: str, made: Any) -> Path:
    """Write an image with nibabel."""
    path = folder / name
    nib.save(made, path)
    return path
