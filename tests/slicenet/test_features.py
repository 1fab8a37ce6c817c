import pytest
import torch

from slicenet.features import FeatureMap, signature
from slicenet.frame import Frame, FrameSettings


def test_values_return_to_the_cells_they_came_from():
    inside = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0)) > 0.5
    lattice = torch.arange(60.0).reshape(3, 4, 5)
    features = FeatureMap(lattice[inside][:, None], inside)
    assert torch.equal(features.lattice(features.vectors[:, 0]), lattice * inside)
    assert torch.equal(features.cells().float(), features.vectors[:, 0])


def test_shapes_are_checked_at_the_border():
    with pytest.raises(AssertionError, match="three axes"):
        FeatureMap(torch.zeros(4, 1), torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(AssertionError, match="one vector"):
        FeatureMap(torch.zeros(8), torch.ones(2, 2, 2, dtype=torch.bool))


def test_a_signature_tells_settings_and_weights_apart():
    one, two = Frame(FrameSettings()), Frame(FrameSettings(spacing=(2.0, 2.0, 2.0)))
    three = Frame(FrameSettings())
    three.landmarks = torch.ones(1, 9)
    assert signature(one) == signature(Frame(FrameSettings()))
    assert len({signature(one), signature(two), signature(three)}) == 3
