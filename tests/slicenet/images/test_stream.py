import gzip
import hashlib

import pytest

from slicenet.errors import VolumeError
from slicenet.images.inflate import JUNK
from slicenet.images.stream import ByteStream, open_stream
from tests.slicenet.images.bad_files import outcomes
from tests.slicenet.images.brains import packed, put


def test_a01_an_empty_file_is_called_empty(tmp_path):
    assert outcomes(1, tmp_path) == ["E_EMPTY"]


def test_a02_an_empty_file_inside_gzip_is_called_empty(tmp_path):
    assert outcomes(2, tmp_path) == ["E_EMPTY"]


def test_looking_ahead_takes_nothing():
    stream = ByteStream([b"ab", b"cd", b"ef"])
    assert stream.peek(3) == b"abc"
    assert stream.position == 0
    target = bytearray(5)
    assert stream.take_into(memoryview(target)) == 5
    assert (bytes(target), stream.position) == (b"abcde", 5)


def test_taking_more_than_there_is_tells_how_much_there_was():
    stream = ByteStream([b"abc", b"d"])
    assert stream.peek(10) == b"abcd"
    assert stream.skip(1) == 1
    assert stream.take_into(memoryview(bytearray(10))) == 3
    assert stream.skip(10) == 0


def test_skipping_backwards_stays_where_it_is():
    stream = ByteStream([b"abc"])
    assert stream.skip(-2) == 0
    assert stream.peek(3) == b"abc"


def test_the_rest_is_counted_up_to_the_limit_only():
    assert ByteStream([bytes(JUNK)]).finish() == JUNK
    with pytest.raises(VolumeError) as caught:
        ByteStream([bytes(JUNK), b"x"]).finish()
    assert caught.value.code == "E_TOO_LARGE"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_stored_bytes_are_hashed_whole(tmp_path, pack):
    content = pack(bytes(range(256)) * 3000)
    path = put(tmp_path, "any", content)
    seen = hashlib.sha256()
    with open_stream(path, seen.update) as stream:
        assert stream.packed is (pack is gzip.compress)
        stream.skip(256 * 3000)
        assert stream.finish() == 0
    assert seen.hexdigest() == hashlib.sha256(content).hexdigest()


def test_junk_after_gzip_counts_as_what_follows(tmp_path):
    path = put(tmp_path, "any", packed(b"voxels and more") + b"junk")
    with open_stream(path, bytes) as stream:
        stream.skip(6)
        assert stream.finish() == len(" and more") + len("junk")


def test_damage_in_an_empty_gzip_is_not_taken_for_emptiness(tmp_path):
    path = put(tmp_path, "any.gz", packed(b"")[:-1])
    with pytest.raises(VolumeError, match="cut off"), open_stream(path, bytes):
        pass
