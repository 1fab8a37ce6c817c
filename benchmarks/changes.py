"""Ways in which a scan from elsewhere differs: none of it is code that models learn from."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter, gaussian_filter1d
from scipy.spatial.transform import Rotation

from slicenet.volume import Volume

Random = np.random.Generator
Change = Callable[[Volume, Random], Volume]


def _raw(volume: Volume) -> tuple[np.ndarray, float]:
    """The voxels of the first sequence, and what is nearly the brightest in the brain."""
    voxels = volume.voxels[0].numpy()
    return voxels, float(np.quantile(voxels[volume.brain.numpy()], 0.99))


def _with(volume: Volume, voxels: np.ndarray) -> Volume:
    found = np.where(volume.brain.numpy(), voxels, 0).astype(np.float32)
    return replace(volume, voxels=torch.from_numpy(found)[None], source="")


def _gamma(low: float, high: float) -> Change:
    def change(volume: Volume, random: Random) -> Volume:
        voxels, top = _raw(volume)
        return _with(volume, (voxels / top).clip(0) ** random.uniform(low, high) * top)

    return change


def _noisy(volume: Volume, random: Random) -> Volume:
    voxels, top = _raw(volume)
    parts = random.normal(0, 0.06 * top, (2, *voxels.shape))
    return _with(volume, np.hypot(voxels + parts[0], parts[1]))


def _blurred(volume: Volume, random: Random) -> Volume:
    voxels, _ = _raw(volume)
    return _with(volume, gaussian_filter(voxels, 1.5 / volume.spacing))


def _thick(volume: Volume, random: Random) -> Volume:
    """Slices of 6 mm from bottom to top."""
    voxels, _ = _raw(volume)
    return _with(volume, gaussian_filter1d(voxels, 2.5 / volume.spacing[2], axis=2))


def _shaded(volume: Volume, random: Random) -> Volume:
    """A gain that rises by about half along a random direction."""
    voxels, _ = _raw(volume)
    way = random.normal(size=3)
    way = way / np.linalg.norm(way)
    axes = [np.linspace(-1, 1, size) for size in voxels.shape]
    along = sum(
        part * axis for part, axis in zip(way, np.meshgrid(*axes, indexing="ij"), strict=True)
    )
    return _with(volume, voxels * np.exp(0.3 * along))


def _eroded(volume: Volume, random: Random) -> Volume:
    return _masked(volume, binary_erosion(volume.brain.numpy(), iterations=2))


def _dilated(volume: Volume, random: Random) -> Volume:
    """What a loose mask holds besides the brain: something dark and uneven."""
    brain = volume.brain.numpy()
    loose = binary_dilation(brain, iterations=2)
    voxels, top = _raw(volume)
    rest = gaussian_filter(random.normal(0.25, 0.5, voxels.shape), 1).clip(0) * top
    wider = replace(_masked(volume, loose), source="")
    return _with(wider, np.where(brain, voxels, rest))


def _masked(volume: Volume, brain: np.ndarray) -> Volume:
    inside = torch.from_numpy(brain)
    return replace(volume, brain=inside, voxels=volume.voxels * inside, source="")


def _misplaced(volume: Volume, random: Random) -> Volume:
    """4 degrees, 4 mm and 4 % off."""
    way = random.normal(size=3)
    way = way / np.linalg.norm(way)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.deg2rad(4) * way).as_matrix() * 1.04
    shift = random.normal(size=3)
    matrix[:3, 3] = 4 * shift / np.linalg.norm(shift)
    return replace(volume, affine=matrix @ volume.affine, source="")


def _all(volume: Volume, random: Random) -> Volume:
    for change in (_shaded, _gamma(0.7, 1.4), _thick, _noisy, _misplaced, _eroded):
        volume = change(volume, random)
    return volume


CHANGES: Mapping[str, Change] = {
    "as it is": lambda volume, random: volume,
    "less contrast": _gamma(0.5, 0.7),
    "more contrast": _gamma(1.5, 2.0),
    "noise": _noisy,
    "blur": _blurred,
    "thick slices": _thick,
    "shading": _shaded,
    "tight mask": _eroded,
    "loose mask": _dilated,
    "registration": _misplaced,
    "all but a loose mask": _all,
}
