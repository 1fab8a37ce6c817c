from dataclasses import replace

import numpy as np
import torch

from slicenet.features import FeatureMap
from slicenet.scorers.sample import draw_sample


def maps(counts, channels=2):
    """Vectors that tell their volume and their row, the rest of the channels noise."""
    found = []
    for volume, count in enumerate(counts):
        noise = torch.randn(count, channels, generator=torch.Generator().manual_seed(volume))
        told = torch.tensor([[volume, row] for row in range(count)]).view(count, 2)
        inside = torch.ones(count, 1, 1, dtype=torch.bool)
        found.append(FeatureMap(torch.cat((told.float(), noise), 1), inside))
    return found


def per_volume(sample, volumes):
    return torch.bincount(sample.vectors[:, 0].long(), minlength=volumes).tolist()


def test_every_volume_gives_as_many_whatever_its_size():
    sample = draw_sample(maps((50, 400, 90, 70)), most=120, seed=0)
    assert per_volume(sample, 4) == [30] * 4
    assert per_volume(draw_sample(maps((50,) * 7), 24, 0), 7) == [4, 4, 4, 3, 3, 3, 3]


def test_no_vector_is_drawn_twice_and_all_are_true_ones():
    cohort = maps((60, 80, 100))
    sample = draw_sample(cohort, most=90, seed=3)
    rows = [tuple(row) for row in sample.vectors[:, :2].long().tolist()]
    assert len(set(rows)) == 90
    assert sample.owner.tolist() == [volume for volume, _ in rows]  # each of its own
    for (volume, row), vector in zip(rows, sample.vectors, strict=True):
        assert torch.equal(cohort[volume].vectors[row], vector)


def test_a_volume_with_less_than_its_share_gives_all_it_has():
    assert per_volume(draw_sample(maps((5, 0, 90)), 90, 0), 3) == [5, 0, 30]
    assert len(draw_sample(maps((5, 6)), 1000, 0).vectors) == 11


def test_the_mean_and_spread_are_those_of_all_vectors():
    cohort = maps((60, 80, 100))
    sample = draw_sample(cohort, most=9, seed=0)
    every = torch.cat([one.vectors for one in cohort]).double().numpy()
    assert np.allclose(sample.mean.numpy(), every.mean(0))
    assert np.allclose(sample.spread.numpy(), every.std(0))


def test_what_is_drawn_follows_from_the_seed_alone():
    one, two, other = (draw_sample(maps((60, 80)), 40, seed).vectors for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_vectors_beyond_half_precision_stay_finite():
    large = FeatureMap(torch.full((4, 2), 1e6), torch.ones(4, 1, 1, dtype=torch.bool))
    assert torch.isfinite(draw_sample([large], 4, 0).vectors).all()


def test_every_vector_is_of_the_subject_of_its_volume():
    whose = ("p2", "", "p1", "p2")
    cohort = [replace(one, subject=own) for one, own in zip(maps((9, 8, 7, 6)), whose, strict=True)]
    sample = draw_sample(cohort, most=20, seed=1)
    numbers = {0: 0, 1: 1, 2: 2, 3: 0}
    assert sample.owner.tolist() == [numbers[one] for one in sample.vectors[:, 0].tolist()]
