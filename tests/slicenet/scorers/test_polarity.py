import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.scorers import polarity

SIGNED = torch.tensor([[3.0, 4.0], [-3.0, 4.0], [-2.0, -2.0]])


def test_both_sides_are_the_root_mean_square_over_sequences():
    wanted = torch.tensor([12.5, 12.5, 4.0]).sqrt()
    assert torch.allclose(polarity.strangeness(SIGNED, "both"), wanted)


def test_bright_and_dark_are_opposites():
    bright, dark = (polarity.strangeness(SIGNED, side) for side in ("bright", "dark"))
    assert torch.equal(bright, -dark)
    assert bright.tolist() == [3.5, 0.5, -2.0]


def test_another_polarity_is_refused():
    with pytest.raises(ConfigError, match="have both, bright, dark"):
        polarity.check("best")
