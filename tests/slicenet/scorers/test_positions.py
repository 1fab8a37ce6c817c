from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from slicenet.errors import ConfigError
from slicenet.scorers.positions import Positions, PositionSettings

CELLS = (3, 4, 2)


def healthy(count=40, missing=0.0, seed=0):
    """Scores whose mean and spread depend on the place, in volumes that lack some cells."""
    generator = torch.Generator().manual_seed(seed)
    level = torch.arange(24.0).view(CELLS)
    rows = []
    for _ in range(count):
        inside = torch.rand(CELLS, generator=generator) >= missing
        scores = level + (1 + level / 10) * torch.randn(CELLS, generator=generator)
        rows.append((scores[inside], inside))
    return rows


def fitted(kind, rows, **settings):
    positions = Positions(PositionSettings(kind=kind, **settings))
    positions.fit(rows)
    return positions


def test_without_a_kind_nothing_changes_and_nothing_is_walked():
    positions = Positions(PositionSettings())
    positions.fit(row for row in [1 / 1] if pytest.fail("walked"))
    scores = torch.randn(5)
    assert positions.judge(scores, torch.ones(5, 1, 1, dtype=torch.bool)) is scores


def test_the_quantiles_of_a_place_are_numpys_over_the_volumes_that_have_it():
    rows = healthy(missing=0.3)
    values = np.full((len(rows), 24), np.nan, np.float32)
    for row, (scores, inside) in zip(values, rows, strict=True):
        row[inside.flatten().numpy()] = scores.numpy()
    wanted = np.nanquantile(values, (np.arange(16) + 0.5) / 16, axis=0).T
    assert np.allclose(fitted("ecdf", rows).table.numpy(), wanted, atol=1e-5)


def test_z_is_the_deviation_from_the_place_once_many_volumes_are_seen():
    rows = healthy(2000)
    positions = fitted("z", rows, prior=1e-3)
    values = torch.stack([scores for scores, _ in rows]).double().numpy()
    scores = torch.linspace(-5, 40, 24)
    wanted = (scores.numpy() - values.mean(0)) / values.std(0)
    found = positions.judge(scores, torch.ones(CELLS, dtype=torch.bool))
    assert np.allclose(found.numpy(), wanted, rtol=1e-3, atol=1e-3)


def test_a_place_never_seen_is_judged_by_the_whole_brain():
    rows = [
        (scores[1:], inside & (torch.arange(24).view(CELLS) > 0)) for scores, inside in healthy()
    ]
    together = torch.cat([scores for scores, _ in rows]).numpy()
    for kind in ("z", "ecdf"):
        positions = fitted(kind, rows)
        one = torch.zeros(CELLS, dtype=torch.bool)
        one[0, 0, 0] = True
        low, middle, high = (
            float(positions.judge(torch.tensor([float(value)]), one))
            for value in np.quantile(together, (0.02, 0.5, 0.98))
        )
        assert low < middle < high
    assert middle == pytest.approx(np.log(2), abs=0.1)  # half of healthy lie above


def test_ecdf_is_the_share_of_healthy_above():
    rows = healthy(2000)
    positions = fitted("ecdf", rows, levels=64)
    values = torch.stack([scores for scores, _ in rows]).numpy()
    scores = torch.from_numpy(np.quantile(values, 0.9, axis=0))
    found = positions.judge(scores, torch.ones(CELLS, dtype=torch.bool)).numpy()
    assert np.allclose(np.exp(-found), 0.1, atol=0.01)


def test_beyond_all_healthy_the_surprise_is_that_of_a_pareto_tail():
    positions = fitted("ecdf", healthy(400), levels=32)
    inside, end = torch.ones(CELLS, dtype=torch.bool), positions.table[:, -1].clone()
    excess = torch.linspace(0, 50, 24)
    found = positions.judge(end + excess, inside) - positions.judge(end, inside)
    # A generalised Pareto tail of shape 1 and scale s: the share above falls by 1 + excess / s.
    wanted = stats.genpareto(c=1, scale=float(positions.tail)).logsf(excess.numpy())
    assert np.allclose(found.numpy(), -wanted, atol=1e-4)


@pytest.mark.parametrize("kind", ["z", "ecdf"])
def test_stranger_stays_stranger_at_every_place_however_far(kind):
    positions = fitted(kind, healthy(30, missing=0.5))
    inside = torch.ones(CELLS, dtype=torch.bool)
    levels = [
        positions.judge(torch.full((24,), float(score)), inside)
        for score in (-1000, -10, 0, 5, 20, 60, 1000, 2000)
    ]
    for lower, higher in pairwise(levels):
        assert (higher > lower).all()
        assert torch.isfinite(higher).all()


def test_what_is_no_kind_is_refused():
    with pytest.raises(ConfigError, match="have none, z, ecdf"):
        PositionSettings(kind="rank")
