"""An output as `slicenet score` leaves it, without the scoring: what is in it is known."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from slicenet.calibration import Calibrator
from slicenet.files import digest
from slicenet.images.grid import Grid
from slicenet.images.write import write_map, write_mask
from slicenet.report.folder import read_folder
from tests import chromium

SHAPE = (20, 24, 16)
AFFINE = np.array([[3.0, 0, 0, -30], [0, 3.0, 0, -40], [0, 0, 4.0, -20], [0, 0, 0, 1]])
HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>"


@dataclass(frozen=True)
class Out:
    """The folder, and the arrays that its files hold."""

    folder: Path
    data: Path
    scores: dict[str, np.ndarray]
    brain: np.ndarray
    truth: np.ndarray
    images: dict[str, np.ndarray]
    threshold: float


def calibration():
    calibrator, random = Calibrator(), np.random.default_rng(7)
    for _ in range(12):
        scores = np.abs(random.normal(size=4000))
        calibrator.add(scores, float(np.sort(scores)[-40:].mean()))
    return calibrator.finish()


@pytest.fixture(scope="session")
def make_out():
    """Write an output of some cases below a folder; the first is the strangest, and lesioned."""

    def make(root, names=("sub-1", "sub-2"), calibrated=True, warning=""):
        healthy = calibration()
        threshold = healthy.thresholds()["fpr0.01"]
        random, grid = np.random.default_rng(1), Grid(SHAPE, AFFINE)
        brain, truth = np.zeros((2, *SHAPE), bool)
        brain[3:17, 3:21, 2:14] = True
        truth[6:9, 7:11, 5:8] = True
        out, data = root / "out", root / "data"
        scores, images = {}, {}
        for number, name in enumerate(names):
            image = (random.random(SHAPE) * 100 * brain).astype(np.float32)
            score = np.abs(random.normal(size=SHAPE)) * brain
            score = (score + 5 * truth * (number == 0)).astype(np.float32)
            anat, source = out / name / "anat", data / name / "anat" / f"{name}_T1w.nii.gz"
            write_map(source, image, grid)
            if number == 0:
                write_mask(source.with_name(f"{name}_label-lesion_mask.nii.gz"), truth, grid)
            write_map(anat / f"{name}_desc-anomaly_heatmap.nii.gz", score, grid)
            write_mask(anat / f"{name}_desc-brain_mask.nii.gz", brain, grid)
            worst = float(np.sort(score[brain])[-30:].mean())
            row = {
                "name": name, "subject": name[4:], "score": worst,
                "p_value": 0.1 if calibrated else None, "peak": float(score.max()),
                "anomaly_ml": 1.5, "brain_ml": 108.9, "folder": f"{name}/anat", "unlike": None,
            }  # fmt: skip
            sidecar = {
                "sources": [{"file": source.name, "path": os.path.relpath(source, out),
                             "sha256": digest(source)}],
                "volume_sha256": f"volume of {name}", "model_sha256": "m", "settings_sha256": "s",
                "threshold": {"asked": "fpr:0.01", "value": threshold}, "Units": "arbitrary",
                "range": [0.0, 1.0], "row": row, "domain": [],
                "warnings": [{"code": "W_HEADER", "message": warning}] if warning else [],
            }  # fmt: skip
            place = anat / f"{name}_desc-anomaly_heatmap.json"
            place.write_text(json.dumps(sidecar))
            scores[name], images[name] = score, image
        told = {
            "backend": "zscore", "sha256": "m", "settings": {"frame": {"spacing": [1, 2]}},
            "thresholds": healthy.thresholds() if calibrated else {},
            "calibration_subjects": 12 if calibrated else 0,
            "calibration": healthy.to_table() if calibrated else None, "synthetic": True,
        }  # fmt: skip
        run = {"format": 1, "model": told, "threshold": "fpr:0.01", "options": {"volume": "None"}}
        (out / "run.json").write_text(json.dumps(run))
        return Out(out, data, scores, brain, truth, images, threshold)

    return make


@pytest.fixture(scope="session")
def out(make_out, tmp_path_factory):
    """An output that nobody changes."""
    return make_out(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def scored(out):
    return read_folder(out.folder)


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """A page in a real browser; whoever wants it skips where there is none."""
    if not chromium.find():
        pytest.skip("no Chromium here (apt-get install chromium, or name it in SLICENET_CHROMIUM)")
    with chromium.browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _screenshot_of_failures(request):
    """Where a test that looked at a page fails, what it saw is kept."""
    yield
    outcome = getattr(request.node, "outcome_of_call", None)
    if outcome == "failed" and "page" in request.fixturenames:
        folder = Path(os.environ.get("SLICENET_SCREENSHOTS", "build/screenshots"))
        request.getfixturevalue("page").screenshot(folder / f"{request.node.name}.png", True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.outcome_of_call = report.outcome
    return report
