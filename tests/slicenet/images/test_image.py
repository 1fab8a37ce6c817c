import itertools
import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from slicenet.errors import VolumeError
from slicenet.images.grid import Grid
from slicenet.images.image import read_image, read_mask
from slicenet.images.options import ReadOptions
from tests.slicenet.images.bad_files import BAD_FILES, NOT_FOR_ROOT, outcome, outcomes
from tests.slicenet.images.bad_places import reordered
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

LIKE = Grid(SHAPE, AFFINE)
NUMBERS = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
HERE = Path(__file__).parents[3]


def same_as_nibabel(path: Path) -> None:
    expected, read = nib.load(path), read_image(path)
    values = np.asarray(expected.dataobj, np.float32)
    np.testing.assert_array_equal(read.voxels, values.reshape(read.voxels.shape))
    np.testing.assert_array_equal(read.grid.affine, expected.affine)
    assert read.voxels.dtype == np.float32
    assert read.voxels.shape == read.grid.shape
    assert read.notices == ()


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", [nib.Nifti1Image, nib.Nifti2Image])
def test_every_type_in_both_orders_reads_as_nibabel_reads_it(tmp_path, dtype, order, form):
    header = form.header_class(endianness=order)
    header.set_data_dtype(np.dtype(order + dtype))
    made = form((brain() // 8).astype(dtype), AFFINE, header)
    same_as_nibabel(save(tmp_path, "image.nii", made))
    same_as_nibabel(put(tmp_path, "image.nii.gz", packed(made.to_bytes())))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
@pytest.mark.parametrize(("slope", "intercept"), [(0.25, 0), (2.5, -100), (-1, 1000)])
def test_slope_and_intercept_read_as_nibabel_reads_them(tmp_path, dtype, slope, intercept):
    stored = plain((brain() // 8).astype(dtype))
    scaled = edited(stored, scl_slope=slope, scl_inter=intercept)
    path = put(tmp_path, "image.nii.gz", packed(scaled))
    expected = np.asarray(nib.load(path).dataobj, np.float32)
    np.testing.assert_array_equal(read_image(path).voxels, expected)


def test_a19_odd_names_read_and_stay_printable(tmp_path):
    assert outcomes(19, tmp_path) == [""] * 5
    for path in tmp_path.iterdir():
        path.write_bytes(packed(plain())[:-8])
        with pytest.raises(VolumeError) as caught:
            read_image(path)
        assert str(caught.value).isprintable()
        json.dumps(str(caught.value)).encode()
        path.write_bytes(packed(plain()) + b"junk")
        (notice,) = read_image(path).notices
        assert notice.message.isprintable()
        notice.message.encode()


def test_a19_a_name_with_a_leading_dash_reads_from_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("-image.nii.gz").write_bytes(packed(plain()))
    assert outcome(Path("-image.nii.gz")) == ""


AXES = [
    "".join(ends)
    for order in itertools.permutations(["RL", "AP", "SI"])
    for ends in itertools.product(*order)
]


def test_c49_all_48_axis_orders_come_to_the_same_brain(tmp_path):
    assert outcomes(49, tmp_path) == [""] * 3
    assert len(set(AXES)) == 48
    for codes in AXES:
        read = read_image(put(tmp_path, "image.nii", reordered(codes).to_bytes()))
        assert "".join(nib.aff2axcodes(read.grid.affine)) == codes
        np.testing.assert_array_equal(read.grid.to_ras(read.voxels), brain())
        np.testing.assert_allclose(read.grid.ras_affine, AFFINE, atol=1e-9)


def test_c52_one_slice_and_two_slices_are_volumes(tmp_path):
    assert outcomes(52, tmp_path) == [""] * 3
    flat = read_image(tmp_path / "c52-two-dimensional.nii.gz")
    np.testing.assert_array_equal(flat.voxels, brain()[:, :, 20:21])


@pytest.mark.parametrize(("code", "space"), [(1, "scanner"), (2, "aligned"), (4, "mni")])
def test_the_space_is_that_of_the_form_in_use(tmp_path, code, space):
    made = image()
    made.set_sform(AFFINE, code)
    assert read_image(save(tmp_path, "image.nii", made)).space == space


def test_notices_name_their_file(tmp_path):
    (notice,) = read_image(put(tmp_path, "a.nii", plain() + b"x")).notices
    assert notice.message.startswith("a.nii: ")


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([0, 1], np.uint8, [False, True]),
        ([0, 255], np.uint8, [False, True]),
        ([0, 1, 2, 3], np.int16, [False, True, True, True]),
        ([0, 0.3, 0.5, 0.7, 1], np.float32, [False, False, False, True, True]),
        ([-1, 0, 0.3, 2], np.float32, [False, False, True, True]),
        ([np.nan, 0, 1], np.float32, [False, False, True]),
        ([0, 0], np.uint8, [False, False]),
        ([1, 1], np.uint8, [True, True]),
    ],
)
def test_masks_are_what_lies_above_zero_or_one_half(tmp_path, values, dtype, expected):
    rows = np.array(values, dtype)[:, None, None] * np.ones((1, 3, 2), dtype)
    path = put(tmp_path, "mask.nii.gz", packed(plain(rows)))
    found, notices = read_mask(path, Grid(rows.shape, AFFINE))
    assert found.dtype == bool
    np.testing.assert_array_equal(found[:, 0, 0], expected)
    assert [notice.code for notice in notices] == ["W_NONFINITE"] * bool(np.isnan(rows).any())


def test_of_several_labels_only_those_count_that_are_named(tmp_path):
    labels = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((1, 3, 2), np.uint8)
    path = put(tmp_path, "mask.nii.gz", packed(plain(labels)))
    for named, expected in (((1,), [0, 1, 0, 0]), ((1, 3), [0, 1, 0, 1]), ((), [0, 1, 1, 1])):
        found, _ = read_mask(path, Grid(labels.shape, AFFINE), labels=named)
        np.testing.assert_array_equal(found[:, 0, 0], np.array(expected, bool))


def test_a_mask_passes_the_same_guards_as_an_image(tmp_path):
    path = put(tmp_path, "mask.nii.gz", packed(plain((brain() > 0).astype(np.uint8)))[:-8])
    with pytest.raises(VolumeError, match=r"mask\.nii\.gz: ") as caught:
        read_mask(path, LIKE)
    assert caught.value.code == "E_TRUNCATED"


def test_a_4d_mask_follows_the_choice_of_a_volume(tmp_path):
    masks = np.stack([brain() > 0, brain() > 500], -1).astype(np.uint8)
    path = put(tmp_path, "masks.nii.gz", packed(plain(masks)))
    found, _ = read_mask(path, LIKE, ReadOptions(volume=1))
    np.testing.assert_array_equal(found, masks[..., 1] > 0)


def spoiled(seed: int) -> bytes:
    """A small file of any format whose header holds a few numbers that nobody would write."""
    random = np.random.default_rng(seed)
    small, affine = brain()[::4, ::4, ::4], AFFINE @ np.diag([4, 4, 4, 1])
    forms = (nib.Nifti1Image, nib.Nifti2Image, nib.MGHImage)
    content = bytearray(forms[seed % 3](small.astype(np.float32), affine).to_bytes())
    numbers = np.array([0, 1, -1, np.nan, np.inf, 1e38, 1e-45, 2**20], "<f4").tobytes()
    for _ in range(random.integers(1, 5)):
        place, kind = random.integers(0, 536), random.integers(0, 8)
        if random.random() < 0.5:
            content[place] = random.integers(0, 256)
        else:
            content[place : place + 4] = numbers[4 * kind : 4 * kind + 4]
    return bytes(content[: random.integers(1, 2 * len(content))])


def test_no_header_comes_to_anything_but_an_image_or_a_typed_error(tmp_path):
    found = set()
    for seed in range(300):
        path = put(tmp_path, "any.nii", spoiled(seed))
        found.add(outcome(path, ReadOptions(assume_ras=True, max_voxels=10**6))[:2])
    assert found == {"", "E_", "W_"}


def test_a_folder_can_hold_every_bad_file_at_once(tmp_path):
    built = [case.build(tmp_path) for cases in BAD_FILES.values() for case in cases]
    assert len(set(built)) == len(built)
    assert set(BAD_FILES) > NOT_FOR_ROOT
    assert all(os.path.lexists(path) for path in built)


def test_real_scans_read_as_nibabel_reads_them():
    shared = Path(os.environ.get("SLICENET_SHARED", HERE.parent / "shared"))
    scans = sorted((shared / "data").glob("ixi-*/sub-*/**/*_T[12]w.nii.gz"))[:3]
    if not scans:
        pytest.skip("needs the scans that are shared beside the repository")
    for scan in scans:
        same_as_nibabel(scan)


def test_a_mask_that_is_a_picture_lies_on_any_grid_of_its_shape(tmp_path):
    rows = np.zeros((4, 3), np.uint8)
    rows[1, 2] = 255
    Image.fromarray(rows).save(tmp_path / "mask.png")
    found, notices = read_mask(tmp_path / "mask.png", Grid((3, 4, 1), np.diag([9, 9, 9, 1.0])))
    assert np.argwhere(found).tolist() == [[2, 1, 0]]
    assert notices == ()
    with pytest.raises(VolumeError, match="lies on another grid"):
        read_mask(tmp_path / "mask.png", Grid((4, 3, 1), np.eye(4)))


def test_black_that_jpeg_has_stained_is_no_mask(tmp_path):
    rows = np.zeros((40, 40), np.uint8)
    rows[11:29, 13:27] = 255
    Image.fromarray(rows).save(tmp_path / "mask.jpg", quality=60)
    found, _ = read_mask(tmp_path / "mask.jpg", Grid((40, 40, 1), np.eye(4)))
    np.testing.assert_array_equal(found[..., 0].T, rows > 0)
