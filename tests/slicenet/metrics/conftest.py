"""Small scored volumes of which everything can also be computed the slow way."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from slicenet.metrics import ScoredCase

SHAPE = (13, 14, 15)


def _make(
    seed: int = 0, lesions: int = 2, levels: int = 0, signal: float = 1.5, subject: str = ""
) -> ScoredCase:
    """A ball of brain with small cubes of lesion; few `levels` of score make ties."""
    generator = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.linspace(-1, 1, size) for size in SHAPE], indexing="ij")
    brain = np.square(axes).sum(0) < 0.9
    truth = np.zeros(SHAPE, bool)
    for _ in range(lesions):
        x, y, z = generator.integers(3, 9, 3)
        truth[x : x + 2, y : y + 2, z : z + 3] = True
    scores = generator.normal(size=SHAPE) + signal * truth
    if levels:
        scores = np.round(scores * levels) / levels
    scores = np.where(brain, scores, 0).astype(np.float32)
    overall = float(scores[brain].max())
    return ScoredCase(f"case{seed}", scores, brain, truth, (1.0, 2.0, 3.0), overall, subject)


@pytest.fixture
def make_case() -> Callable[..., ScoredCase]:
    return _make


AFFINE = np.array(  # stored axes: from up to down, from right to left, from back to front
    [[0, -1.0, 0, 5], [0, 0, 2.0, -9], [-3.0, 0, 0, 40], [0, 0, 0, 1]]
)


def _store(path: Path, voxels: np.ndarray, dtype: type) -> None:
    """Write RAS voxels of 1 by 2 by 3 mm in another order of axes."""
    stored = voxels.transpose(2, 0, 1)[::-1, ::-1, :]
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(stored.astype(dtype), AFFINE), path)


def _write_maps(folder: Path, cases: list[ScoredCase], **run) -> Path:
    """A folder as `slicenet score` leaves it."""
    folder.mkdir(exist_ok=True)
    model = {"sha256": "model", "thresholds": {"fpr0.01": 2.3}, **run}
    (folder / "run.json").write_text(json.dumps({"format": 1, "model": model}))
    for case in cases:
        stem = folder / f"sub-{case.name}" / "anat" / f"sub-{case.name}"
        _store(Path(f"{stem}_desc-anomaly_heatmap.nii.gz"), case.scores, np.float32)
        _store(Path(f"{stem}_desc-brain_mask.nii.gz"), case.brain, np.uint8)
        sidecar = {
            "sources": [{"file": f"{case.name}.nii.gz", "sha256": f"file of {case.name}"}],
            "volume_sha256": f"volume of {case.name}",
            "model_sha256": "model",
            "row": {"name": f"sub-{case.name}", "subject": case.name, "score": case.volume_score},
        }
        Path(f"{stem}_desc-anomaly_heatmap.json").write_text(json.dumps(sidecar))
    return folder


@pytest.fixture
def store() -> Callable[..., None]:
    return _store


@pytest.fixture
def write_maps(tmp_path) -> Callable[..., Path]:
    return lambda cases, name="maps", **run: _write_maps(tmp_path / name, cases, **run)
