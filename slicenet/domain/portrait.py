"""What one input looks like, in a few numbers, its histogram and a coarse picture."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self, final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slicenet.images.skull import shelled
from slicenet.volume import Volume

RANKS = np.linspace(0.05, 0.95, 19)  # of the histogram; a lesion hardly moves what lies between
SPAN = 3.0  # quartile ranges from the median beyond which a voxel counts as that far
FINE, COARSE = 4.0, 8.0  # mm, cells that show the surface, and those of the picture
FEW = 40_000  # voxels that make a histogram
LEAST = 1e-4  # quartile ranges; a brain without any detail has that much, so that logarithms exist
# What `shared` and `own` hold, in this order.
SHARED = ("voxel", "volume", "width", "length", "height", "cut", "shell")
OWN = ("rim", "detail_x", "detail_y", "detail_z")


@final
@dataclass(frozen=True, eq=False)
class Portrait:
    """One framed brain, small enough to keep those of a whole cohort in memory."""

    shared: Tensor  # [len(SHARED)] float32
    own: Tensor  # [M, len(OWN)] float32
    histogram: Tensor  # [M, len(RANKS)] float32, the median 0 and the quartile range 1
    picture: Tensor  # [M, x, y, z] float16, means over cells
    inside: Tensor  # [x, y, z] bool, cells that are mostly brain

    def to_tensors(self) -> dict[str, Tensor]:
        """Each part by its name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The portrait that `to_tensors` took apart; KeyError if a part is missing."""
        return cls(*(tensors[part.name] for part in fields(cls)))


def portray(volume: Volume, framed: Volume) -> Portrait:
    """Look at a volume as it came and as `Frame.enter` has made it."""
    voxels = framed.voxels.clamp(-SPAN, SPAN)  # a lesion must not count by how bright it is
    fine, filled = _cells(voxels, framed.brain, framed.spacing, FINE)
    picture, weight = _cells(voxels, framed.brain, framed.spacing, COARSE)
    edges = framed.spacing * np.divide(framed.brain.shape, filled.shape)
    surface = (filled > 0) & ~_eroded(filled >= 0.5)  # [x, y, z]
    shared = (
        float(volume.spacing.max()), _millilitres(volume), *_extents(framed), _cut(volume),
        shelled(fine[0].numpy(), (filled >= 0.5).numpy(), edges),
    )  # fmt: skip
    own = [
        (float(sequence[surface].mean()), *_detail(whole, framed.brain))
        for sequence, whole in zip(fine, framed.voxels, strict=True)
    ]
    return Portrait(
        torch.tensor(shared, dtype=torch.float32), torch.tensor(own, dtype=torch.float32),
        _histogram(framed), picture.half(), weight >= 0.5,
    )  # fmt: skip


def _cells(
    voxels: Tensor, brain: Tensor, spacing: np.ndarray, edge: float
) -> tuple[Tensor, Tensor]:
    """Means over the brain of cells of about `edge` mm, [M, x, y, z]; brain in each, [x, y, z]."""
    sizes = np.maximum(1, np.rint(np.multiply(brain.shape, spacing) / edge)).astype(int)
    x, y, z = np.minimum(sizes, brain.shape).tolist()
    both = torch.cat((voxels * brain, brain[None].to(voxels)))
    means = F.adaptive_avg_pool3d(both, (x, y, z))
    return means[:-1] / means[-1].clamp(min=1e-6), means[-1]


def _eroded(brain: Tensor) -> Tensor:
    """`brain` [x, y, z] without cells that have one outside it beside, before or below them."""
    padded = F.pad(brain, (1,) * 6)
    kept = brain
    for axis in range(3):
        for first in (0, 2):
            middle = [slice(1, -1)] * 3
            middle[axis] = slice(first, first + brain.shape[axis])
            kept = kept & padded[tuple(middle)]
    return kept


def _millilitres(volume: Volume) -> float:
    voxel = abs(float(np.linalg.det(volume.affine[:3, :3])))  # mm³
    return np.count_nonzero(volume.brain.numpy()) * voxel / 1000


def _extents(framed: Volume) -> list[float]:
    """How far the brain reaches along each axis of the frame, [3] mm, the last 1 % left out."""
    found = []
    for axis, step in enumerate(framed.spacing.tolist()):
        others = [other for other in range(3) if other != axis]
        share = framed.brain.sum(others).double().cumsum(0)
        share /= share[-1].clone()
        places = np.interp((0.005, 0.995), share.numpy(), np.arange(1, len(share) + 1))
        found.append(max(float(places[1] - places[0]), 1.0) * step)
    return found


def _cut(volume: Volume) -> float:
    """The largest cut through the brain at a face of its file, as a share of its section there."""
    shares = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        sections = np.count_nonzero(volume.brain.numpy(), axis=(others[0], others[1]))
        shares.append(float(max(sections[0], sections[-1])) / float(sections.max()))
    return max(shares)


def _detail(voxels: Tensor, brain: Tensor) -> list[float]:
    """Typical bend of the intensities along each axis, [3] quartile ranges: fine grain, noise."""
    found = []
    for axis in range(3):
        # Every other line: as good a median in a quarter of the time.
        lines = tuple(slice(None) if other == axis else slice(None, None, 2) for other in range(3))
        values, inside = voxels[lines].movedim(axis, 0), brain[lines].movedim(axis, 0)
        whole = inside[:-2] & inside[1:-1] & inside[2:]
        bends = (values[:-2] - 2 * values[1:-1] + values[2:])[whole].abs()
        found.append(max(float(bends.median()), LEAST) if bends.numel() else LEAST)
    return found


def _histogram(framed: Volume) -> Tensor:
    values = framed.voxels[:, framed.brain]  # [M, N]
    step = -(-values.shape[1] // FEW)
    found = np.quantile(values[:, ::step].numpy(), RANKS, axis=1).T  # [M, ranks]
    return torch.from_numpy(np.ascontiguousarray(found, np.float32))
