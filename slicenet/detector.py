"""A frame, an extractor and a scorer, joined: volumes in, anomaly maps out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.cache import Cache, CachedMaps
from slicenet.calibration import Calibration, Calibrator
from slicenet.cohort import Query, find_cohort
from slicenet.domain import Domain, Portrait, portray, unlike
from slicenet.drift import DriftSettings, steady
from slicenet.elsewhere import Elsewhere
from slicenet.errors import ConfigError
from slicenet.features import Extractor, FeatureMap, signature
from slicenet.frame import Frame
from slicenet.learning import Walked, fit_extractor, fit_scorer, identities
from slicenet.resampling import smooth_inside
from slicenet.scorers.positions import Positions, PositionSettings
from slicenet.scoring import AnomalyMap, Scorer, worst
from slicenet.simulation import simulate
from slicenet.volume import Volume
from slicenet.watch import Watch, silent

LESION = 0.5  # share of a cell that is simulated lesion, from which on the cell is one


@dataclass(frozen=True)
class MapSettings:
    """How the scores of cells become a map and one number."""

    position: PositionSettings = PositionSettings()  # scores against those of healthy, by place
    smooth: float = 0.0  # mm, deviation of a Gaussian over the lattice, inside the brain only
    share: float = 0.01  # of the brain, the strangest, whose mean is the volume score
    drift: DriftSettings = DriftSettings()  # each map by its own level; volume scores come before

    def __post_init__(self) -> None:
        if self.smooth < 0 or not 0 < self.share <= 1:
            raise ConfigError("map: smooth must be >= 0 and share within 0 to 1", "E_SETTING")


@final
class Detector(nn.Module):
    """The whole model: everything above it sees only `fit`, `calibrate` and `score`."""

    def __init__(
        self, frame: Frame, extractor: Extractor, scorer: Scorer, finish: MapSettings
    ) -> None:
        super().__init__()
        self.frame = frame
        self.extractor = extractor
        self.scorer = scorer
        self.positions = Positions(finish.position)
        self.domain = Domain()
        self.finish = finish
        self.calibration: Calibration | None = None
        self.saved = 0.0  # seconds that `fit` would have taken beyond its own without the cache

    def on(self, device: str) -> "Detector":
        """Compute on `device`; the statistics of a scorer stay off mps, which has no doubles."""
        self.extractor.to(device)
        for statistics in (self.scorer, self.positions):
            statistics.to("cpu" if device == "mps" else device)
        return self

    def fit(
        self, healthy: Sequence[Volume], watch: Watch = silent, cache: Cache | None = None
    ) -> None:
        """Learn from healthy volumes only."""
        self.calibration = None
        cache = cache or Cache()
        self.frame.fit(healthy, watch)
        healthy = Elsewhere(healthy, self.frame.settings.elsewhere)
        learns = self.extractor.learns or self.scorer.learns
        those = identities(healthy) if learns else ""
        self.saved = fit_extractor(self.frame, self.extractor, healthy, those, watch, cache)
        spared = self.extractor.spared(len(healthy))
        maps = self.maps(healthy, watch, cache, spared)
        walked = Walked(maps, self._lesioned_maps(healthy, watch, cache, spared))
        described = f"{signature(self.frame, self.extractor)} {[*spared]} {those}"
        known = fit_scorer(self.scorer, walked, described, watch, cache)
        self.positions.fit((self.scorer.score(features), features.inside) for features in maps)
        self._fit_domain(healthy, maps)
        # Of the seconds known from before, those do not count that places took once more.
        self.saved += max(known - maps.spent, 0) if known else sum(m.saved for m in walked.parts)

    def calibrate(self, healthy: Sequence[Volume], watch: Watch = silent) -> None:
        """Learn what scores mean, from healthy volumes that `fit` has not seen."""
        calibrator = Calibrator()
        seen = Elsewhere(healthy, self.frame.settings.elsewhere)
        portraits, subjects = list[Portrait](), list[str]()
        for done, volume in enumerate(seen):
            features, noted = self._look(volume)
            anomalies = self.judge(features, noted)
            assert features.portrait is not None, "looked at"
            portraits.append(features.portrait)
            subjects.append(volume.subject)
            scores = anomalies.scores[volume.brain].numpy()
            calibrator.add(scores, anomalies.volume_score, volume.subject)
            watch("calibrate", done + 1, len(seen))
        self.calibration = calibrator.finish()
        self.domain.hold(portraits, subjects)

    @torch.no_grad()
    def score(self, volume: Volume | Path | str) -> AnomalyMap:
        """Map anomalies on the grid of `volume`."""
        if not isinstance(volume, Volume):
            cohort = find_cohort([Path(volume)], query=Query(labels=self.frame.of_labels))
            if len(cohort) != 1:
                raise ConfigError(f"{volume}: {len(cohort)} volumes, score takes one", "E_MANY")
            volume = cohort[0]
        return self.judge(*self._look(volume))

    @torch.no_grad()
    def judge(self, features: FeatureMap, volume: Volume) -> AnomalyMap:
        """Map anomalies of a volume that was described before, by `maps` say."""
        found = self.positions.judge(self.scorer.score(features), features.inside)
        lattice = self._smooth(features.lattice(found).cpu(), features)
        scores = self.frame.leave(lattice, features.inside.cpu(), volume)
        overall = worst(scores, volume.brain, self.finish.share)
        scores = steady(scores, volume.brain, self.finish.drift)
        readings = self.domain.read(features.portrait) if features.portrait else ()
        told = unlike(volume.name, readings, self.domain.subjects)
        volume = replace(volume, notices=(*volume.notices, *told))
        return AnomalyMap(scores, volume, overall, self.calibration, readings)

    def maps(
        self,
        volumes: Sequence[Volume],
        watch: Watch = silent,
        cache: Cache | None = None,
        only: Sequence[int] | None = None,
    ) -> CachedMaps:
        """The features of volumes, or of some by their index, from the cache where it has them."""
        mark = signature(self.frame, self.extractor)
        return CachedMaps(volumes, self._describe, mark, cache or Cache(), watch, only)

    def _fit_domain(self, healthy: Sequence[Volume], maps: CachedMaps) -> None:
        """Learn what the cohort has in common; most of it was seen when it was described."""
        portraits, subjects = dict(maps.portraits), dict(maps.subjects)
        places = range(len(healthy))
        for index in places:
            if index not in portraits:
                volume = healthy[index]
                portraits[index], subjects[index] = self._portray(volume), volume.subject
        self.domain.fit([portraits[one] for one in places], [subjects[one] for one in places])

    def _lesioned_maps(
        self, volumes: Sequence[Volume], watch: Watch, cache: Cache, only: Sequence[int]
    ) -> CachedMaps | None:
        """The same volumes with simulated lesions, if the scorer wants them."""
        if self.scorer.lesions is None:
            return None
        mark = f"{signature(self.frame, self.extractor)} {self.scorer.lesions!r}"
        return CachedMaps(volumes, self._describe_lesioned, mark, cache, watch, only)

    @torch.no_grad()
    def _describe_lesioned(self, volume: Volume) -> FeatureMap:
        assert self.scorer.lesions is not None
        framed = self.frame.enter(volume)
        draw = torch.Generator().manual_seed(int(volume.digest[:15], 16))
        voxels, truth = simulate(
            framed.voxels[None], framed.brain[None], framed.spacing.tolist(),
            self.scorer.lesions, draw,
        )  # fmt: skip
        features = self.extractor.extract(replace(framed, voxels=voxels[0]))
        x, y, z = features.inside.shape
        share = F.adaptive_avg_pool3d(truth, (x, y, z))[0]
        return replace(features, strange=share[features.inside] >= LESION)

    def _describe(self, volume: Volume) -> FeatureMap:
        return self._look(volume)[0]

    @torch.no_grad()
    def _look(self, volume: Volume) -> tuple[FeatureMap, Volume]:
        """What is seen in a volume, and the volume with what was noticed on its way in."""
        framed = self.frame.enter(volume)
        features = replace(self.extractor.extract(framed), portrait=portray(volume, framed))
        return features, replace(volume, notices=framed.notices)

    def _portray(self, volume: Volume) -> Portrait:
        return portray(volume, self.frame.enter(volume))

    def _smooth(self, lattice: Tensor, features: FeatureMap) -> Tensor:
        if not self.finish.smooth:
            return lattice
        box = np.multiply(self.frame.shape, self.frame.settings.spacing)  # mm
        x, y, z = (self.finish.smooth * np.array(lattice.shape) / box).tolist()
        return smooth_inside(lattice[None], features.inside.cpu(), (x, y, z))[0]
