"""Where the voxels of a file lie, and the way to RAS order and back."""

from dataclasses import dataclass
from typing import final

import nibabel as nib
import numpy as np


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """The voxel grid of a file as stored; in memory volumes lie in closest-canonical RAS order."""

    shape: tuple[int, int, int]  # of the file, in its own axis order
    affine: np.ndarray  # [4, 4] stored voxel to world, mm
    header: nib.Nifti1Header | nib.Nifti2Header | None = None  # to copy codes and units from

    @property
    def spacing(self) -> np.ndarray:
        """Edge lengths of a stored voxel, [3] mm."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def ras_affine(self) -> np.ndarray:
        """Affine of the voxels once they are in RAS order, [4, 4]."""
        return self.affine @ nib.orientations.inv_ornt_aff(self._to_ras(), self.shape)

    def to_ras(self, stored: np.ndarray) -> np.ndarray:
        """Reorder stored voxels [X, Y, Z] to RAS, exactly."""
        return nib.orientations.apply_orientation(stored, self._to_ras())

    def from_ras(self, voxels: np.ndarray) -> np.ndarray:
        """Reorder RAS voxels [X, Y, Z] back to the stored order, exactly."""
        ras = nib.orientations.axcodes2ornt("RAS")
        back = nib.orientations.ornt_transform(ras, nib.orientations.io_orientation(self.affine))
        return nib.orientations.apply_orientation(voxels, back)

    def corner_distance(self, other: "Grid") -> float:
        """Largest distance in mm between the same corners of the two boxes; shapes may differ."""
        return float(np.linalg.norm(self._corners() - other._corners(), axis=1).max())

    def _to_ras(self) -> np.ndarray:
        return nib.orientations.io_orientation(self.affine)

    def _corners(self) -> np.ndarray:
        ends = [(-0.5, size - 0.5) for size in self.shape]
        corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
        return corners @ self.affine[:3, :3].T + self.affine[:3, 3]
