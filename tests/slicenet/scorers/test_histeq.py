import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.histeq import HistEqScorer, HistEqSettings

INSIDE = torch.ones(4, 5, 5, dtype=torch.bool)


def test_ranks_are_those_of_scipy_with_ties_in_the_middle():
    values = np.random.default_rng(0).integers(0, 20, 100).astype(np.float32)
    ranks = (rankdata(values) - 0.5) / 100
    features = FeatureMap(torch.from_numpy(values)[:, None], INSIDE)
    for side, wanted in (
        ("both", np.abs(ranks - 0.5)),
        ("bright", ranks - 0.5),
        ("dark", 0.5 - ranks),
    ):
        found = HistEqScorer(HistEqSettings(side)).score(features).numpy()
        assert np.allclose(found, wanted, atol=1e-6)


def test_any_rising_change_of_intensity_changes_nothing():
    values = torch.rand(100, 1, generator=torch.Generator().manual_seed(0))
    scorer = HistEqScorer(HistEqSettings())
    one, two = (scorer.score(FeatureMap(v, INSIDE)) for v in (values, values.exp() * 7 - 3))
    assert torch.equal(one, two)


def test_another_polarity_is_refused():
    with pytest.raises(ConfigError):
        HistEqSettings("best")
