from dataclasses import replace

import numpy as np
import torch

from slicenet.features import FeatureMap
from slicenet.scorers.tokens import read_corpus


def lattice_map(seed, cells=(4, 5, 6), channels=3, strange=None):
    generator = torch.Generator().manual_seed(seed)
    inside = torch.rand(*cells, generator=generator) > 0.4
    vectors = torch.randn(int(inside.sum()), channels, generator=generator) * (1 + seed) + seed
    marks = None if strange is None else torch.arange(len(vectors)) % strange == 0
    return FeatureMap(vectors, inside, marks)


def test_moments_are_those_of_all_healthy_vectors_together():
    maps = [lattice_map(seed) for seed in range(5)]
    corpus = read_corpus(maps, seed=0, largest=200)
    together = torch.cat([one.vectors for one in maps]).double().numpy()
    assert np.allclose(corpus.mean.numpy(), together.mean(0))
    assert np.allclose(corpus.spread.numpy(), together.std(0))
    assert np.allclose(corpus.means[3].numpy(), maps[3].vectors.double().numpy().mean(0))
    assert corpus.lattice == (4, 5, 6)


def test_every_vector_keeps_its_cell_and_its_volume():
    maps = [lattice_map(seed) for seed in range(3)]
    corpus = read_corpus(maps, seed=0)
    assert len(corpus.healthy) == sum(len(one.vectors) for one in maps)
    for place in (0, 7, 40, 100):
        token = corpus.healthy.take(torch.tensor([place]))
        source = maps[int(token.volume)]
        row = int((source.cells() == token.cells).nonzero())
        assert torch.allclose(token.vectors[0], source.vectors[row], rtol=1e-3, atol=1e-3)


def test_numbers_that_half_precision_has_not_stay_finite():
    one = lattice_map(0)
    one.vectors[0] = 1e6
    assert torch.isfinite(read_corpus([one], seed=0).healthy.vectors).all()


def test_only_marked_cells_of_lesioned_maps_are_strange():
    healthy, lesioned = lattice_map(1), lattice_map(2, strange=7)
    corpus = read_corpus([healthy, lesioned], seed=0)
    assert len(corpus.strange) == int(lesioned.strange.sum())
    wanted = set(lesioned.cells()[lesioned.strange].tolist())
    assert set(corpus.strange.cells.tolist()) == wanted
    assert np.allclose(corpus.mean.numpy(), healthy.vectors.double().numpy().mean(0))


def test_a_volume_is_of_its_subject_or_of_its_own():
    subjects = ("b", "", "b", "", "a")
    maps = [replace(lattice_map(seed), subject=own) for seed, own in enumerate(subjects)]
    lesioned = replace(lattice_map(9, strange=7), subject="c")
    corpus = read_corpus([*maps, lesioned], seed=0)
    assert corpus.owners.tolist() == [0, 1, 0, 2, 3]


def test_what_is_too_much_is_thinned_evenly_over_volumes():
    maps = [lattice_map(seed) for seed in range(6)]
    corpus = read_corpus(maps, seed=0, largest=600)  # bytes: 100 vectors of 3 halves
    assert corpus.healthy.vectors.nbytes <= 600
    counts = torch.bincount(corpus.healthy.volume)
    assert len(counts) == 6
    assert counts.min() >= 0.5 * counts.max()
