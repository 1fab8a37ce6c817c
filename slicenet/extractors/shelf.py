"""Volumes in a file without a name: read at random in training, and gone with the process."""

import io
from collections.abc import Iterable
from typing import Self, final

import numpy as np
import torch
from torch import Tensor

from slicenet import files
from slicenet.volume import Volume

HIGHEST = torch.finfo(torch.half).max


@final
class Shelf:
    """Framed brains in half precision; memory holds what is asked for, the disk the rest."""

    spacing: tuple[float, ...]  # mm, of all
    shape: tuple[int, ...]  # [M, X, Y, Z]

    def __init__(self, volumes: Iterable[Volume]) -> None:
        raw = files.unnamed()
        self._count = 0
        for volume in volumes:
            self.shape = tuple(volume.voxels.shape)
            self.spacing = tuple(volume.spacing.tolist())
            # Written, not mapped: a full disk is then an error and not the end of the process.
            raw.write(np.ascontiguousarray(halved(volume.voxels).numpy()).tobytes())
            raw.write(np.ascontiguousarray(volume.brain.numpy()).tobytes())
            self._count += 1
        self._file = io.BufferedReader(raw)  # closed on leaving

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Voxels [M, X, Y, Z] float32 and brain [X, Y, Z] bool."""
        voxels, brain = int(np.prod(self.shape)), int(np.prod(self.shape[1:]))
        self._file.seek(index * (2 * voxels + brain))
        stored = np.frombuffer(self._file.read(2 * voxels), np.float16).astype(np.float32)
        inside = np.frombuffer(self._file.read(brain), np.bool_).copy()
        return (
            torch.from_numpy(stored).reshape(self.shape),
            torch.from_numpy(inside).reshape(self.shape[1:]),
        )

    def mapped(self) -> tuple[np.ndarray, np.ndarray]:
        """All voxels [V, M, X, Y, Z] float16 and brains [V, X, Y, Z] bool, read where they are.

        For as long as the shelf is open.
        """
        layout = [("voxels", np.float16, self.shape), ("brain", np.bool_, self.shape[1:])]
        records = np.memmap(self._file, np.dtype(layout), "r", shape=(self._count,))
        return records["voxels"], records["brain"]


def halved(values: Tensor) -> Tensor:
    """In half precision, where what is beyond its largest number becomes that and not infinite."""
    return values.clamp(-HIGHEST, HIGHEST).half()
