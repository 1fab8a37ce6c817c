import hashlib

import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.options import ReadOptions
from slicenet.images.stored import read_stored
from tests.slicenet.images.bad_bytes import bomb
from tests.slicenet.images.bad_files import outcome, outcomes
from tests.slicenet.images.brains import brain, packed, plain, put
from tests.slicenet.images.memory import peak_memory


def test_a09_a_plain_file_named_gz_is_read_with_a_warning(tmp_path):
    assert outcomes(9, tmp_path) == ["W_NAME"]


def test_a10_a_gzip_file_named_plain_is_read_with_a_warning(tmp_path):
    assert outcomes(10, tmp_path) == ["W_NAME"]


@pytest.mark.parametrize("name", ["A.NII.GZ", "a.b.nii.gz", "a.gz", "a.mgz"])
def test_names_of_packed_files_are_known_in_either_case(tmp_path, name):
    assert outcome(put(tmp_path, name, packed(plain()))) == ""


def test_a13_a_little_junk_after_the_voxels_is_a_warning(tmp_path):
    assert outcomes(13, tmp_path) == ["W_JUNK"] * 3
    (notice,) = read_stored(tmp_path / "a13-junk.nii", ReadOptions()).notices
    assert notice.message.startswith("80 bytes")


@pytest.mark.parametrize("extra", [(2**20, 0), (0, 2**20)])
def test_a13_up_to_a_mebibyte_is_junk_wherever_it_lies(tmp_path, extra):
    inside, after = (b"\1" * count for count in extra)
    assert outcome(put(tmp_path, "a.nii.gz", packed(plain() + inside) + after)) == "W_JUNK"
    more = put(tmp_path, "b.nii.gz", packed(plain() + inside + b"\1") + after + b"\1")
    assert outcome(more) == ("E_TOO_LARGE" if max(extra) == 2**20 else "W_JUNK")


def test_a15_a_gzip_bomb_is_stopped_a_mebibyte_past_its_claim(tmp_path):
    assert outcomes(15, tmp_path) == ["E_TOO_LARGE"]


def test_a15_a_gzip_bomb_costs_little_memory(tmp_path):
    path = bomb(tmp_path)
    assert peak_memory(lambda: outcome(path)) < 6 * 2**20


def test_a_large_image_costs_one_copy_in_single_precision(tmp_path):
    voxels = np.tile(brain(), (3, 3, 3)).astype(np.float64)
    path = put(tmp_path, "large.nii.gz", packed(plain(voxels)))
    peak = peak_memory(lambda: outcome(path))
    assert voxels.nbytes // 2 < peak < voxels.nbytes // 2 + 8 * 2**20


@pytest.mark.parametrize("name", ["any.nii", "any.nii.gz"])
def test_the_digest_is_that_of_the_file(tmp_path, name):
    content = packed(plain()) if name.endswith("gz") else plain()
    path = put(tmp_path, name, content)
    assert read_stored(path, ReadOptions()).digest == hashlib.sha256(content).hexdigest()


def test_of_a_4d_file_one_volume_is_read_and_all_are_checked(tmp_path):
    voxels = np.stack([brain(), 2 * brain(), 3 * brain()], -1)
    path = put(tmp_path, "series.nii.gz", packed(plain(voxels)))
    for volume in range(3):
        stored = read_stored(path, ReadOptions(volume=volume))
        np.testing.assert_array_equal(stored.voxels, voxels[..., volume])
    put(tmp_path, "series.nii.gz", packed(plain(voxels)[:-1]))
    with pytest.raises(VolumeError) as caught:
        read_stored(path, ReadOptions(volume=0))
    assert caught.value.code == "E_TRUNCATED"


def test_a_4d_file_is_streamed_in_constant_memory(tmp_path):
    voxels = np.broadcast_to(brain(np.float32)[..., None], (*brain().shape, 60))
    path = put(tmp_path, "series.nii", plain(voxels))
    assert path.stat().st_size > 17 * 2**20
    assert peak_memory(lambda: read_stored(path, ReadOptions(volume=59))) < 5 * 2**20
