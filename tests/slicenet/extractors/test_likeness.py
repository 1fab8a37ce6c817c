import numpy as np
import pytest
import torch

from slicenet.extractors.likeness import Bank, recognised, unlikeness


def vectors(count, seed):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)).double()


def plainly(first, second, owners, bank, whose, temperature):
    """NT-Xent one similarity at a time."""

    def unit(vector):
        return vector / np.linalg.norm(vector)

    views = [unit(v) for v in (*first, *second)]
    names = [*owners, *owners]
    total = 0.0
    for i in range(len(views)):
        p = (i + len(first)) % len(views)
        positive = np.exp(views[i] @ views[p] / temperature)
        below = positive
        for k in range(len(views)):
            if k not in (i, p) and names[k] != names[i]:
                below += np.exp(views[i] @ views[k] / temperature)
        for vector, name in zip(bank, whose, strict=True):
            if name != names[i]:
                below += np.exp(views[i] @ unit(vector) / temperature)
        total -= np.log(positive / below)
    return total / len(views)


@pytest.mark.parametrize("banked", [0, 7])
@pytest.mark.parametrize("owners", [[0, 1, 2, 3], [0, 1, 1, 3]])
def test_the_loss_is_that_of_a_plain_double_loop(banked, owners):
    first, second, kept = vectors(4, 0), vectors(4, 1), vectors(banked, 2)
    whose = torch.arange(banked) % 5
    bank = Bank.empty(6, kept.device)
    bank = Bank(bank.vectors.double(), bank.owners).after(kept, whose, 100)
    found = unlikeness(first, second, torch.tensor(owners), bank, 0.1)
    wanted = plainly(first.numpy(), second.numpy(), owners, kept.numpy(), whose.tolist(), 0.1)
    assert found.item() == pytest.approx(wanted, rel=1e-12)


def test_the_gradient_is_that_of_the_loss():
    first, second = vectors(3, 3).requires_grad_(True), vectors(3, 4).requires_grad_(True)
    bank = Bank(vectors(2, 5), torch.tensor([0, 8]))
    torch.autograd.gradcheck(
        lambda a, b: unlikeness(a, b, torch.arange(3), bank, 0.3), (first, second)
    )


def test_a_bank_forgets_the_oldest_and_holds_only_what_it_was_given():
    bank, given = Bank.empty(6, torch.device("cpu")), vectors(9, 6).float()
    assert len(bank.vectors) == 0
    for at in range(0, 9, 3):
        bank = bank.after(given[at : at + 3], torch.arange(at, at + 3), 5)
        assert len(bank.vectors) == min(5, at + 3)
    assert bank.owners.tolist() == [4, 5, 6, 7, 8]
    unit = given / given.norm(dim=1, keepdim=True)
    assert torch.allclose(bank.vectors, unit[4:])
    assert len(bank.after(given, torch.arange(9), 0).vectors) == 0


def test_a_bank_holds_on_to_no_graph():
    given = vectors(2, 7).float().requires_grad_(True)
    assert (
        not Bank.empty(6, torch.device("cpu"))
        .after(given, torch.arange(2), 4)
        .vectors.requires_grad
    )


def test_recognised_counts_those_nearest_to_their_own():
    first = torch.eye(4)
    second = torch.eye(4)[[0, 1, 3, 2]] * 3  # two have changed places; length says nothing
    owners = torch.arange(4)
    assert recognised(first, second, owners) == 0.5
    assert recognised(first, first, owners) == 1.0
    assert recognised(first, second, torch.tensor([0, 1, 2, 2])) == 1.0  # of one subject
