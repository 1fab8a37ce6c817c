import struct

import nibabel as nib
import numpy as np
import pytest

from slicenet.images.image import read_image
from slicenet.images.options import ReadOptions
from tests.slicenet.images.bad_files import outcome, outcomes
from tests.slicenet.images.brains import AFFINE, brain, packed, put

TURNED = AFFINE @ np.array([[-1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def mgh(voxels: np.ndarray | None = None, **places: tuple[int, str, float]) -> bytes:
    """The bytes of an .mgh file with numbers written over them: offset, format, value."""
    voxels = brain(np.float32) if voxels is None else voxels
    content = bytearray(nib.MGHImage(voxels, TURNED).to_bytes())
    for offset, form, value in places.values():
        struct.pack_into(form, content, offset, value)
    return bytes(content)


def test_a21_mgz_is_read(tmp_path):
    assert outcomes(21, tmp_path)[1] == ""


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("name", ["image.mgz", "image.mgh"])
def test_every_type_reads_as_nibabel_reads_it(tmp_path, dtype, name):
    voxels = brain(dtype) if dtype != np.uint8 else (brain() // 4).astype(dtype)
    nib.save(nib.MGHImage(voxels, TURNED), tmp_path / name)
    expected = nib.MGHImage.from_bytes(nib.MGHImage(voxels, TURNED).to_bytes())
    read = read_image(tmp_path / name)
    np.testing.assert_array_equal(read.voxels, np.asarray(expected.dataobj, np.float32))
    np.testing.assert_array_equal(read.grid.affine, expected.affine)
    assert (read.notices, read.space) == ((), "scanner")


def test_its_header_carries_the_place_and_units_on(tmp_path):
    read = read_image(put(tmp_path, "image.mgz", packed(mgh())))
    header = read.grid.header
    np.testing.assert_allclose(header.get_sform(), read.grid.affine, atol=1e-4)
    assert (int(header["sform_code"]), header.get_xyzt_units()[0]) == (1, "mm")


def test_the_guards_of_nifti_hold_for_mgz_too(tmp_path):
    cut = put(tmp_path, "cut.mgz", packed(mgh())[:-4])
    assert outcome(cut) == "E_TRUNCATED"
    damaged = bytearray(packed(mgh()))
    damaged[-8] ^= 1
    assert outcome(put(tmp_path, "damaged.mgz", bytes(damaged))) == "E_CRC"
    assert outcome(put(tmp_path, "short.mgh", mgh()[:10_000])) == "E_TRUNCATED"
    assert outcome(put(tmp_path, "header.mgh", mgh()[:200])) == "E_HEADER"


def test_claims_of_its_header_are_checked(tmp_path):
    huge = mgh(width=(4, ">i", 2**31 - 1))
    assert outcome(put(tmp_path, "huge.mgh", huge)) == "E_TOO_LARGE"
    assert outcome(put(tmp_path, "zero.mgh", mgh(width=(4, ">i", 0)))) == "E_DIM"
    assert outcome(put(tmp_path, "type.mgh", mgh(type=(20, ">i", 77)))) == "E_DTYPE"
    assert outcome(put(tmp_path, "nan.mgh", mgh(delta=(30, ">f", float("nan"))))) == "E_AFFINE"


def test_tags_after_the_voxels_are_no_junk(tmp_path):
    assert outcome(put(tmp_path, "tags.mgz", packed(mgh() + b"tag" * 1000))) == ""
    bomb = packed(mgh() + bytes(2**21))
    assert outcome(put(tmp_path, "bomb.mgz", bomb)) == "E_TOO_LARGE"


def test_a_file_of_several_frames_needs_a_choice(tmp_path):
    frames = np.stack([brain(np.float32), 2 * brain(np.float32)], -1)
    path = put(tmp_path, "frames.mgz", packed(mgh(frames)))
    assert outcome(path) == "E_4D"
    np.testing.assert_array_equal(read_image(path, ReadOptions(volume=1)).voxels, frames[..., 1])


def test_without_a_good_orientation_it_is_refused_or_assumed(tmp_path):
    path = put(tmp_path, "lost.mgz", packed(mgh(good=(28, ">h", 0))))
    assert outcome(path) == "E_NO_ORIENTATION"
    read = read_image(path, ReadOptions(assume_ras=True))
    assert [notice.code for notice in read.notices] == ["W_NO_ORIENTATION"]
    assert nib.aff2axcodes(read.grid.affine) == ("R", "A", "S")


def test_axes_too_long_for_nifti1_get_a_nifti2_header(tmp_path):
    voxels = np.random.default_rng(0).random((40_000, 3, 2)).astype(np.float32)
    read = read_image(put(tmp_path, "long.mgh", nib.MGHImage(voxels, np.eye(4)).to_bytes()))
    assert isinstance(read.grid.header, nib.Nifti2Header)
