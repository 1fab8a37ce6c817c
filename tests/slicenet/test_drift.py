import numpy as np
import pytest
import torch
from scipy import stats

from slicenet.drift import DriftSettings, steady
from slicenet.errors import ConfigError

LEVEL, BULK = DriftSettings("level"), DriftSettings("bulk")


@pytest.fixture
def healthy():
    """Scores of a brain as -log of a share of others: exponential; and where the brain is."""
    brain = torch.zeros(30, 30, 30, dtype=torch.bool)
    brain[3:27, 3:27, 3:27] = True
    draw = np.random.default_rng(0).exponential(size=brain.shape)
    return torch.from_numpy(draw).float() * brain, brain


def test_by_its_level_is_divided_by_a_power_of_a_quantile(healthy):
    scores, brain = healthy
    found = steady(scores, brain, DriftSettings("level", 0.9, 0.5))
    inside = scores[brain].numpy()
    assert np.allclose(found[brain].numpy(), inside / np.quantile(inside, 0.9) ** 0.5)
    assert not found[~brain].any()


def test_by_its_bulk_is_in_robust_deviations(healthy):
    scores, brain = healthy
    inside = scores[brain].numpy()
    wanted = (inside - np.median(inside)) / stats.median_abs_deviation(inside, scale="normal")
    assert np.allclose(steady(scores, brain, BULK)[brain].numpy(), wanted, atol=1e-4)
    assert not steady(scores, brain, BULK)[~brain].any()


@pytest.mark.parametrize("settings", [LEVEL, BULK])
def test_a_threshold_holds_better_where_a_scanner_raises_all_scores(healthy, settings):
    scores, brain = healthy
    rates = []
    for steadied in (DriftSettings(), settings):
        plain, raised = (steady(one, brain, steadied)[brain] for one in (scores, 1.8 * scores))
        threshold = torch.quantile(plain, 0.99)
        rates.append(float((raised > threshold).float().mean()))
    assert rates[0] > 0.06
    assert 0.005 < rates[1] < 0.025


def test_a_large_lesion_lowers_itself_but_still_stands_out(healthy):
    scores, brain = healthy
    threshold = torch.quantile(steady(scores, brain, LEVEL)[brain], 0.99)
    ill = scores.clone()
    ill[10:20, 10:20, 10:20] = 12  # 7 % of the brain
    found = steady(ill, brain, LEVEL)
    assert (found[10:20, 10:20, 10:20] > threshold).float().mean() > 0.9
    assert (found < steady(ill, brain, DriftSettings())).sum() > 0.9 * brain.sum()


def test_a_map_without_scores_stays_without():
    brain = torch.ones(4, 4, 4, dtype=torch.bool)
    for settings in (LEVEL, BULK):
        assert not steady(torch.zeros(4, 4, 4), brain, settings).any()


def test_what_is_not_above_zero_divides_nothing(healthy):
    scores, brain = healthy
    for lower in (8.0, 100.0):
        with pytest.raises(ConfigError, match="not above 0"):
            steady((scores - lower) * brain, brain, LEVEL)
    assert steady((scores - 100.0) * brain, brain, BULK).isfinite().all()


@pytest.mark.parametrize(
    "wrong", [{"kind": "scale"}, {"quantile": 1.0}, {"power": 0.0}, {"power": 1.5}]
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError):
        DriftSettings(**wrong)
