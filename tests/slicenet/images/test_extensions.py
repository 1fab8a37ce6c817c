import struct

import nibabel as nib
import numpy as np
import pytest

from slicenet.errors import VolumeError
from slicenet.images.extensions import skip_extensions
from slicenet.images.image import read_image
from slicenet.images.stream import ByteStream
from tests.slicenet.images.bad_files import outcome, outcomes
from tests.slicenet.images.bad_headers import SECRET
from tests.slicenet.images.brains import brain, edited, image, packed, plain, put


def extension(size: int, code: int = 6, order: str = "<") -> bytes:
    return struct.pack(f"{order}ii", size, code).ljust(size, b"x")


def test_b39_an_extension_that_claims_too_much_is_refused(tmp_path):
    assert outcomes(39, tmp_path) == ["E_EXTENSION"] * 2


def test_b40_an_extension_does_not_come_along(tmp_path):
    assert outcomes(40, tmp_path) == [""]
    path = tmp_path / "b40-extension-with-name.nii.gz"
    assert nib.load(path).header.extensions[0].get_content().startswith(SECRET)
    read = read_image(path)
    np.testing.assert_array_equal(read.voxels, brain())
    assert list(read.grid.header.extensions) == []
    assert SECRET not in read.grid.header.binaryblock


@pytest.mark.parametrize("order", ["<", ">"])
def test_extensions_are_walked_one_by_one(order):
    stream = ByteStream([extension(32, order=order) + extension(48, order=order) + b"voxels"])
    assert skip_extensions(stream, 80, order) == ()
    assert stream.position == 80


@pytest.mark.parametrize("size", [-16, 4, 7, 112, 2**31 - 1])
def test_sizes_that_do_not_fit_are_refused(size):
    stream = ByteStream([extension(32), struct.pack("<ii", size, 4), bytes(200)])
    with pytest.raises(VolumeError, match=rf"claims {size} bytes, where 96 are left"):
        skip_extensions(stream, 128, "<")


def test_padding_after_extensions_is_allowed():
    stream = ByteStream([extension(32), bytes(32)])
    assert skip_extensions(stream, 64, "<") == ()
    assert stream.position == 32


def test_an_extension_that_is_cut_off_is_refused():
    stream = ByteStream([extension(32)[:20]])
    with pytest.raises(VolumeError, match="more than follow"):
        skip_extensions(stream, 64, "<")


def test_extensions_that_are_announced_and_missing_are_a_warning(tmp_path):
    content = plain()
    path = put(tmp_path, "none.nii.gz", packed(content[:348] + b"\1\0\0\0" + content[352:]))
    assert outcome(path) == "W_EXTENSION"
    np.testing.assert_array_equal(read_image(path).voxels, brain())


def test_what_nibabel_writes_is_read(tmp_path):
    made = image()
    for text in (b"one", b"two" * 50):
        made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", text))
    path = tmp_path / "extended.nii"
    nib.save(made, path)
    assert outcome(path) == ""
    np.testing.assert_array_equal(read_image(path).voxels, brain())


def test_an_offset_short_of_the_extensions_is_refused(tmp_path):
    made = image()
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 100))
    content = edited(made.to_bytes(), vox_offset=384)
    assert outcome(put(tmp_path, "short.nii", content)) == "E_EXTENSION"
