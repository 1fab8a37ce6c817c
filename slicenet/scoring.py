"""How strange each place is, and the one interface that scorers implement."""

import abc
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.calibration import Calibration, Threshold
from slicenet.domain import Reading
from slicenet.drawing import mask_png, overlay_html, overlay_png, picture_png, squashed
from slicenet.errors import CheckpointError
from slicenet.features import FeatureMap, signature
from slicenet.files import remove, write_bytes
from slicenet.images.write import write_map, write_mask
from slicenet.savepoint import Savepoint
from slicenet.simulation import SimulationSettings
from slicenet.volume import Volume
from slicenet.watch import Watch


@final
@dataclass(frozen=True, eq=False)
class AnomalyMap:
    """Raw scores on the grid of the volume they were given for; higher is stranger."""

    scores: Tensor = field(repr=False)  # [X, Y, Z] float32, RAS, 0 outside the brain
    volume: Volume
    volume_score: float  # one number for the whole brain
    calibration: Calibration | None = None
    readings: tuple[Reading, ...] = ()  # the input beside the cohort, where the model knows that

    @property
    def name(self) -> str:
        """The name of the volume."""
        return self.volume.name

    @property
    def brain(self) -> Tensor:
        """Where the scores mean something, [X, Y, Z] bool."""
        return self.volume.brain

    @property
    def p_value(self) -> float:
        """Share of healthy volumes at least as strange, never 0; NaN without a calibration."""
        return self.calibration.p_value(self.volume_score) if self.calibration else float("nan")

    @property
    def squashed(self) -> Tensor:
        """Scores in 0 to 1 of their own brain, to look at and never to decide by, [X, Y, Z]."""
        return torch.from_numpy(squashed(self.scores.numpy(), self.brain.numpy())).float()

    def worst(self, share: float = 0.01) -> float:
        """Mean score of the strangest `share` of the brain."""
        return worst(self.scores, self.brain, share)

    def mask(self, threshold: str = "fpr:0.01") -> Tensor:
        """Brain above a calibrated threshold, [X, Y, Z] bool."""
        return self.brain & (self.scores > self.value(threshold))

    def value(self, threshold: str) -> float:
        """The score that `fpr:0.01`, `q:0.99` or `value:3.2` stands for."""
        wanted = Threshold.parse(threshold)
        if wanted.kind == "value":
            return wanted.number
        if self.calibration is None:
            raise CheckpointError(
                f"{threshold}: this model was never calibrated", "E_UNCALIBRATED",
                "train it with a held-out share, or give value:X",
            )  # fmt: skip
        return self.calibration.value(wanted)

    def write(self, path: Path | str) -> None:
        """Write the scores as float32 NIfTI on the grid of the input file."""
        write_map(Path(path), self.scores.numpy(), self.volume.grid)

    def write_mask(self, path: Path | str, threshold: str = "fpr:0.01") -> None:
        """Write `mask(threshold)` as uint8 NIfTI on the grid of the input file."""
        write_mask(Path(path), self.mask(threshold).numpy(), self.volume.grid)

    def write_pictures(self, overlay: Path, mask: Path, threshold: str | None = None) -> None:
        """Write PNG files of a picture's size: it with the map on it, and what lies above.

        Without a threshold there is no mask.
        """
        write_bytes(overlay, self._picture_png(threshold))
        if threshold:
            write_bytes(mask, mask_png(self._shown(self.mask(threshold))))
        else:
            remove(mask)

    def _picture_png(self, threshold: str | None) -> bytes:
        above = None if threshold is None else self._shown(self.mask(threshold))
        image, scores = self._shown(self.volume.voxels[0]), self._shown(self.scores)
        return picture_png(image, scores, self._shown(self.brain), above)

    def _shown(self, values: Tensor) -> np.ndarray:
        """The only slice as rows and columns of the picture that it came from, [H, W]."""
        return self.volume.grid.from_ras(values.numpy())[..., 0].T

    def _repr_html_(self) -> str:
        facts = f"{self.name}: volume score {self.volume_score:.4g}"
        if self.calibration:
            facts += f", p = {self.p_value:.2g} among {self.calibration.subjects} healthy"
        return overlay_html(self._repr_png_(), facts)

    def _repr_png_(self) -> bytes:
        if self.volume.flat:
            return self._picture_png(None)
        return overlay_png(
            self.volume.voxels[0].numpy(), self.scores.numpy(), self.brain.numpy(),
            np.asarray(self.volume.spacing),
        )  # fmt: skip


class Scorer(nn.Module, abc.ABC):
    """Learns what healthy features look like, then scores new ones."""

    settings: object
    lesions: SimulationSettings | None = None  # to see in training beside what is healthy
    learns: bool = False  # whether `fit` trains a network
    seed: int = 0  # of what `fit` draws

    @abc.abstractmethod
    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Learn from feature maps, which may be walked more than once.

        All are healthy, but for those that mark cells of simulated lesions, if `lesions` asks.
        What takes long goes on from its `savepoint`, with the same outcome to the bit.
        """

    def lessons(self) -> str:
        """All that decides what `fit` learns besides the maps."""
        return f"{self.seed} {signature(self)}"

    @abc.abstractmethod
    def score(self, features: FeatureMap) -> Tensor:
        """Score every vector of the map, [N]; higher is stranger."""


def worst(scores: Tensor, brain: Tensor, share: float) -> float:
    """Mean of the highest `share` of `scores` inside the brain."""
    inside = scores[brain]
    count = max(1, int(share * inside.numel()))
    return torch.topk(inside, count).values.double().mean().item()
