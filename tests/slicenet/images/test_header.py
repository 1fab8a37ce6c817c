import time

import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.formats import Format
from slicenet.images.header import LARGEST_OFFSET, parse_nifti
from slicenet.images.image import read_image
from slicenet.images.options import ReadOptions
from tests.slicenet.images.bad_files import outcome, outcomes
from tests.slicenet.images.brains import AFFINE, SHAPE, brain, edited, packed, plain, put, with_dim
from tests.slicenet.images.memory import peak_memory


def parse(content: bytes):
    return parse_nifti(content[:1024], Format.NIFTI1, single=True, options=ReadOptions())


def refusal(content: bytes) -> str:
    with pytest.raises(VolumeError) as caught:
        parse(content)
    return caught.value.code


def test_a08_part_of_a_header_is_refused_with_both_sizes(tmp_path):
    assert outcomes(8, tmp_path) == ["E_HEADER"]
    with pytest.raises(VolumeError, match=r"has 100 bytes.* takes 348"):
        read_image(tmp_path / "a08-part-of-a-header.nii")


@pytest.mark.parametrize("kept", [4, 344, 347])
def test_a_header_of_either_version_is_needed_whole(tmp_path, kept):
    assert outcome(put(tmp_path, "short.nii", plain()[:kept])) == "E_HEADER"
    second = nib.Nifti2Image(brain(), AFFINE).to_bytes()
    assert outcome(put(tmp_path, "second.nii", second[: kept + 192])) == "E_HEADER"


def test_b22_a_huge_claim_is_refused_from_the_header_alone(tmp_path):
    assert outcomes(22, tmp_path) == ["E_TOO_LARGE"] * 2
    path = tmp_path / "b22-huge-packed.nii.gz"
    start = time.process_time()
    with pytest.raises(VolumeError, match="32767x32767x32767"):
        read_image(path)
    assert time.process_time() - start < 0.05
    assert peak_memory(lambda: outcome(path)) < 3 * 2**20


def test_b23_a_claim_beyond_all_integers_is_refused(tmp_path):
    assert outcomes(23, tmp_path) == ["E_TOO_LARGE"]


def test_b24_a_negative_size_is_refused(tmp_path):
    assert outcomes(24, tmp_path) == ["E_DIM"]


def test_b25_a_size_of_zero_is_refused(tmp_path):
    assert outcomes(25, tmp_path) == ["E_DIM"]


def test_b26_a_count_of_dimensions_that_cannot_be_is_refused(tmp_path):
    assert outcomes(26, tmp_path) == ["E_DIM"] * 3


def test_the_byte_order_does_not_hang_on_the_count_of_dimensions():
    with pytest.raises(VolumeError, match="claims 8 dimensions"):
        parse(with_dim(8, *SHAPE))


def test_b27_an_unknown_type_is_refused(tmp_path):
    assert outcomes(27, tmp_path) == ["E_DTYPE"]


def test_b28_colours_are_refused(tmp_path):
    assert outcomes(28, tmp_path) == ["E_DTYPE"]


def test_b29_complex_numbers_are_refused(tmp_path):
    assert outcomes(29, tmp_path) == ["E_DTYPE"]


@pytest.mark.parametrize("code", [0, 1, 255, 1536, 1792, 2048, 2304, -1])
def test_no_other_type_than_real_numbers_is_read(code):
    assert refusal(edited(datatype=code)) == "E_DTYPE"


def test_b30_the_type_rules_over_the_bits(tmp_path):
    assert outcomes(30, tmp_path) == ["W_BITPIX"]
    voxels = read_image(tmp_path / "b30-wrong-bits.nii.gz").voxels
    np.testing.assert_array_equal(voxels, brain())


def test_b31_a_slope_that_is_no_slope_is_taken_as_none(tmp_path):
    assert outcomes(31, tmp_path) == ["W_SLOPE"] * 3
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_image(path).voxels, brain())


def test_an_intercept_that_is_no_number_is_taken_as_zero():
    claim = parse(edited(scl_slope=2, scl_inter=np.nan)).claim
    assert (claim.slope, claim.intercept) == (2, 0)
    assert [notice.code for notice in claim.notices] == ["W_SLOPE"]


def test_b36_byte_order_changes_nothing(tmp_path):
    assert outcomes(36, tmp_path) == [""]
    image = read_image(tmp_path / "b36-big-endian.nii.gz")
    np.testing.assert_array_equal(image.voxels, brain())
    np.testing.assert_array_equal(image.grid.affine, AFFINE)
    assert image.grid.header.endianness == nib.volumeutils.native_code


def test_b37_voxels_that_begin_nowhere_are_refused(tmp_path):
    assert outcomes(37, tmp_path) == ["E_HEADER", "E_TRUNCATED", "E_HEADER", "W_OFFSET"]
    voxels = read_image(tmp_path / "b37-offset-zero.nii.gz").voxels
    np.testing.assert_array_equal(voxels, brain())


@pytest.mark.parametrize("offset", [1, 348, 352.5, LARGEST_OFFSET + 16, np.nan, np.inf, -np.inf])
def test_no_offset_inside_the_header_or_far_beyond_it_is_believed(offset):
    assert refusal(edited(vox_offset=offset)) == "E_HEADER"


def test_voxels_may_begin_later(tmp_path):
    content = edited(vox_offset=1008)
    path = put(tmp_path, "later.nii.gz", packed(content[:352] + bytes(656) + content[352:]))
    np.testing.assert_array_equal(read_image(path).voxels, brain())


def test_b38_a_wrong_mark_is_refused_and_a_wrong_size_is_a_warning(tmp_path):
    assert outcomes(38, tmp_path) == ["E_HEADER", "W_HEADER"]
    image = read_image(tmp_path / "b38-header-size-zero.nii.gz")
    np.testing.assert_array_equal(image.voxels, brain())


def test_an_analyze_file_is_named(tmp_path):
    with pytest.raises(VolumeError) as caught:
        parse(edited(magic=b""))
    assert "Analyze" in caught.value.hint


def test_a_nifti2_file_that_was_copied_as_text_is_refused(tmp_path):
    content = nib.Nifti2Image(brain(), AFFINE).to_bytes()
    damaged = edited(content, eol_check=[10, 26, 10, 0])
    assert outcome(put(tmp_path, "text.nii", damaged)) == "E_HEADER"
    unset = edited(content, eol_check=[0, 0, 0, 0])
    assert outcome(put(tmp_path, "unset.nii", unset)) == "W_HEADER"


def test_a_mark_for_pairs_in_a_single_file_is_a_warning(tmp_path):
    assert outcome(put(tmp_path, "mark.nii", edited(magic=b"ni1"))) == "W_HEADER"


def test_b41_texts_of_the_header_are_never_repeated(tmp_path):
    assert outcomes(41, tmp_path) == [""]
