"""A Gaussian over features, place by place or shared, learnt in a single pass."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.scorers.moments import Moments, mahalanobis
from slicenet.scorers.room import check_room
from slicenet.scoring import Scorer
from slicenet.watch import Watch

PLACEMENTS = ("position", "shared")
PLACES = 4096  # covariances at once


@dataclass(frozen=True)
class GaussianSettings:
    """Settings of `GaussianScorer`."""

    mean: str = "position"  # or "shared": one for the whole brain
    covariance: str = "shared"  # or "position"
    prior: float = 10.0  # subjects that the shared estimate counts for, against those of a place
    ridge: float = 1e-3  # share of the mean variance added to the diagonal
    components: int = 0  # principal components kept, 0 for all channels
    log: bool = False  # score log(1 + distance), which brings far outliers near

    def __post_init__(self) -> None:
        if self.mean not in PLACEMENTS or self.covariance not in PLACEMENTS:
            raise ConfigError("mean and covariance: have position, shared", "E_SETTING")
        if self.mean == "shared" and self.covariance == "position":
            raise ConfigError("a shared mean has a shared covariance", "E_SETTING")
        if self.prior <= 0 or self.ridge < 0 or self.components < 0:
            raise ConfigError(
                "prior must be positive, ridge and components not negative", "E_SETTING"
            )


@final
class GaussianScorer(Scorer):
    """Mahalanobis distance to the healthy mean."""

    settings: GaussianSettings
    row: Tensor  # [cells] int64: where a cell stands below, 0 if no brain of the cohort had it
    count: Tensor  # [P], P = 1 if everything is shared; else the first is of no vector at all
    mean: Tensor  # [P, C]
    scatter: Tensor  # [P, C, C], or [1, C, C] where the covariance is shared
    basis: Tensor  # [C, components], empty without PCA
    overall: Tensor  # [C], mean over the whole brain

    def __init__(self, settings: GaussianSettings) -> None:
        super().__init__()
        self.settings = settings
        self.register_buffer("row", torch.empty(0, dtype=torch.int64))
        for name in ("count", "mean", "scatter", "basis", "overall"):
            self.register_buffer(name, torch.empty(0, dtype=torch.float64))

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        if self.settings.components:
            self.basis = _basis(maps, self.settings.components).to(self.count.device)
        if self.settings.mean == "position":
            self.row = _rows(maps).to(self.count.device)
        moments: Moments | None = None
        for features in maps:
            vectors = self._reduce(features.vectors)
            if moments is None:
                self._announce(vectors.shape[1], watch)
            moments = self._take(moments, vectors, features)
        assert moments is not None, "a cohort holds at least one volume"
        self.count, self.mean, self.scatter = moments.count, moments.mean, moments.scatter
        self.overall = moments.pooled().mean[0]

    def score(self, features: FeatureMap) -> Tensor:
        found = self._distances(features)
        return found.log1p() if self.settings.log else found

    def merge(self, other: "GaussianScorer") -> None:
        """Become the fit over the maps of both; the two must share their settings and basis."""
        if self.settings != other.settings or not torch.equal(self.basis, other.basis):
            raise ConfigError("fits of other settings or components cannot merge", "E_SETTING")
        both = self.row.clone()
        if both.numel():
            both = _numbered((self.row > 0) | (other.row > 0))
        moments = self._at(both).merge(other._at(both))
        self.row = both
        self.count, self.mean, self.scatter = moments.count, moments.mean, moments.scatter
        self.overall = moments.pooled().mean[0]

    def _distances(self, features: FeatureMap) -> Tensor:
        vectors = self._reduce(features.vectors)
        rows = self._rows_of(features)
        centred = vectors - self._means(rows)
        shared = self._shared_covariance()
        if self.settings.covariance == "shared":
            return mahalanobis(centred, torch.linalg.cholesky(shared)[None]).float()
        # A few thousand places at a time, so that memory stays flat.
        parts = [
            mahalanobis(part, torch.linalg.cholesky(self._covariances(places, shared)))
            for part, places in zip(centred.split(PLACES), rows.split(PLACES), strict=True)
        ]
        return torch.cat(parts).float()

    def _moments(self) -> Moments:
        return Moments(self.count, self.mean, self.scatter)

    def _at(self, row: Tensor) -> Moments:
        """The moments where `row` has each cell, and those of no vector elsewhere."""
        if not row.numel():
            return self._moments()
        summed = self.settings.covariance == "shared"
        moments = Moments.empty(int(row.max()) + 1, self.mean, summed)
        known = self.row > 0
        to, at = row[known], self.row[known]
        moments.count[to], moments.mean[to] = self.count[at], self.mean[at]
        moments.scatter[slice(1) if summed else to] = self.scatter[slice(1) if summed else at]
        return moments

    def _rows_of(self, features: FeatureMap) -> Tensor:
        """The row of each vector, [N], or one for all where the mean is shared."""
        if self.settings.mean == "shared":
            return self.row.new_zeros(1)
        return self.row[features.cells().to(self.row.device)]

    def _announce(self, channels: int, watch: Watch) -> None:
        """Tell how large the covariances will be, before there are any; refuse what cannot fit."""
        if self.settings.covariance == "shared":
            return
        places = int(self.row.max()) + 1
        size = places * channels**2 * 8
        watch("covariances", 0, places, channels=channels, gigabytes=size / 1e9)
        check_room(
            f"gaussian: {places} covariances of {channels} channels", size,
            "keep fewer components, share one covariance, or take a coarser frame",
        )  # fmt: skip

    def _take(self, moments: Moments | None, vectors: Tensor, features: FeatureMap) -> Moments:
        if self.settings.mean == "shared":
            batch = Moments.of(vectors)
            return moments.merge(batch) if moments else batch
        summed = self.settings.covariance == "shared"
        moments = moments or Moments.empty(int(self.row.max()) + 1, vectors, summed)
        moments.add(vectors, self._rows_of(features))
        return moments

    def _means(self, rows: Tensor) -> Tensor:
        """Mean at each row, drawn towards the whole brain's where few subjects were seen."""
        if self.settings.mean == "shared":
            return self.overall[None]
        count = self.count[rows][:, None]
        # Weight of one subject: a cell seen once is trusted half.
        return (self.mean[rows] * count + self.overall) / (count + 1)

    def _shared_covariance(self) -> Tensor:
        return _ridged(self._moments().within()[None], self.settings.ridge)[0]

    def _covariances(self, rows: Tensor, shared: Tensor) -> Tensor:
        """Covariance at each row, shrunk towards the shared one, [N, C, C]."""
        count, prior = self.count[rows][:, None, None], self.settings.prior
        freedom = (count - 1).clamp(min=0)
        blend = (self.scatter[rows] + prior * shared) / (freedom + prior)
        return _ridged(blend, self.settings.ridge)

    def _reduce(self, vectors: Tensor) -> Tensor:
        vectors = vectors.to(self.count.device, torch.float64)
        return vectors @ self.basis if self.basis.numel() else vectors


