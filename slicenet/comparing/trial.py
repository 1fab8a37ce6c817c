"""One backend with one seed, in a folder of its own: done once, and known again afterwards."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import save as serialize

from slicenet import files
from slicenet.cache import Cache
from slicenet.checkpoint import save, settings_table, versions
from slicenet.cohort import Case
from slicenet.comparing.single import Result, run
from slicenet.images.pairs import parts_of
from slicenet.inspection import Usable
from slicenet.leaderboard import COLUMNS
from slicenet.machine import peak_gb, processor
from slicenet.metrics import EvaluationSettings
from slicenet.metrics.resamples import Estimate
from slicenet.recipe import Recipe
from slicenet.training import remarks
from slicenet.watch import Watch, silent

FORMAT = 1
MODEL = "model.safetensors"
RECORD = "run.json"
SAMPLES = "evaluation_samples.safetensors"
LEFT = (RECORD, MODEL, SAMPLES, "evaluation.json", "evaluation.csv", "evaluation_cases.csv")


@final
@dataclass(frozen=True)
class Ground:
    """What all trials of a comparison have in common."""

    learnt: Usable
    tested: Usable
    cache: Cache
    device: str = "cpu"
    threads: int = 1

    @cached_property
    def facts(self) -> str:
        """Digest of everything here that decides a figure: scans, brains, truths and versions."""
        cases = [
            [case.name, case.subject, case.synthetic, digest, *_truth(case), *_role(case)]
            for usable in (self.learnt, self.tested)
            for case, digest in zip(usable.cohort.cases, usable.digests, strict=True)
        ]
        settings = dataclasses.asdict(EvaluationSettings())
        options = dataclasses.asdict(self.tested.cohort.options)
        every = [len(self.learnt.digests), cases, settings, options, self.device, versions()]
        return _digest(every)


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """What a trial came to, as its folder tells it."""

    record: Mapping[str, Any]  # run.json
    estimates: Mapping[str, Estimate]  # by figure, those of the leaderboard
    cases: Sequence[Mapping[str, Any]]  # figures of each tested volume


@final
@dataclass(frozen=True)
class Trial:
    """A recipe with its seed, and the folder that its outcome goes to."""

    recipe: Recipe
    ground: Ground
    folder: Path

    @cached_property
    def key(self) -> str:
        """Digest of everything that decides the outcome."""
        torch.manual_seed(self.recipe.train.seed)
        lessons = self.recipe.backend.build().extractor.lessons()  # weights count by their bytes
        settings = settings_table(self.recipe.backend)
        train = dataclasses.asdict(self.recipe.train)
        return _digest([FORMAT, self.recipe.name, settings, train, lessons, self.ground.facts])

    def outcome(self) -> Outcome | None:
        """What this very trial has left, its model aside; none if it is not all there."""
        record = files.read_json(self.folder / RECORD)
        if record.get("key") != self.key:
            return None
        evaluation = files.read_json(self.folder / "evaluation.json")
        try:
            samples = files.load_tensors(self.folder / SAMPLES, "np")
            rows = {row["figure"]: row for row in evaluation["figures"]}
            estimates = {
                key: Estimate(row["value"], row["low"], row["high"], samples.get(key))
                for key, row in rows.items() if key in COLUMNS
            }  # fmt: skip
            return Outcome(record, estimates, evaluation["cases"])
        except (OSError, SafetensorError, KeyError):  # damaged, as a copy may be
            return None

    def keeps_model(self) -> bool:
        """Whether the model lies beside its figures, which stand without it."""
        return (self.folder / MODEL).is_file()

    def stands(self) -> bool:
        """Whether the folder holds a trial, whichever it was."""
        return (self.folder / RECORD).exists()

    def carry_out(self, watch: Watch = silent) -> None:
        """Train, test and write all files, the record last: where it stands, the trial is whole."""
        for name in LEFT:
            files.remove(self.folder / name)
        ground = self.ground
        torch.set_num_threads(ground.threads)
        result = run(
            self.recipe, ground.learnt, ground.tested.cohort, watch, ground.cache, ground.device
        )
        save(self.folder / MODEL, result.model)
        result.evaluation.write(self.folder)
        files.write_bytes(self.folder / SAMPLES, serialize(_samples(result)))
        files.write_json(self.folder / RECORD, self._record(result))

    def _record(self, result: Result) -> dict[str, Any]:
        on_cuda = self.ground.device == "cuda"
        return {
            "format": FORMAT,
            "key": self.key,
            "backend": self.recipe.name,
            "settings": settings_table(self.recipe.backend),
            "train": dataclasses.asdict(self.recipe.train),
            "train_seconds": result.train_seconds,
            "cached_seconds": result.cached_seconds,
            "score_seconds": result.score_seconds,
            "peak_gb": peak_gb(),
            "gpu_gb": torch.cuda.max_memory_allocated() / 1e9 if on_cuda else None,
            "model_bytes": (self.folder / MODEL).stat().st_size,
            "device": self.ground.device,
            "processor": processor(),
            "threads": self.ground.threads,
            "versions": versions(),
            "warnings": [dataclasses.asdict(notice) for notice in remarks(result.model)],
        }


def _samples(result: Result) -> dict[str, Any]:
    found = {figure.key: figure.estimate.samples for figure in result.evaluation.figures}
    kept = {key: found.get(key) for key in COLUMNS}
    return {key: one.astype(np.float32) for key, one in kept.items() if one is not None}


def _truth(case: Case) -> list[str]:
    """SHA-256 of the files of the truth, and labels of it that count; none without one."""
    digests = [files.digest(path) for path in parts_of(case.truth)] if case.truth else []
    return [*digests, *map(str, case.labels)]


def _role(case: Case) -> list[str]:
    return [case.role] if case.role else []


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
