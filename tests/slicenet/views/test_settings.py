import pytest

from slicenet import presets
from slicenet.backends.simclr import SimClr
from slicenet.config import overlay
from slicenet.errors import ConfigError
from slicenet.views import Chance, ViewSettings


@pytest.mark.parametrize("wrong", [{"probability": 1.2}, {"probability": -0.1}, {"strength": -1.0}])
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ConfigError, match="views"):
        Chance(**({"probability": 0.5, "strength": 1.0} | wrong))
    with pytest.raises(ConfigError, match="boxes"):
        ViewSettings(boxes=0)


def test_the_harder_preset_is_harder_in_every_change():
    table = {name: value for name, value in presets.table("simclr-harder").items()
             if name != "backend"}  # fmt: skip
    gentle, harder = (vars(b.simclr.learn.views) for b in (SimClr(), overlay(SimClr(), table)))
    changes = [name for name, value in gentle.items() if isinstance(value, Chance)]
    assert len(changes) == 8
    for name in changes:
        assert harder[name].strength > gentle[name].strength
        assert harder[name].probability >= gentle[name].probability
