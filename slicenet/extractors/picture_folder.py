"""A folder of 2D pictures of healthy heads, as a pool of slices."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError, NoInputError, Notice, SlicenetError, VolumeError
from slicenet.extractors.pictures import PictureSettings, stretched
from slicenet.extractors.slice_pool import LARGEST, SlicePool
from slicenet.files import digest
from slicenet.images.picture_file import ENDINGS, read_picture
from slicenet.images.picture_head import find_head
from slicenet.volume import Volume
from slicenet.watch import Watch, silent

UNIT = 32  # pixels that the side of a picture is a multiple of, the stride of any backbone
BEYOND = 20.0  # quartile ranges from the median at which values end: a caption in white, say


@dataclass(frozen=True)
class PictureFolderSettings:
    """How a folder of pictures is read."""

    size: int = 256  # pixels a side; smaller and larger pictures are scaled, others filled up
    width: float = 230.0  # mm from side to side, which the files do not tell
    count: int = 0  # pictures that are taken at most, the first by name; 0 takes all

    def __post_init__(self) -> None:
        if self.size < UNIT or self.size % UNIT:
            raise ConfigError(f"folder.size: expected a multiple of {UNIT}", "E_SETTING")
        if self.width <= 0 or self.count < 0:
            raise ConfigError("folder: width must be positive, count not negative", "E_SETTING")


@final
@dataclass(frozen=True, eq=False)
class PictureFolder:
    """What of a folder can be used, and why the rest cannot."""

    pool: SlicePool
    files: tuple[str, ...]  # SHA-256 of every picture in the pool
    failures: tuple[tuple[str, SlicenetError], ...] = ()
    notices: tuple[Notice, ...] = ()


def find_pictures(places: Sequence[Path]) -> tuple[Path, ...]:
    """Pictures among the files, and directly in the folders, `places`; 2 comes before 10."""
    found: list[Path] = []
    for place in places:
        inside = sorted(place.iterdir(), key=_natural) if place.is_dir() else [place]
        found += [path for path in inside if _is_picture(path)]
    return tuple({os.path.abspath(path): path for path in found}.values())


def read_pictures(
    paths: Sequence[Path],
    settings: PictureFolderSettings,
    picture: PictureSettings = PictureSettings(),
    watch: Watch = silent,
) -> PictureFolder:
    """Each picture on the scale of framed volumes; broken ones and twins are left out."""
    _check_count(paths, settings)
    kept: dict[str, Path] = {}
    slices: list[tuple[Tensor, Tensor]] = []
    failures: list[tuple[str, SlicenetError]] = []
    notices: list[Notice] = []
    wanted = paths[: settings.count or None]
    for index, path in enumerate(wanted):
        try:
            one, sha256 = read_slice(path, settings.size, picture), digest(path)
        except VolumeError as error:
            failures.append((path.name, error.alone()))
        else:
            if sha256 in kept:
                message = f"{path.name}: the same file as {kept[sha256].name}, left out"
                notices.append(Notice("W_DUPLICATE", message))
            else:
                kept[sha256] = path
                slices.append(one)
        watch("read", index + 1, len(wanted))
    if not slices:
        raise NoInputError("no picture could be read", "E_NO_INPUT")
    return PictureFolder(_pool(slices, settings), tuple(kept), tuple(failures), tuple(notices))


def read_slice(path: Path, size: int, picture: PictureSettings) -> tuple[Tensor, Tensor]:
    """A picture's voxels [1, size, size], median 0 and quartile range 1; its head [size, size]."""
    grey = read_picture(path)
    try:
        head = find_head(grey)
    except VolumeError as error:
        raise VolumeError(f"{path}: {error.message}", error.code, error.hint) from error
    low, middle, high = np.quantile(grey[head], (0.25, 0.5, 0.75))
    if not high > low:
        raise VolumeError(f"{path}: the quartiles of its head are one number", "E_CONSTANT")
    values = ((grey - middle) / (high - low)).clip(-BEYOND, BEYOND) * head
    both = torch.from_numpy(np.stack((values, head)).astype(np.float32))
    fitted = _letterboxed(both[None], size)[0]
    brain = fitted[1] >= 0.5
    # Pixels at the rim are partly head: dividing by that part keeps them from going grey.
    voxels = fitted[:1] / fitted[1:].clamp(min=0.5) * brain
    whole = Volume(voxels[..., None], brain[..., None], np.eye(4), path.name)
    return stretched(whole, picture).voxels[..., 0], brain


def _letterboxed(pictures: Tensor, size: int) -> Tensor:
    """[B, C, H, W] scaled to fit into [B, C, size, size], with 0 on either side."""
    h, w = pictures.shape[2:]
    longest = max(h, w)
    shape = (max(1, round(h * size / longest)), max(1, round(w * size / longest)))
    scaled = F.interpolate(pictures, shape, mode="bilinear", antialias=True)
    below, right = size - shape[0], size - shape[1]
    return F.pad(scaled, (right // 2, right - right // 2, below // 2, below - below // 2))


def _pool(slices: Sequence[tuple[Tensor, Tensor]], settings: PictureFolderSettings) -> SlicePool:
    pixel = settings.width / settings.size
    return SlicePool(
        torch.stack([voxels for voxels, _ in slices]).half(),
        torch.stack([brain for _, brain in slices]),
        torch.arange(len(slices)),
        (pixel, pixel),
        (settings.size, settings.size),
    )


def _check_count(paths: Sequence[Path], settings: PictureFolderSettings) -> None:
    if not paths:
        raise NoInputError(
            "no picture among the inputs", "E_NO_INPUT", f"have {', '.join(ENDINGS)}"
        )
    most = LARGEST // settings.size**2
    count = min(len(paths), settings.count or len(paths))
    if count > most:
        raise ConfigError(
            f"{count} pictures, and memory is set aside for {most}", "E_TOO_MANY",
            f"--set slices.finetune.folder.count={most}",
        )  # fmt: skip


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.is_file() and not hidden and path.suffix.lower() in ENDINGS


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Numbers as numbers, and the name itself where that leaves two alike."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
