import gzip
import zlib

import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.inflate import JUNK, Inflated
from tests.slicenet.images.bad_files import outcomes


def pieces(content: bytes, size: int):
    return iter([content[start : start + size] for start in range(0, len(content), size)])


def unpacked(content: bytes, size: int = 1000) -> bytes:
    return b"".join(Inflated(pieces(content, size)))


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10**7])
def test_any_way_of_cutting_the_input_gives_what_gzip_gives(size):
    random = np.random.default_rng(0).integers(0, 8, 2000, np.uint8).tobytes()
    content = b"".join(gzip.compress(part) for part in (random, b"", bytes(3_000_000), b"end"))
    assert unpacked(content, size) == gzip.decompress(content)


def test_no_step_is_larger_than_a_mebibyte():
    steps = list(Inflated(iter([gzip.compress(bytes(10_000_000))])))
    assert sum(map(len, steps)) == 10_000_000
    assert max(map(len, steps)) <= 2**20


def test_a03_a_gzip_cut_in_half_is_truncated(tmp_path):
    assert outcomes(3, tmp_path) == ["E_TRUNCATED"]


def test_a04_a_missing_gzip_trailer_is_truncated(tmp_path):
    assert outcomes(4, tmp_path) == ["E_TRUNCATED"]


@pytest.mark.parametrize("missing", range(1, 9))
def test_every_byte_of_the_trailer_is_missed(missing):
    with pytest.raises(VolumeError, match="cut off") as caught:
        unpacked(gzip.compress(b"voxels")[:-missing])
    assert caught.value.code == "E_TRUNCATED"


def test_a05_a_wrong_checksum_is_found(tmp_path):
    assert outcomes(5, tmp_path) == ["E_CRC"]


@pytest.mark.parametrize("place", range(-8, 0))
def test_a_flipped_bit_anywhere_in_the_trailer_is_found(place):
    content = bytearray(gzip.compress(b"voxels"))
    content[place] ^= 4
    with pytest.raises(VolumeError) as caught:
        unpacked(bytes(content))
    assert caught.value.code == "E_CRC"
    assert isinstance(caught.value.__cause__, zlib.error)


def test_a06_a_flipped_bit_in_the_stream_is_found(tmp_path):
    assert outcomes(6, tmp_path) == ["E_CRC"]


def test_a14_gzip_members_one_after_another_are_one_file(tmp_path):
    assert outcomes(14, tmp_path) == [""]


def test_junk_after_the_last_member_is_counted():
    stream = Inflated(iter([gzip.compress(b"voxels") + b"xy", b"z"]))
    assert b"".join(stream) == b"voxels"
    assert stream.junk == 3


def test_much_junk_is_not_read_to_its_end():
    more = iter([gzip.compress(b"voxels")] + [bytes([1]) * 2**18] * 10)
    with pytest.raises(VolumeError) as caught:
        list(Inflated(more))
    assert caught.value.code == "E_TOO_LARGE"
    assert len(list(more)) == 10 - JUNK // 2**18 - 1
