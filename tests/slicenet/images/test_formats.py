import pytest

from slicenet.errors import VolumeError
from slicenet.images.formats import FOREIGN, HEAD, Format, recognise
from slicenet.images.image import read_image
from tests.slicenet.images import bad_bytes
from tests.slicenet.images.bad_files import outcomes
from tests.slicenet.images.brains import packed, plain, put


def refusal(path) -> VolumeError:
    with pytest.raises(VolumeError) as caught:
        read_image(path)
    return caught.value


def test_a11_a_web_page_is_told_from_an_image(tmp_path):
    assert outcomes(11, tmp_path) == ["E_NOT_NIFTI"]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf<html>", b"\n\n<!DocType HTML>", b"<?xml?>"])
def test_web_pages_are_known_in_all_their_guises(tmp_path, start):
    error = refusal(put(tmp_path, "page.nii", start + b" " * 500))
    assert "looks like HTML" in error.message
    assert "download" in error.hint


def test_a12_pointers_are_refused_with_the_command_that_fetches(tmp_path):
    assert outcomes(12, tmp_path) == ["E_POINTER"] * 3
    assert "git lfs pull" in refusal(tmp_path / "a12-lfs-pointer.nii.gz").hint
    for name in ("a12-annex-pointer.nii.gz", "a12-annex-link.nii.gz"):
        assert f"git annex get -- {tmp_path / name}" in refusal(tmp_path / name).hint


def test_a21_other_formats_are_refused_with_their_converter(tmp_path):
    assert outcomes(21, tmp_path)[2:] == ["E_NOT_NIFTI", "E_NOT_NIFTI", "E_NOT_FILE"]
    assert "c3d" in refusal(tmp_path / "a21-image.nrrd").hint
    assert "dcm2niix" in refusal(tmp_path / "a21-slice.dcm").hint
    assert "dcm2niix" in refusal(tmp_path / "a21-series").hint


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.name)
def test_every_foreign_format_is_named(tmp_path, kind):
    content = bytes([1]) * kind.offset + kind.magic + bytes(HEAD)
    with pytest.raises(VolumeError, match=f"is {kind.name}") as caught:
        recognise(content, tmp_path / "any.nii")
    assert caught.value.code == "E_NOT_NIFTI"


def test_a_dicom_file_is_known_whatever_stands_before_its_mark(tmp_path):
    content = plain()[:128] + b"DICM" + bytes(HEAD)
    assert "DICOM" in refusal(put(tmp_path, "odd.dcm", content)).message


def test_a_surface_is_not_taken_for_a_web_page(tmp_path):
    content = b'<?xml version="1.0"?><!DOCTYPE GIFTI SYSTEM "gifti.dtd"><GIFTI>' + bytes(HEAD)
    assert "GIFTI" in refusal(put(tmp_path, "lh.surf.gii", content)).message


@pytest.mark.parametrize(("name", "tool"), [("a.PAR", "dcm2niix"), ("a.BRIK", "3dAFNItoNIFTI")])
def test_where_the_bytes_say_nothing_the_name_tells_the_converter(tmp_path, name, tool):
    assert tool in refusal(put(tmp_path, name, bytes([7]) * 500)).hint


def test_a_file_packed_twice_is_told_so(tmp_path):
    path = put(tmp_path, "twice.nii.gz", packed(packed(plain())))
    assert "packed with gzip twice" in refusal(path).message


def test_unknown_bytes_are_shown_printably(tmp_path):
    error = refusal(put(tmp_path, "any.nii", b"\x1b[31m\xff\nsomething else"))
    assert error.code == "E_NOT_NIFTI"
    assert str(error).isprintable()
    assert "\\x1b[31m" in error.message


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x5c\x01\0\0", Format.NIFTI1),
        (b"\0\0\x01\x5c", Format.NIFTI1),
        (b"\x1c\x02\0\0", Format.NIFTI2),
        (b"\0\0\x02\x1c", Format.NIFTI2),
        (b"\0\0\0\x01", Format.MGH),
    ],
)
def test_the_first_four_bytes_tell_the_readable_formats(tmp_path, start, kind):
    assert recognise(start + bytes(HEAD), tmp_path) is kind


def test_pages_and_pointers_inside_gzip_are_known_too(tmp_path):
    assert refusal(put(tmp_path, "page.nii.gz", packed(bad_bytes.HTML))).code == "E_NOT_NIFTI"
    assert refusal(put(tmp_path, "note.nii.gz", packed(bad_bytes.LFS))).code == "E_POINTER"
