import pytest

from slicenet.errors import ConfigError
from slicenet.metrics.settings import EvaluationSettings


def test_strata_are_named_by_their_edges():
    assert EvaluationSettings().strata == ("<0.5mL", "0.5-5mL", ">=5mL")
    assert EvaluationSettings(strata_ml=(2.0,)).strata == ("<2mL", ">=2mL")
    assert EvaluationSettings(strata_ml=()).strata == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"minimum_voxels": 0},
        {"strata_ml": (5.0, 0.5)},
        {"strata_ml": (0.0, 5.0)},
        {"bins": 1},
        {"bootstrap_bins": 1},
        {"resamples": 0},
        {"seed": -1},
        {"level": 1.0},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError) as raised:
        EvaluationSettings(**wrong)
    assert raised.value.code == "E_SETTING"
    assert next(iter(wrong)) in raised.value.message
