"""The box of millimetres that a model looks at: the way in, and the way back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn

from slicenet.elsewhere import ElsewhereSettings
from slicenet.errors import ConfigError, Notice, VolumeError
from slicenet.resampling import antialias, pick, sample, smooth
from slicenet.volume import Volume
from slicenet.watch import Watch

RANKS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)  # landmarks of histogram matching
INTENSITIES = ("core", "histogram", "labels", "robust")
CORE = 0.9  # share of healthy brains that are where the core is
INWARDS = 3.0  # mm from the edge of that
END = 0.05  # share of the brain that counts as its end along an axis


@dataclass(frozen=True)
class FrameSettings:
    """Settings of `Frame`; axes run right-left, back-front, bottom-top."""

    box: tuple[float, float, float] = (192.0, 224.0, 192.0)  # mm, holds the whole brain
    spacing: tuple[float, float, float] = (1.0, 1.0, 2.0)  # mm
    anchor: str = "auto"  # "auto": MNI millimetres where the file says so, or "brain": its own box
    centre: tuple[float, float, float] = (0.0, -17.0, 10.0)  # mm, of a brain's box in MNI space
    # "histogram" matches to the training cohort as well; "core" does by the voxels alone that lie
    # where nearly all healthy brains are, so that a tight or loose mask makes no difference.
    # "labels" are no intensities: each voxel takes the nearest, and keeps it as it is.
    intensity: str = "robust"
    elsewhere: ElsewhereSettings = ElsewhereSettings()  # brains that are learnt from as well

    def __post_init__(self) -> None:
        if len(self.box) != 3 or len(self.spacing) != 3 or len(self.centre) != 3:
            raise ConfigError("box, spacing and centre need three numbers each", "E_SETTING")
        if not all(0 < step <= edge for step, edge in zip(self.spacing, self.box, strict=True)):
            raise ConfigError("spacing: expected positive steps inside the box", "E_SETTING")
        if self.anchor not in ("auto", "brain"):
            raise ConfigError(f"anchor: have auto, brain; got {self.anchor!r}", "E_SETTING")
        if self.intensity == "labels" and self.elsewhere.times:
            raise ConfigError("labels come from no other scanner: elsewhere.times=0", "E_SETTING")
        if self.intensity not in INTENSITIES:
            raise ConfigError(
                f"intensity: have {', '.join(INTENSITIES)}; got {self.intensity!r}", "E_SETTING"
            )


@final
class Frame(nn.Module):
    """Brings every brain to one grid along the world's axes and to one scale of intensities."""

    landmarks: Tensor  # [M, L], empty until fitted with histogram matching
    core: Tensor  # [X, Y, Z] bool, empty unless histograms are matched there
    sequences: Tensor  # [] int64, how many a volume has; 0 until fitted

    def __init__(self, settings: FrameSettings) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("landmarks", torch.empty(0))
        self.register_buffer("core", torch.empty(0, dtype=torch.bool))
        self.register_buffer("sequences", torch.tensor(0))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the box."""
        edges = np.divide(self.settings.box, self.settings.spacing)
        # Up to a multiple of 4, so that lattices of larger cells can span it evenly; one is one.
        whole = 4 * np.ceil(np.round(edges / 4, 6)).astype(int)
        x, y, z = np.where(edges > 1, whole, 1).tolist()
        return x, y, z

    @property
    def flat(self) -> bool:
        """Whether it takes pictures: it is one slice thick."""
        return self.shape[2] == 1

    @property
    def of_labels(self) -> bool:
        """Whether it takes segmentations."""
        return self.settings.intensity == "labels"

    def fit(self, volumes: Iterable[Volume], watch: Watch) -> None:
        """Learn how many sequences there are, and their landmarks if histograms are matched."""
        self.expect(next(iter(volumes)))
        if self.settings.intensity == "core":
            self.core = self._core(volumes)
        if self.settings.intensity in ("core", "histogram"):
            found = []
            for volume in volumes:
                voxels, brain = self._resample(volume)
                found.append(_quantiles(voxels[:, self._matched(brain)], RANKS))
                watch("match", len(found), 0)
            self.landmarks = torch.stack(found).mean(0)

    def expect(self, volume: Volume) -> None:
        """From now on, take volumes with as many sequences as this one only."""
        self.sequences = torch.tensor(len(volume.voxels))

    def enter(self, volume: Volume) -> Volume:
        """`volume` on the grid of the box: median 0 and quartile range 1, or labels as they are."""
        self._check_sequences(volume)
        volume.check_depth(self.flat)
        voxels, brain = self._resample(volume)
        if self.landmarks.numel():
            voxels = _match(voxels, brain, self._matched(brain), self.landmarks)
        return replace(
            volume, voxels=voxels, brain=brain, affine=self.affine(volume), stored=None,
            notices=self._kept(volume) + self._cut(volume, brain),
        )  # fmt: skip

    def _core(self, volumes: Iterable[Volume]) -> Tensor:
        """Where nearly all of them are brain, and around it as well, [X, Y, Z] bool."""
        count, seen = torch.zeros(self.shape), 0
        for volume in volumes:
            seen += 1
            count += self._resample(volume)[1]
        depth = distance_transform_edt(count.numpy() >= CORE * seen, self.settings.spacing)
        return torch.from_numpy(depth > INWARDS)

    def _matched(self, brain: Tensor) -> Tensor:
        """The part of a brain whose histogram is matched, [X, Y, Z] bool."""
        if not self.core.numel():
            return brain
        inside = brain & self.core.cpu()
        return inside if 2 * inside.sum() >= self.core.sum() else brain

    def affine(self, volume: Volume) -> np.ndarray:
        """Box voxel to world for this volume, [4, 4] mm."""
        in_mni = volume.in_template_space and self.settings.anchor == "auto"
        centre = np.array(self.settings.centre) if in_mni else _brain_centre(volume)
        affine = np.diag([*self.settings.spacing, 1.0])
        affine[:3, 3] = centre - affine[:3, :3] @ (np.array(self.shape) // 2)
        return affine

    def leave(self, lattice: Tensor, inside: Tensor, volume: Volume) -> Tensor:
        """Scores of a lattice [x, y, z] over the box, on the grid of `volume`, [X, Y, Z].

        Averages cells `inside` only. Brain that the box has cut off gets the lowest score seen.
        """
        cells = torch.tensor(lattice.shape)
        stride = np.array(self.shape) / cells.numpy()
        to_box = np.diag([*stride, 1.0])
        to_box[:3, 3] = (stride - 1) / 2  # a cell's centre is that of its voxels
        to_lattice = np.linalg.inv(self.affine(volume) @ to_box) @ volume.affine
        both = torch.stack((lattice * inside, inside.to(lattice)))
        x, y, z = volume.brain.shape
        scores, weight = sample(both, to_lattice, (x, y, z))
        seen = (weight > 1e-3) & volume.brain
        scores = scores.div_(weight.clamp_(min=1e-3))
        lowest = scores[seen].min() if seen.any() else scores.new_zeros(())
        return torch.where(seen, scores, lowest * volume.brain)

    def _resample(self, volume: Volume) -> tuple[Tensor, Tensor]:
        """Voxels [M, *shape] as `enter` has them, 0 outside; brain [*shape]."""
        cut, corner = volume.around_brain()
        weighted = torch.cat((volume.voxels[:, *cut] * volume.brain[cut], volume.brain[cut][None]))
        to_source = np.linalg.inv(volume.affine @ corner) @ self.affine(volume)
        if self.of_labels:
            taken = pick(weighted, to_source, self.shape)
        else:
            weighted = smooth(weighted, antialias(self._steps(volume)))
            taken = sample(weighted, to_source, self.shape, self._reach(volume))
        brain = taken[-1] >= 0.5
        if not brain.any():
            raise VolumeError(f"{volume.name}: no brain inside the frame's box", "E_FRAME")
        # Voxels at the rim are partly brain: dividing by that part keeps them from going dark.
        voxels = taken[:-1] / taken[-1].clamp(min=0.5)
        return voxels if self.of_labels else _standardise(voxels, brain, volume.name), brain

    def _reach(self, volume: Volume) -> tuple[float, float, float]:
        """How far an edge holds: a thin slice must not fall between planes of the box."""
        x, y, z = np.maximum(self._steps(volume) / 2, 0.5).tolist()
        return x, y, z

    def _steps(self, volume: Volume) -> np.ndarray:
        """Extent of a box voxel along the axes of `volume`, [3] in its voxels."""
        directions = volume.affine[:3, :3] / volume.spacing
        extent = np.sqrt(((directions.T * self.settings.spacing) ** 2).sum(1))  # mm
        return extent / volume.spacing

    def _check_sequences(self, volume: Volume) -> None:
        wanted, given = int(self.sequences), len(volume.voxels)
        if wanted not in (0, given):
            raise VolumeError(
                f"{volume.name}: {given} sequences, where the model has learnt from {wanted}",
                "E_SEQUENCES", "name them with --sequences",
            )  # fmt: skip

    def _kept(self, volume: Volume) -> tuple[Notice, ...]:
        """Notices of a volume, but that there are few levels, where these are labels."""
        dropped = "W_LOW_LEVELS" if self.of_labels else ""
        return tuple(one for one in volume.notices if one.code != dropped)

    def _cut(self, volume: Volume, brain: Tensor) -> tuple[Notice, ...]:
        voxel = abs(np.linalg.det(volume.affine[:3, :3]))
        kept = int(brain.sum()) * float(np.prod(self.settings.spacing))
        lost = 1 - kept / (int(volume.brain.sum()) * voxel)
        if lost <= 0.02:
            return ()
        message = f"the frame's box leaves out {lost:.0%} of the brain, which stays unscored"
        return (Notice("W_BOX", f"{volume.name}: {message}"),)


def _brain_centre(volume: Volume) -> np.ndarray:
    """Middle of the brain along each world axis, mm."""
    places = volume.brain.nonzero().numpy().astype(np.float32)
    world = places @ volume.affine[:3, :3].T.astype(np.float32)  # [N, 3]
    share = max(1, int(END * len(world)))
    ordered = np.partition(world, (share - 1, len(world) - share), axis=0)
    # Means of the outermost voxels, not extremes: smooth in the voxel size, deaf to a stray voxel.
    ends = ordered[:share].mean(0, dtype=np.float64), ordered[-share:].mean(0, dtype=np.float64)
    return (ends[0] + ends[1]) / 2 + volume.affine[:3, 3]


def _standardise(voxels: Tensor, brain: Tensor, name: str) -> Tensor:
    # Quartiles, not extremes: a bright lesion must not dim the healthy brain around it.
    low, middle, high = _quantiles(voxels[:, brain], (0.25, 0.5, 0.75)).unbind(1)  # each [M]
    if not (high > low).all():
        raise VolumeError(f"{name}: the quartiles of its brain are one number", "E_CONSTANT")
    scale = (high - low)[:, None, None, None]
    return (voxels - middle[:, None, None, None]) / scale * brain


def _match(voxels: Tensor, brain: Tensor, part: Tensor, wanted: Tensor) -> Tensor:
    """Piecewise linear map of the landmarks of a `part` onto `wanted` [M, L] (Nyul, 2000)."""
    found = _quantiles(voxels[:, part], RANKS).numpy().astype(np.float64)
    matched = voxels.clone()
    for sequence, (old, new) in enumerate(zip(found, wanted.cpu().numpy(), strict=True)):
        old = np.maximum.accumulate(old + np.arange(len(old)) * 1e-9)
        values = voxels[sequence][brain].numpy()
        mapped = np.interp(values, old, new)
        # Beyond the outermost landmarks the scale stays as it is: a lesion must stay an outlier.
        mapped += np.minimum(values - old[0], 0) + np.maximum(values - old[-1], 0)
        matched[sequence][brain] = torch.from_numpy(mapped.astype(np.float32))
    return matched


def _quantiles(values: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Quantiles of each row of [M, N], [M, len(shares)]; no limit on N, unlike torch's own."""
    ranks = [round(share * (values.shape[1] - 1)) for share in shares]
    parts = np.partition(values.numpy(), sorted(set(ranks)), axis=1)[:, ranks]
    return torch.from_numpy(parts)
