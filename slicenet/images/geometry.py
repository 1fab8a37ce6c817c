"""Where the voxels lie: one affine out of the two that a header may hold, checked."""

from dataclasses import dataclass, replace
from typing import final

import nibabel as nib
import numpy as np

from slicenet.errors import Notice, VolumeError
from slicenet.images.claim import by
from slicenet.images.grid import Grid
from slicenet.images.options import ReadOptions

SPACES = {1: "scanner", 2: "aligned", 3: "talairach", 4: "mni", 5: "template"}
MILLIMETRES = {1: 1000.0, 3: 0.001}  # of a metre, of a micron
DISAGREEMENT = 1.0  # mm between corners as qform and sform place them
SHEAR = 1e-4  # cosine between axes that ought to be at right angles
FLAT = 1e-3  # volume that the unit axes span; 1 at right angles, 0 if they lie in a plane
FARTHEST = 1e6  # mm from the origin
LONGEST = 32767  # voxels along an axis of NIfTI-1
POSSIBLE = (0.01, 100.0)  # mm, both ends impossible
USUAL = (0.1, 20.0)  # mm
PICTURE = "picture"  # the space of one: its millimetres are a convention
WIDTH = 230.0  # mm that the longer side of a picture counts as, about a head with air around it


@final
@dataclass(frozen=True, eq=False)
class Place:
    """The grid of a file, and whose millimetres its affine speaks."""

    grid: Grid
    space: str  # one of SPACES' names, PICTURE, or "none"
    notices: tuple[Notice, ...] = ()


@np.errstate(over="ignore", invalid="ignore")
def place_nifti(
    header: nib.Nifti1Header, shape: tuple[int, int, int], options: ReadOptions
) -> Place:
    """The sform if it has a code, else the qform if it has one, else what `assume_ras` says."""
    header, notices = _in_millimetres(header.copy())
    notices += _mend_spacing(header, shape)
    sform, qform = _code(header, "sform_code"), _code(header, "qform_code")
    if sform:
        grid = Grid(shape, header.get_sform(), header)
        place = _checked(grid, SPACES[sform], "sform")
        notices += _compare(grid, header, qform) if qform else []
    elif qform:
        place = _checked(Grid(shape, _qform(header), header), SPACES[qform], "qform")
    else:
        place = _assumed(header["pixdim"][1:4], shape, header, options)
    return replace(place, notices=(*notices, *place.notices))


@np.errstate(over="ignore", invalid="ignore")
def place_mgh(
    affine: np.ndarray | None,
    spacing: tuple[float, float, float],
    shape: tuple[int, int, int],
    options: ReadOptions,
) -> Place:
    """The affine of an MGH file, with a NIfTI header that carries its codes and units."""
    header = nib.Nifti1Header() if max(shape) <= LONGEST else nib.Nifti2Header()
    header.set_xyzt_units("mm")
    if affine is None:
        return _assumed(np.asarray(spacing), shape, header, options)
    place = _checked(Grid(shape, np.asarray(affine, np.float64), header), "scanner", "affine")
    header.set_sform(affine, "scanner")
    header.set_qform(affine, "scanner")
    return place


def place_picture(columns: int, rows: int) -> Place:
    """A picture as radiologists show a slice: its left is the patient's right, its top the front.

    No picture tells how large its pixels are. One slice as thick as a millimetre.
    """
    pixel = WIDTH / max(columns, rows)
    affine = np.diag([-pixel, -pixel, 1.0, 1.0])
    affine[:2, 3] = pixel * (np.array((columns, rows)) - 1) / 2
    return Place(Grid((columns, rows, 1), affine), PICTURE)


def _in_millimetres(header: nib.Nifti1Header) -> tuple[nib.Nifti1Header, list[Notice]]:
    units = int(header["xyzt_units"])
    space = units % 8
    if not 0 <= units < 64 or space > 3:
        raise VolumeError(f"has no unit of length: xyzt_units is {units}", "E_UNITS")
    if space not in MILLIMETRES:
        return header, []
    factor = MILLIMETRES[space]
    for field in ("srow_x", "srow_y", "srow_z", "qoffset_x", "qoffset_y", "qoffset_z"):
        header[field] = header[field] * factor
    header["pixdim"][1:4] *= factor
    header["xyzt_units"] = units - space + 2
    name = nib.nifti1.unit_codes.label[space]
    return header, [Notice("W_UNITS", f"lengths are in {name}: converted to mm")]


