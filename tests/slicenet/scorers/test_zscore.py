import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings
from slicenet.watch import silent

INSIDE = torch.ones(3, 4, 5, dtype=torch.bool)


def maps(subjects, seed=0, channels=1, offset=0.0):
    rng = np.random.default_rng(seed)
    return [
        FeatureMap(torch.from_numpy(offset + rng.standard_normal((60, channels))), INSIDE)
        for _ in range(subjects)
    ]


def fitted(cohort, **settings):
    scorer = ZScoreScorer(ZScoreSettings(**settings))
    scorer.fit(cohort, silent)
    return scorer


def test_scores_are_those_of_numpy_with_the_shrunken_variance():
    cohort, new = maps(15, offset=1000.0), maps(1, seed=9, offset=1000.0)[0]
    stacked = np.stack([m.vectors.numpy() for m in cohort])[..., 0]
    everywhere = stacked.var(0, ddof=1).mean()
    variance = (stacked.var(0, ddof=1) * 14 + 3 * everywhere) / 17
    z = (new.vectors.numpy()[:, 0] - stacked.mean(0)) / np.sqrt(variance)
    for side, wanted in (("both", np.abs(z)), ("bright", z), ("dark", -z)):
        found = fitted(cohort, prior=3.0, polarity=side).score(new).numpy()
        assert np.allclose(found, wanted, atol=1e-3)


def test_a_place_that_no_subject_covered_is_judged_by_the_whole_brain():
    hole = INSIDE.clone()
    hole[0, 0, 0] = False
    cohort = [FeatureMap(m.vectors[1:], hole) for m in maps(8, offset=5.0)]
    scorer = fitted(cohort)
    scores = scorer.score(FeatureMap(torch.full((60, 1), 5.0), INSIDE))
    assert torch.isfinite(scores).all()
    assert scores[0] < 1


def test_impossible_settings_are_refused():
    with pytest.raises(ConfigError):
        ZScoreSettings(polarity="x")
    with pytest.raises(ConfigError):
        ZScoreSettings(prior=0.0)
