import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from slicenet.errors import VolumeError
from slicenet.images import picture_file
from slicenet.images.picture_file import is_picture, read_picture
from tests.bounds import room

GREY = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def code(path):
    with pytest.raises(VolumeError) as raised:
        read_picture(path)
    assert str(path) in raised.value.message
    return raised.value.code


@pytest.mark.parametrize("ending", ["png", "tif", "tiff"])
def test_grey_values_are_those_of_the_file(tmp_path, ending):
    path = saved(tmp_path / f"one.{ending}", Image.fromarray(GREY))
    assert np.array_equal(read_picture(path), GREY)


def test_jpeg_is_nearly_the_same(tmp_path):
    smooth = (np.add.outer(np.arange(48), np.arange(64)) * 2).astype(np.uint8)
    path = saved(tmp_path / "one.JPG", Image.fromarray(smooth), quality=95)
    assert np.abs(read_picture(path) - smooth).max() < 4


@pytest.mark.parametrize("mode", ["RGB", "P", "LA", "RGBA"])
def test_colours_of_one_grey_are_that_grey(tmp_path, mode):
    path = saved(tmp_path / "one.png", Image.fromarray(GREY).convert(mode))
    assert np.abs(read_picture(path) - GREY).max() <= 1


def test_sixteen_bits_and_floats_keep_their_range(tmp_path):
    deep = (GREY.astype(np.uint16) * 200) + 7
    assert np.array_equal(read_picture(saved(tmp_path / "a.png", Image.fromarray(deep))), deep)
    real = GREY.astype(np.float32) * 1.5 - 80
    assert np.array_equal(read_picture(saved(tmp_path / "b.tif", Image.fromarray(real))), real)


def test_what_cannot_be_seen_is_background(tmp_path):
    values = np.full((48, 64, 4), 200, np.uint8)
    values[..., 3] = np.where(np.arange(64) < 32, 0, 255)
    found = read_picture(saved(tmp_path / "one.png", Image.fromarray(values)))
    assert (found[:, :32] == 0).all()
    assert (found[:, 32:] == 200).all()


def test_a_picture_that_lies_on_its_side_is_turned(tmp_path):
    tags = Image.Exif()
    tags[0x0112] = 6  # turn by 90 degrees
    path = saved(tmp_path / "one.png", Image.fromarray(GREY), exif=tags)
    assert np.array_equal(read_picture(path), np.rot90(GREY, -1))


def test_several_pages_are_no_picture(tmp_path):
    pages = [Image.fromarray(GREY), Image.fromarray(GREY)]
    path = saved(tmp_path / "two.tif", pages[0], save_all=True, append_images=pages[1:])
    assert code(path) == "E_FRAMES"


def test_values_that_are_not_finite_are_refused(tmp_path):
    real = GREY.astype(np.float32)
    real[3, 3] = np.nan
    assert code(saved(tmp_path / "one.tif", Image.fromarray(real))) == "E_NONFINITE"


def bomb(side):
    """A PNG of a few hundred bytes that claims side x side pixels."""

    def chunk(name, content):
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [5_001, 12_000, 100_000])
def test_bombs_are_refused_by_what_they_claim(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(bomb(side))
    assert code(tmp_path / "bomb.png") == "E_TOO_LARGE"


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_largest_picture_takes_half_a_gigabyte(tmp_path, mode):
    Image.new(mode, (5000, 5000)).save(tmp_path / "large.png")
    with room(2**29):
        assert read_picture(tmp_path / "large.png").shape == (5000, 5000)


def test_files_that_are_no_pictures_are_named(tmp_path, monkeypatch):
    for name, content in {"a.png": b"", "b.png": b"<html>", "c.jpg": b"\xff\xd8\xff\xe0"}.items():
        (tmp_path / name).write_bytes(content)
    assert [code(tmp_path / name) for name in ("a.png", "b.png", "c.jpg", "d.png")] == [
        "E_EMPTY", "E_PICTURE", "E_PICTURE", "E_NOT_FOUND"
    ]  # fmt: skip
    Image.fromarray(GREY).save(tmp_path / "e.gif")
    (tmp_path / "e.gif").rename(tmp_path / "e.png")
    assert code(tmp_path / "e.png") == "E_PICTURE"  # another format in the clothes of ours
    path = saved(tmp_path / "f.png", Image.fromarray(GREY))
    monkeypatch.setattr(picture_file, "HEAVIEST", 10)
    assert code(path) == "E_TOO_LARGE"


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_damage_anywhere_is_an_error_of_ours_or_another_picture(tmp_path, ending):
    whole = saved(tmp_path / f"whole.{ending}", Image.fromarray(GREY)).read_bytes()
    rolls, path, refused = random.Random(0), tmp_path / f"broken.{ending}", 0
    for turn in range(300):
        damaged = bytearray(whole)
        for _ in range(rolls.randint(1, 4)):
            damaged[rolls.randrange(len(damaged))] = rolls.randrange(256)
        if turn % 2:
            del damaged[rolls.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        try:
            assert np.isfinite(read_picture(path)).all()
        except VolumeError:
            refused += 1
    assert refused > 30


def test_names_claim_to_be_pictures_by_their_ending():
    assert all(map(is_picture, ("a.png", "B.JPG", "c.jpeg", "d.TIF", "e.tiff")))
    assert not any(map(is_picture, ("a.nii", "png", "a.png.gz", "a.gif")))