def _mend_spacing(header: nib.Nifti1Header, shape: tuple[int, int, int]) -> list[Notice]:
    spacing = header["pixdim"][1:4]
    if not np.isfinite(spacing).all():
        raise VolumeError(f"has voxel sizes of {_listed(spacing)}", "E_AFFINE")
    if header["pixdim"][0] not in (-1, 1):
        header["pixdim"][0] = 1  # the standard's own reading of other values
    notices = []
    for axis in range(3):
        if spacing[axis] == 0 and shape[axis] == 1:
            notices.append(f"axis {axis} has one voxel of size 0: taken as 1 mm")
            spacing[axis] = 1
    if (spacing < 0).any():
        notices.append(f"voxel sizes of {_listed(spacing)}: taken without their sign")
        spacing[:] = np.abs(spacing)
    return [Notice("W_SPACING", text) for text in notices]


def _code(header: nib.Nifti1Header, field: str) -> int:
    code = int(header[field])
    return code if code in SPACES else 0


def _checked(grid: Grid, space: str, name: str) -> Place:
    affine = grid.affine
    if not np.isfinite(affine).all():
        raise VolumeError(f"its {name} is not finite", "E_AFFINE")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not spacing.all() or abs(np.linalg.det(affine[:3, :3] / spacing)) < FLAT:
        raise VolumeError(f"its {name} is singular: voxels lie on top of each other", "E_AFFINE")
    if np.abs(affine[:3, 3]).max() > FARTHEST:
        raise VolumeError(f"its {name} puts it {_listed(affine[:3, 3])} mm away", "E_AFFINE")
    notices = [*_check_spacing(spacing), *_check_shear(affine[:3, :3] / spacing, name)]
    return Place(grid, space, tuple(notices))


def _check_spacing(spacing: np.ndarray) -> list[Notice]:
    text = f"voxels measure {_listed(spacing)} mm: are the units right?"
    if spacing.min() <= POSSIBLE[0] or spacing.max() >= POSSIBLE[1]:
        raise VolumeError(text, "E_SPACING", "see xyzt_units and pixdim in its header")
    unusual = spacing.min() < USUAL[0] or spacing.max() > USUAL[1]
    return [Notice("W_SPACING", text)] if unusual else []


def _check_shear(axes: np.ndarray, name: str) -> list[Notice]:
    slant = np.abs(axes.T @ axes - np.eye(3)).max()
    if slant <= SHEAR:
        return []
    degrees = np.degrees(np.arcsin(min(1.0, slant)))
    text = f"its {name} is sheared by {degrees:.3g} degrees: viewers built on ITK may refuse it"
    return [Notice("W_SHEAR", text)]


def _qform(header: nib.Nifti1Header) -> np.ndarray:
    quaternion = np.array([header[f"quatern_{letter}"] for letter in "bcd"], np.float64)
    square = float(quaternion @ quaternion)
    if 1 < square < 1 + 1e-3:  # rounding: a half turn, written in single precision
        for letter, value in zip("bcd", quaternion / np.sqrt(square), strict=True):
            header[f"quatern_{letter}"] = value
    try:
        return header.get_qform()
    except ValueError as error:
        message = f"its qform holds no rotation: quaternion {_listed(quaternion)}"
        raise VolumeError(message, "E_AFFINE") from error


def _compare(grid: Grid, header: nib.Nifti1Header, code: int) -> list[Notice]:
    try:
        other = _checked(Grid(grid.shape, _qform(header)), SPACES[code], "qform").grid
    except VolumeError as error:
        return [Notice("W_QFORM", f"{error.message}; used the sform")]
    distance = grid.corner_distance(other)
    flipped = np.linalg.det(grid.affine) * np.linalg.det(other.affine) < 0
    if distance <= DISAGREEMENT and not flipped:
        return []
    flip = ", one is mirrored" if flipped else ""
    text = f"qform and sform disagree by {distance:.3g} mm{flip}: used the sform"
    return [Notice("W_QS_DISAGREE", text)]


def _assumed(
    spacing: np.ndarray,
    shape: tuple[int, int, int],
    header: nib.Nifti1Header,
    options: ReadOptions,
) -> Place:
    text = "says nothing about orientation"
    if not options.assume_ras:
        hint = "if its axes run to the right, front and top: --assume-ras"
        raise VolumeError(text, "E_NO_ORIENTATION", hint)
    affine = np.diag([*(float(width) for width in spacing), 1.0])
    affine[:3, 3] = -affine.diagonal()[:3] * (np.asarray(shape) - 1) / 2
    place = _checked(Grid(shape, affine, header), "none", "voxel size")
    assumed = Notice("W_NO_ORIENTATION", f"{text}: {by(shape)} voxels taken as RAS")
    return replace(place, notices=(assumed, *place.notices))


def _listed(values: np.ndarray) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
