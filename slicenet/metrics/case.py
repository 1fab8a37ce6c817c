"""One scored volume beside its truth."""

from dataclasses import dataclass
from typing import final

import numpy as np

from slicenet.errors import VolumeError


@final
@dataclass(frozen=True, eq=False)
class ScoredCase:
    """The final map of one volume in RAS order, its brain, and its lesions if there are any."""

    name: str
    scores: np.ndarray  # [X, Y, Z] float32, finite inside the brain, higher is stranger
    brain: np.ndarray  # [X, Y, Z] bool
    truth: np.ndarray | None  # [X, Y, Z] bool; None or empty means healthy
    spacing: tuple[float, float, float]  # mm
    volume_score: float  # the detector's own number for the whole brain
    subject: str = ""  # cases of one subject are resampled together; the name if empty

    def __post_init__(self) -> None:
        masks = [self.brain] if self.truth is None else [self.brain, self.truth]
        if self.scores.ndim != 3 or any(mask.shape != self.scores.shape for mask in masks):
            shapes = ", ".join(str(list(part.shape)) for part in (self.scores, *masks))
            raise VolumeError(f"{self.name}: map and masks differ in shape: {shapes}", "E_GRID")
        if any(mask.dtype != np.bool_ for mask in masks):
            raise VolumeError(f"{self.name}: masks must be bool", "E_MASK")
        if not self.brain.any():
            raise VolumeError(f"{self.name}: the brain mask is empty", "E_MASK")
        if not np.isfinite(self.scores[self.brain]).all() or not np.isfinite(self.volume_score):
            raise VolumeError(f"{self.name}: scores must be finite", "E_NONFINITE")
        if not all(0 < edge < np.inf for edge in self.spacing):
            raise VolumeError(f"{self.name}: spacing {self.spacing} mm", "E_SPACING")
        # Dropping such a case would hide that skull-stripping removed the lesion.
        if self.truth is not None and self.truth.any() and not (self.truth & self.brain).any():
            raise VolumeError(
                f"{self.name}: the truth lies wholly outside of the brain mask", "E_TRUTH",
                "check that both belong to this image",
            )  # fmt: skip

    @property
    def lesioned(self) -> bool:
        """Whether the truth marks anything."""
        return self.truth is not None and bool(self.truth.any())

    def crop(self) -> "BrainBox":
        """The smallest box around the brain, and counts of what lies outside of the brain."""
        box = _bounds(self.brain)
        brain = np.ascontiguousarray(self.brain[box])
        everywhere = np.zeros_like(self.brain) if self.truth is None else self.truth
        truth = np.ascontiguousarray(everywhere[box]) & brain
        return BrainBox(
            scores=np.ascontiguousarray(self.scores[box], np.float32),
            brain=brain,
            truth=truth,
            spacing=self.spacing,
            air=int(self.brain.size - brain.sum()),
            truth_outside=int(everywhere.sum() - truth.sum()),
        )


@final
@dataclass(frozen=True, eq=False)
class BrainBox:
    """A case cut to its brain: what all figures are computed from."""

    scores: np.ndarray  # [x, y, z] float32
    brain: np.ndarray  # [x, y, z] bool, touches all six sides
    truth: np.ndarray  # [x, y, z] bool, inside the brain only
    spacing: tuple[float, float, float]  # mm
    air: int  # voxels of the whole map outside of the brain
    truth_outside: int  # those of them that the truth marks

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in mL."""
        return float(np.prod(self.spacing)) / 1000

    @property
    def diagonal(self) -> float:
        """Length of the box's diagonal in mm: no two places in the brain are further apart."""
        return float(np.linalg.norm(np.array(self.brain.shape) * self.spacing))


def _bounds(mask: np.ndarray) -> tuple[slice, ...]:
    bounds = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        marked = np.flatnonzero(mask.any(others))
        bounds.append(slice(int(marked[0]), int(marked[-1]) + 1))
    return tuple(bounds)
