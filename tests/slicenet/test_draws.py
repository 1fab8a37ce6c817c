import torch

from slicenet.draws import drawing, weights_from


def test_generators_follow_from_all_their_numbers():
    draws = [
        torch.rand(3, generator=drawing(*numbers))
        for numbers in ((1, 2), (1, 2), (2, 1), (1, 2, 1))
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])


def test_weights_follow_from_their_seed_and_leave_other_draws_alone():
    torch.manual_seed(7)
    wanted = torch.nn.Linear(3, 2).weight
    torch.manual_seed(1)
    alone = torch.rand(4)
    torch.manual_seed(1)
    first = torch.rand(2)
    with weights_from(7):
        found = torch.nn.Linear(3, 2).weight
    assert torch.equal(found, wanted)
    assert torch.equal(torch.cat((first, torch.rand(2))), alone)
