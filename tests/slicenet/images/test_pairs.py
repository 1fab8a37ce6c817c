import gzip
import hashlib

import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.image import read_image
from slicenet.images.pairs import Pair, find_pair, parts_of
from tests.slicenet.images.bad_bytes import LFS, pair
from tests.slicenet.images.bad_files import outcome, outcomes
from tests.slicenet.images.brains import AFFINE, brain, image, plain, put


def test_a21_a_pair_reads_from_either_half(tmp_path):
    assert outcomes(21, tmp_path)[0] == ""
    expected = nib.load(tmp_path / "a21-pair.hdr")
    for name in ("a21-pair.hdr", "a21-pair.img"):
        read = read_image(tmp_path / name)
        np.testing.assert_array_equal(read.voxels, expected.get_fdata(dtype=np.float32))
        np.testing.assert_array_equal(read.grid.affine, expected.affine)


def test_the_digest_covers_both_halves(tmp_path):
    header = pair(tmp_path)
    voxels = header.with_suffix(".img")
    both = hashlib.sha256(header.read_bytes() + voxels.read_bytes()).hexdigest()
    assert read_image(header).digest == read_image(voxels).digest == both


@pytest.mark.parametrize("missing", [".hdr", ".img"])
def test_half_a_pair_is_refused_by_the_name_of_the_other(tmp_path, missing):
    header = pair(tmp_path)
    header.with_suffix(missing).unlink()
    rest = header.with_suffix({".hdr": ".img", ".img": ".hdr"}[missing])
    with pytest.raises(VolumeError, match=f"has no a21-pair{missing} beside it") as caught:
        read_image(rest)
    assert caught.value.code == "E_NOT_FOUND"


def test_a_pair_may_be_packed_in_part(tmp_path):
    voxels = pair(tmp_path).with_suffix(".img")
    packed = put(tmp_path, "a21-pair.img.gz", gzip.compress(voxels.read_bytes()))
    voxels.unlink()
    for path in (tmp_path / "a21-pair.hdr", packed):
        assert outcome(path) == ""
        np.testing.assert_array_equal(read_image(path).voxels, brain())


def test_nifti2_and_capital_pairs_are_read(tmp_path):
    nib.save(nib.Nifti2Pair(brain(), AFFINE), tmp_path / "two.img")
    assert outcome(tmp_path / "two.hdr") == ""
    (tmp_path / "two.hdr").rename(tmp_path / "TWO.HDR")
    (tmp_path / "two.img").rename(tmp_path / "TWO.IMG")
    np.testing.assert_array_equal(read_image(tmp_path / "TWO.IMG").voxels, brain())


def test_extensions_in_a_header_file_are_walked(tmp_path):
    made = nib.Nifti1Pair(brain(), AFFINE, image().header)
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 100))
    nib.save(made, tmp_path / "extended.img")
    header = tmp_path / "extended.hdr"
    assert outcome(header) == ""
    header.write_bytes(header.read_bytes()[:-8])
    assert outcome(header) == "E_EXTENSION"


def test_voxels_that_were_not_fetched_or_are_cut_off_are_found(tmp_path):
    header = pair(tmp_path)
    voxels = header.with_suffix(".img")
    content = voxels.read_bytes()
    voxels.write_bytes(content[:-1])
    assert outcome(header) == "E_TRUNCATED"
    voxels.write_bytes(LFS)
    assert outcome(header) == "E_POINTER"
    voxels.write_bytes(b"")
    assert outcome(header) == "E_EMPTY"


def test_a_single_file_named_as_half_of_a_pair_is_a_warning(tmp_path):
    put(tmp_path, "odd.hdr", plain()[:348].replace(b"n+1\0", b"n+1\0"))
    put(tmp_path, "odd.img", bytes(352) + brain().tobytes(order="F"))
    assert outcome(tmp_path / "odd.hdr") == "W_HEADER"


def test_an_mgh_header_has_no_pair(tmp_path):
    put(tmp_path, "odd.img", b"voxels")
    header = put(tmp_path, "odd.hdr", nib.MGHImage(brain(np.float32), AFFINE).to_bytes())
    assert outcome(header) == "E_HEADER"


def test_other_names_and_missing_files_have_no_pair(tmp_path):
    assert find_pair(put(tmp_path, "image.nii", b"x")) is None
    assert find_pair(tmp_path / "missing.hdr") is None
    both = Pair(put(tmp_path, "a.hdr.gz", b"x"), put(tmp_path, "a.img.gz", b"x"))
    assert find_pair(both.header) == find_pair(both.voxels) == both
    assert parts_of(both.voxels) == both
    assert parts_of(tmp_path / "image.nii") == (tmp_path / "image.nii",)
