"""The bad files of group C: odd and impossible places in the world."""

from pathlib import Path

import nibabel as nib
import numpy as np

from tests.slicenet.images.brains import (
    AFFINE,
    SHAPE,
    brain,
    edited,
    image,
    packed,
    plain,
    put,
    save,
)


def no_orientation(folder: Path) -> Path:
    return put(folder, "c43-no-orientation.nii.gz", packed(edited(sform_code=0, qform_code=0)))


def singular_sform(folder: Path) -> Path:
    content = edited(srow_z=[0, 4, 0, 0])  # the y axis again
    return put(folder, "c44-singular-sform.nii.gz", packed(content))


def nan_sform(folder: Path) -> Path:
    return put(folder, "c45-nan-sform.nii.gz", packed(edited(srow_y=[0, np.nan, 0, 0])))


def nan_pixdim(folder: Path) -> Path:
    content = edited(pixdim=[1, np.nan, 4, 4, 1, 1, 1, 1], sform_code=0)
    return put(folder, "c45-nan-pixdim.nii.gz", packed(content))


def no_rotation(folder: Path) -> Path:
    content = edited(quatern_b=3, quatern_c=1, sform_code=0)
    return put(folder, "c46-no-rotation.nii.gz", packed(content))


def no_rotation_unused(folder: Path) -> Path:
    return put(folder, "c46-no-rotation-unused.nii.gz", packed(edited(quatern_b=3, quatern_c=1)))


def _with_sform(affine: np.ndarray) -> bytes:
    made = image()
    made.set_sform(affine, 1)
    return made.to_bytes()


def forms_apart(folder: Path) -> Path:
    moved = AFFINE.copy()
    moved[0, 3] += 5
    return put(folder, "c47-forms-apart.nii.gz", packed(_with_sform(moved)))


def forms_mirrored(folder: Path) -> Path:
    mirrored = AFFINE.copy()
    mirrored[0] *= -1
    return put(folder, "c47-forms-mirrored.nii.gz", packed(_with_sform(mirrored)))


def sheared(folder: Path) -> Path:
    affine = AFFINE.copy()
    affine[0, 1] = 0.2
    content = edited(_with_sform(affine), qform_code=0)
    return put(folder, "c48-sheared.nii.gz", packed(content))


def reordered(codes: str) -> nib.Nifti1Image:
    """The good brain stored along other axes: "LAS", "PIR" and so on."""
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(codes)
    )
    return image().as_reoriented(turn)


def las(folder: Path) -> Path:
    return save(folder, "c49-las.nii.gz", reordered("LAS"))


def rpi(folder: Path) -> Path:
    return save(folder, "c49-rpi.nii.gz", reordered("RPI"))


def pir(folder: Path) -> Path:
    return save(folder, "c49-pir.nii.gz", reordered("PIR"))


def oblique(folder: Path) -> Path:
    cosine, sine = np.cos(np.pi / 6), np.sin(np.pi / 6)
    turn = np.array([[1, 0, 0, 0], [0, cosine, -sine, 0], [0, sine, cosine, 0], [0, 0, 0, 1]])
    return put(folder, "c50-oblique.nii.gz", packed(plain(affine=turn @ AFFINE)))


def anisotropic(folder: Path) -> Path:
    voxels = brain().repeat(2, 0).repeat(2, 1)[:, :, ::2]
    affine = AFFINE @ np.diag([0.125 * 2, 0.125 * 2, 1.5, 1])
    return put(folder, "c51-anisotropic.nii.gz", packed(plain(voxels, affine)))


def one_slice(folder: Path) -> Path:
    return put(folder, "c52-one-slice.nii.gz", packed(plain(brain()[:, :, 20:21])))


def two_slices(folder: Path) -> Path:
    return put(folder, "c52-two-slices.nii.gz", packed(plain(brain()[:, :, 20:22])))


def flat(folder: Path) -> Path:
    return put(folder, "c52-two-dimensional.nii.gz", packed(plain(brain()[:, :, 20])))


def _spaced(millimetres: float) -> bytes:
    return packed(plain(affine=np.diag([millimetres, millimetres, millimetres, 1])))


def tiny_voxels(folder: Path) -> Path:
    return put(folder, "c53-voxels-of-0.01-mm.nii.gz", _spaced(0.01))


def small_voxels(folder: Path) -> Path:
    return put(folder, "c53-voxels-of-0.05-mm.nii.gz", _spaced(0.05))


def vast_voxels(folder: Path) -> Path:
    return put(folder, "c53-voxels-of-100-mm.nii.gz", _spaced(100))


def one_volume(folder: Path) -> Path:
    return put(folder, "c54-one-volume.nii.gz", packed(plain(brain()[..., None])))


def three_volumes(folder: Path) -> Path:
    voxels = np.stack([brain(), 2 * brain(), 3 * brain()], -1)
    return put(folder, "c55-three-volumes.nii.gz", packed(plain(voxels)))


def five_dimensions(folder: Path) -> Path:
    voxels = np.stack([brain(), brain(), brain()], -1).reshape(*SHAPE, 1, 3)
    return put(folder, "c55-five-dimensions.nii.gz", packed(plain(voxels)))
