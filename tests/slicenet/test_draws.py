import torch

from slicenet.draws import drawing


def test_generators_follow_from_all_their_numbers():
    draws = [
        torch.rand(3, generator=drawing(*numbers))
        for numbers in ((1, 2), (1, 2), (2, 1), (1, 2, 1))
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])
