"""One grey picture from a file that somebody else wrote; whatever is wrong with it has a name."""

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from slicenet.errors import VolumeError
from slicenet.files import Raw
from slicenet.images.printable import naming
from slicenet.images.regular import open_regular, refusal

FORMATS = ("PNG", "JPEG", "TIFF")
ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
LARGEST = 25_000_000  # pixels, checked before any is unpacked: half a GB while they are read
HEAVIEST = 512_000_000  # bytes of a file
# What a cut or foreign file makes of Pillow's readers.
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    AttributeError,
    RuntimeError,  # variants of a format that Pillow does not know
    struct.error,
    zlib.error,
)


def is_picture(name: str) -> bool:
    """Whether a name claims to be that of a picture."""
    return name.lower().endswith(ENDINGS)


def read_picture(path: Path) -> np.ndarray:
    """The only picture in a PNG, JPEG or TIFF file as grey values, [H, W] float32."""
    with naming(path):
        return read_grey(path)


def read_grey(path: Path) -> np.ndarray:
    """What `read_picture` gives; whatever is wrong does not name the file."""
    with open_regular(path) as file, warnings.catch_warnings():
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise VolumeError("the file is empty", "E_EMPTY")
        if size > HEAVIEST:
            raise VolumeError(f"{size} bytes, more than any picture of ours", "E_TOO_LARGE")
        warnings.simplefilter("ignore")  # oddities of tags; a bomb is refused by its size
        try:
            grey = _open(file)
        except Image.DecompressionBombError as error:
            raise _too_large() from error
        except BROKEN as error:
            if isinstance(error, OSError) and error.errno:  # of the disk, not of the picture
                raise refusal(error) from error
            reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
            message = f"not a whole PNG, JPEG or TIFF picture ({reason})"
            raise VolumeError(message, "E_PICTURE", "bring the file again") from error
    if not np.isfinite(grey).all():
        raise VolumeError("has values that are not finite", "E_NONFINITE")
    return grey


def _open(file: Raw) -> np.ndarray:
    with Image.open(file, formats=FORMATS) as image:  # type: ignore[arg-type]
        if image.width * image.height > LARGEST:
            raise _too_large()
        frames = getattr(image, "n_frames", 1)
        if frames != 1:
            message = f"{frames} pictures in one file"
            raise VolumeError(message, "E_FRAMES", "a file for each")
        ImageOps.exif_transpose(image, in_place=True)
        return _grey(image)


def _grey(image: Image.Image) -> np.ndarray:
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits, of one channel
        return np.asarray(image, dtype=np.float32)
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"), dtype=np.float32)
    grey, alpha = image.convert("LA").split()
    # What cannot be seen is background, whatever was painted below.
    return np.asarray(grey, dtype=np.float32) * (np.asarray(alpha) / np.float32(255))


def _too_large() -> VolumeError:
    message = f"claims more than {LARGEST} pixels"
    return VolumeError(message, "E_TOO_LARGE", "shrink the picture")
