import numpy as np
import torch

from slicenet.scorers.tally import Tally


def counted(counts, offset=0.0):
    parts = [
        torch.randn(count, 3, generator=torch.Generator().manual_seed(count)) * (1 + count) + offset
        for count in counts
    ]
    tally = Tally()
    for part in parts:
        tally.add(part)
    return tally, [part.double().numpy() for part in parts]


def test_all_together_are_one_cloud_of_vectors():
    tally, parts = counted((4, 90, 17), offset=1e4)
    mean, spread = tally.together()
    every = np.concatenate(parts)
    assert np.allclose(mean.numpy(), every.mean(0))
    assert np.allclose(spread.numpy(), every.std(0))


def test_each_volume_has_its_own_mean_and_spread():
    tally, parts = counted((4, 90))
    means, spreads = tally.each()
    assert np.allclose(means.numpy(), [part.mean(0) for part in parts])
    assert np.allclose(spreads.numpy(), [part.std(0) for part in parts])


def test_a_volume_without_vectors_changes_nothing_of_the_whole():
    (with_none, parts), (without, _) = counted((4, 0, 9)), counted((4, 9))
    for one, two in zip(with_none.together(), without.together(), strict=True):
        assert torch.allclose(one, two)
    assert with_none.each()[0].shape == (len(parts), 3)