def _rows(maps: Iterable[FeatureMap]) -> Tensor:
    """A row for each cell that any of the maps has, from 1 on, and 0 for all others."""
    seen: Tensor | None = None
    for features in maps:
        seen = features.inside.cpu() if seen is None else seen | features.inside.cpu()
    assert seen is not None, "a cohort holds at least one volume"
    return _numbered(seen.flatten())


def _numbered(seen: Tensor) -> Tensor:
    return seen.cumsum(0) * seen


def _basis(maps: Iterable[FeatureMap], components: int) -> Tensor:
    """Directions of most variance over the whole cohort, [C, components]."""
    moments: Moments | None = None
    for features in maps:
        batch = Moments.of(features.vectors)
        moments = moments.merge(batch) if moments else batch
    assert moments is not None, "a cohort holds at least one volume"
    channels = moments.mean.shape[1]
    if components > channels:
        raise ConfigError(f"components: {components} of {channels} channels", "E_SETTING")
    return torch.linalg.eigh(moments.within()).eigenvectors.flip(1)[:, :components].contiguous()


def _ridged(covariance: Tensor, ridge: float) -> Tensor:
    """Covariances [P, C, C] whose diagonal is raised by a share of its mean."""
    mean = covariance.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-12)
    eye = torch.eye(covariance.shape[-1], dtype=covariance.dtype, device=covariance.device)
    return covariance + (ridge * mean + 1e-12)[:, None, None] * eye
