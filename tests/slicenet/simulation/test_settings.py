import pytest

from slicenet.config import overlay
from slicenet.errors import ConfigError
from slicenet.simulation.settings import JitterSettings, SimulationSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": -1.0},
        {"least": 13},
        {"mixed": -0.1},
        {"absent": 2.0},
        {"most": 50},
        {"smallest": 50.0},
        {"visible": -1.0},
        {"edges": (2.0,)},
        {"edges": (2.0, 1.0)},
        {"strengths": (0.0, 1.0)},
        {"shapes": ()},
        {"shapes": ("clouds", "stars")},
        {"looks": ("invisible",)},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError) as caught:
        SimulationSettings(**wrong)
    assert caught.value.code == "E_SETTING"
    assert next(iter(wrong)) in str(caught.value)


@pytest.mark.parametrize("name", list(vars(JitterSettings())))
def test_jitter_can_be_turned_off_but_not_below(name):
    assert getattr(JitterSettings(**{name: 0.0}), name) == 0
    with pytest.raises(ConfigError, match="jitter"):
        JitterSettings(**{name: -0.1})


def test_a_table_overlays_looks_and_what_is_nested():
    made = overlay(SimulationSettings(), {"looks": ["foreign"], "jitter": {"noise": 0}})
    assert made.looks == ("foreign",)
    assert (made.jitter.noise, made.jitter.blur) == (0.0, JitterSettings().blur)
