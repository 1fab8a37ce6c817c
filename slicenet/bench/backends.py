"""Seconds and memory a volume, each backend in a process of its own."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slicenet.backends import BACKENDS
from slicenet.cache import Cache
from slicenet.checkpoint import Model, save
from slicenet.config import suggest
from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone
from slicenet.images.grid import Grid
from slicenet.images.write import write_map
from slicenet.volume import Volume
from slicenet.watch import Watch, silent

TRAINED = 2  # volumes: enough to time, too few to learn from
# Runs alone, so that its peak is that of scoring: of a new interpreter, libraries included.
SCORE = """
import json, sys, time
from slicenet import load
from slicenet.machine import peak_gb
detector = load(sys.argv[1]).on(sys.argv[3])
times = []
for _ in range(2):
    began = time.perf_counter()
    detector.score(sys.argv[2])
    times.append(time.perf_counter() - began)
print(json.dumps({"score_seconds": min(times), "peak_gb": peak_gb()}))
"""


def bench(
    names: Sequence[str], edge: int, device: str, watch: Watch = silent
) -> list[dict[str, Any]]:
    """One row a backend: seconds a volume in training and in scoring, and the peak of scoring."""
    unknown = [name for name in names if name not in BACKENDS]
    if unknown:
        hint = suggest(unknown[0], list(BACKENDS))
        raise ConfigError(f"{unknown[0]}: no such backend", "E_SETTING", hint)
    chosen = list(names) or [name for name in sorted(BACKENDS) if _learns_at_once(name)]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "scan.nii.gz"
        volume = ball(edge, 0)
        write_map(scan, volume.voxels[0].numpy(), volume.grid)
        for done, name in enumerate(chosen, start=1):
            rows.append(_bench_one(name, edge, device, Path(folder), scan))
            watch("bench", done, len(chosen))
    return rows


def ball(edge: int, seed: int) -> Volume:
    """A ball of smooth noise the size of a brain within a cube of `edge` voxels of 1 mm."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 1, 24, 24, 24, generator=generator)
    voxels = torch.nn.functional.interpolate(coarse, (edge,) * 3, mode="trilinear")[0] + 0.5
    axis = (torch.arange(edge) - (edge - 1) / 2).square()
    distance = axis[:, None, None] + axis[:, None] + axis
    brain = distance < min(70.0, 0.45 * edge) ** 2
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = -(edge - 1) / 2
    shape = (edge, edge, edge)
    return Volume(voxels * brain, brain, affine, f"ball{seed}", True, Grid(shape, affine))


def _learns_at_once(name: str) -> bool:
    """Whether a backend reads each volume once or twice to learn: without a network or weights."""
    with torch.device("meta"):  # what it is made of, without the numbers of large networks
        detector = BACKENDS[name]().build()
    looks = any(isinstance(part, Backbone) for part in detector.modules())
    return not (looks or detector.extractor.learns or detector.scorer.learns)


def _bench_one(name: str, edge: int, device: str, folder: Path, scan: Path) -> dict[str, Any]:
    backend = BACKENDS[name]()
    detector = backend.build().on(device)
    volumes = [ball(edge, seed) for seed in range(TRAINED)]
    began = time.perf_counter()
    detector.fit(volumes, cache=Cache(folder / "cache"))
    seconds = (time.perf_counter() - began) / TRAINED
    model = folder / f"{name}.safetensors"
    save(model, Model(detector, name, backend))
    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(model), str(scan), device],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    measured = json.loads(done.stdout.splitlines()[-1])
    return {"backend": name, "train_seconds": seconds, **measured}
