"""The same healthy brain as it might have come from elsewhere.

Another scanner, another registration, another skull stripper: all healthy, and all of it is what a
model meets that has learnt on one scanner.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final, overload

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from scipy.spatial.transform import Rotation
from torch import Tensor

from slicenet.draws import drawing
from slicenet.errors import ConfigError
from slicenet.simulation import JitterSettings
from slicenet.simulation.draws import Draws
from slicenet.simulation.jitter import jitter
from slicenet.simulation.space import Space, space_of
from slicenet.subjects import whose
from slicenet.volume import Volume

ROUGH = 12.0  # mm, of the bumps of a brain mask


@dataclass(frozen=True)
class ElsewhereSettings:
    """How much a brain from elsewhere differs; all but the first are deviations, or ends."""

    times: int = 0  # how many of each healthy brain are learnt beside itself
    turn: float = 2.0  # degrees around a random axis, of a registration that is off
    shift: float = 1.5  # mm along each axis
    scale: float = 0.02  # of the logarithm of the size along each axis
    edge: tuple[float, float] = (-1.5, 3.0)  # mm that the mask is moved inwards, from and to
    bumps: float = 1.0  # mm, by which that differs from place to place
    thick: float = 5.0  # mm, the thickest slices, along any axis
    jitter: JitterSettings = JitterSettings(0.0, 0.0, curve=0.25, field=0.06, noise=0.15, blur=0.8)

    def __post_init__(self) -> None:
        deviations = (self.turn, self.shift, self.scale, self.bumps, self.thick)
        if not 0 <= self.times <= 20 or not all(0 <= value < 50 for value in deviations):
            raise ConfigError("elsewhere: expected 0 to 50 each, 20 times at most", "E_SETTING")
        if len(self.edge) != 2 or not -5 <= self.edge[0] <= self.edge[1] <= 10:
            raise ConfigError("elsewhere.edge: expected two ends, rising", "E_SETTING")


@final
class Elsewhere(Sequence[Volume]):
    """Healthy volumes, then each of them `times` more, as it might have come from elsewhere.

    A volume without a subject gets one of its own, which those made of it share.
    """

    def __init__(self, volumes: Sequence[Volume], settings: ElsewhereSettings) -> None:
        self.volumes = volumes
        self.settings = settings

    def __len__(self) -> int:
        return len(self.volumes) * (1 + self.settings.times)

    @overload
    def __getitem__(self, index: int) -> Volume: ...
    @overload
    def __getitem__(self, index: slice) -> list[Volume]: ...
    def __getitem__(self, index: int | slice) -> Volume | list[Volume]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        turn, place = divmod(index, len(self.volumes))
        volume = self.volumes[place]
        if not volume.subject:
            volume = replace(volume, subject=whose("", volume.name, place))
        return from_elsewhere(volume, self.settings, turn) if turn else volume


@torch.no_grad()
def from_elsewhere(volume: Volume, settings: ElsewhereSettings, turn: int) -> Volume:
    """The volume of a brain from elsewhere; what is drawn follows from the volume and `turn`."""
    draws = Draws(drawing(int(volume.digest[:12], 16), turn), volume.voxels.device)
    window, corner = volume.around_brain()
    brain, voxels = volume.brain[window], volume.voxels[:, *window]
    space = space_of(brain[None], volume.spacing.tolist())
    seen = _rescanned(draws, space, voxels, brain, settings)
    inside = _stripped(draws, space, brain, settings)
    affine = _misplaced(draws, volume, settings) @ volume.affine @ corner
    changed = hashlib.sha256(f"{volume.digest} {settings!r} {turn}".encode()).hexdigest()
    return replace(
        volume, voxels=seen * inside, brain=inside, affine=affine, stored=None, source=changed
    )


def _rescanned(
    draws: Draws, space: Space, voxels: Tensor, brain: Tensor, settings: ElsewhereSettings
) -> Tensor:
    """Voxels [M, *space] with another contrast, shading, noise and thickness of slices."""
    inside = voxels[:, brain].numpy()
    low, middle, high = torch.from_numpy(np.quantile(inside, (0.25, 0.5, 0.75), axis=1)).float()
    span = (high - low).clamp(min=1e-6)
    scaled = (voxels - space.spread(middle)) / space.spread(span)
    thick = settings.thick * float(draws.uniform((1,)))
    axis = int(draws.below(torch.tensor([3 if space.shape[2] > 1 else 2])))
    scaled = _thickened(scaled, axis, thick / space.spacing[axis])
    changed = jitter(draws, space, scaled[None], settings.jitter)[0]
    return changed * space.spread(span) + space.spread(middle)


def _thickened(voxels: Tensor, axis: int, steps: float) -> Tensor:
    """Voxels [M, X, Y, Z] averaged over so many along one axis, as a thick slice does it."""
    if steps <= 1:
        return voxels
    size = voxels.shape[axis + 1]
    frequencies = torch.fft.rfftfreq(size)
    view = [1, 1, 1, 1]
    view[axis + 1] = len(frequencies)
    passed = torch.sinc(frequencies * steps).view(view)
    return torch.fft.irfft(torch.fft.rfft(voxels, dim=axis + 1) * passed, size, dim=axis + 1)


def _stripped(draws: Draws, space: Space, brain: Tensor, settings: ElsewhereSettings) -> Tensor:
    """The mask that another tool might have left."""
    moved = draws.uniform((1,), *settings.edge)
    bumps = settings.bumps * space.field(draws, torch.tensor([ROUGH]), torch.tensor([4.0]))
    mask = brain.numpy()
    depth = distance_transform_edt(mask, space.spacing) - distance_transform_edt(
        ~mask, space.spacing
    )
    half = space.finest / 2  # the edge lies between voxels
    depth = torch.from_numpy(depth - np.where(mask, half, -half)).float()
    found = depth > (space.spread(moved) + bumps)[0]
    return found if found.any() else brain


def _misplaced(draws: Draws, volume: Volume, settings: ElsewhereSettings) -> np.ndarray:
    """Millimetres to millimetres around the middle of the brain, [4, 4]."""
    flat = volume.brain.shape[2] == 1
    within = np.array((1, 1, 0 if flat else 1))  # a picture stays in its plane
    way = np.array((0, 0, 1)) if flat else draws.normal((3,)).double().numpy()
    angle = math.radians(settings.turn) * float(draws.normal((1,)))
    turned = Rotation.from_rotvec(angle * way / float(np.linalg.norm(way))).as_matrix()
    size = np.exp(settings.scale * within * draws.normal((3,)).double().numpy())
    places = volume.brain.nonzero().double().mean(0).numpy()
    middle = volume.affine[:3, :3] @ places + volume.affine[:3, 3]
    matrix = np.eye(4)
    matrix[:3, :3] = turned * size
    shift = settings.shift * within * draws.normal((3,)).double().numpy()
    matrix[:3, 3] = middle + shift - matrix[:3, :3] @ middle
    return matrix
