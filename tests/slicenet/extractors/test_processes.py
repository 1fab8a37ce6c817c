import torch

from slicenet.extractors.processes import joined, processes, share, sum_gradients


def test_one_process_has_all_of_it():
    own = torch.ones(3, 2)
    assert processes() == (0, 1)
    assert share(7) == slice(0, 7)
    assert joined(own) is own


def test_one_process_keeps_its_gradients():
    network = torch.nn.Linear(2, 1)
    network(torch.ones(1, 2)).sum().backward()
    before = network.weight.grad.clone()
    sum_gradients(network)
    assert torch.equal(network.weight.grad, before)


# Two processes are in test_kinship.py, where they have something to share.
