import pytest
import torch
from torch._subclasses import FakeTensorMode

from slicenet.backends import BACKENDS
from slicenet.config import overlay
from slicenet.extractors.doubles import wide
from tests.tiny import NETWORKS, TINY


def test_doubles_stay_where_they_can_be_and_pass_gradients_on():
    values = torch.tensor([0.1, 0.2], requires_grad=True)
    found = wide(values)
    assert (found.dtype, found.device) == (torch.float64, values.device)
    found.square().sum().backward()
    assert torch.equal(values.grad, 2 * values.detach())
    with FakeTensorMode():  # which has every device, and no numbers
        assert wide(torch.ones(2, device="cuda")).device.type == "cuda"
        assert wide(torch.ones(2, device="mps")).device.type == "cpu"


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_no_extractor_holds_doubles_that_mps_could_not_hold(name):
    detector = overlay(BACKENDS[name](), TINY.get(name, {})).build()
    NETWORKS.get(name, lambda made: None)(detector)
    state = detector.extractor.state_dict()
    assert [key for key, held in state.items() if held.dtype == torch.float64] == []
