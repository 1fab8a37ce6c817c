from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from slicenet.checkpoint import rounded
from slicenet.errors import ConfigError, VolumeError
from slicenet.extractors.categories import MOST, CategoryExtractor, CategorySettings
from slicenet.extractors.lattice import touching
from slicenet.watch import silent

SHAPE = (20, 24, 16)
LABELS = torch.tensor([0.0, 2.0, 41.0, 1003.0, 2035.0])


@pytest.fixture
def make_labels(make_brain):
    """A brain whose voxels hold a few labels at random, with gaps between their numbers."""

    def make(seed=0, sequences=1, labels=LABELS):
        volume = make_brain(seed, shape=SHAPE, sequences=sequences)
        draw = torch.Generator().manual_seed(seed)
        drawn = labels[torch.randint(len(labels), (sequences, *SHAPE), generator=draw)]
        return replace(volume, voxels=drawn * volume.brain)

    return make


def fitted(volumes, settings=CategorySettings(cell=6.0)):
    extractor = CategoryExtractor(settings)
    extractor.fit(volumes, silent)
    return extractor


def test_a_cell_holds_the_most_frequent_label_of_its_brain(make_labels):
    extractor = fitted([make_labels(seed) for seed in range(3)])
    volume = make_labels(9)
    found = extractor.extract(volume)
    steps = (2, 2, 2)  # of 3 mm
    assert torch.equal(found.inside, touching(volume.brain, steps))
    for code, cell in zip(found.vectors[:, 0].tolist(), found.inside.nonzero().tolist(),
                          strict=True):  # fmt: skip
        window = tuple(
            slice(at * step, at * step + step) for at, step in zip(cell, steps, strict=True)
        )
        seen = volume.voxels[0][window][volume.brain[window]].numpy()
        assert LABELS[int(code)] == stats.mode(seen).mode  # the lowest of several, as ours


def test_a_label_that_no_healthy_map_had_is_one_more_category(make_labels):
    extractor = fitted([make_labels(seed, labels=LABELS[:3]) for seed in range(2)])
    assert extractor.extract(make_labels(0, labels=LABELS[:3])).vectors.max() == 2
    volume = make_labels(1, labels=LABELS[:3])
    for late in (1.0, 500.0, -3.0, 9999.0):
        volume.voxels[:, 8:12, 10:14, 6:10] = late
        codes = extractor.extract(volume)
        middle = torch.zeros(codes.inside.shape, dtype=torch.bool)
        middle[4:6, 5:7, 3:5] = True
        assert (codes.vectors[middle[codes.inside]] == 3).all()


def test_sequences_have_labels_of_their_own(make_labels):
    def both(seed):
        one, two = make_labels(seed), make_labels(seed + 50, labels=LABELS[:2])
        return replace(one, voxels=torch.cat((one.voxels, two.voxels)))

    extractor = fitted([both(seed) for seed in range(3)])
    found = extractor.extract(both(0)).vectors
    assert found.shape[1] == 2
    assert found[:, 0].unique().tolist() == [0, 1, 2, 3, 4]
    assert found[:, 1].unique().tolist() == [0, 1]


def test_intensities_are_no_labels(make_brain, make_labels):
    with pytest.raises(VolumeError, match="no map of labels") as caught:
        fitted([make_brain(0, shape=SHAPE)])
    assert caught.value.code == "E_LABELS"
    assert "categories.levels with frame.intensity=robust" in caught.value.hint
    with pytest.raises(VolumeError, match="no map of labels"):
        fitted([make_labels()]).extract(make_brain(0, shape=SHAPE))
    with pytest.raises(VolumeError, match=f"{MOST} at most"):
        fitted([make_labels(labels=torch.arange(MOST + 40.0))])


def test_levels_share_healthy_intensities_evenly(make_brain):
    volumes = [make_brain(seed, shape=SHAPE, sequences=2) for seed in range(4)]
    extractor = fitted(volumes, CategorySettings(cell=3.0, levels=4))
    codes = torch.cat([extractor.extract(volume).vectors for volume in volumes])
    for sequence in codes.T:
        shares = torch.bincount(sequence.long(), minlength=4) / len(sequence)
        assert np.allclose(shares.numpy(), 0.25, atol=0.05)
    bright = replace(volumes[0], voxels=volumes[0].voxels + 1000)
    assert (extractor.extract(bright).vectors == 3).all()


def test_edges_in_single_precision_part_intensities_as_those_in_double_do(make_brain):
    volumes = [make_brain(seed, shape=SHAPE) for seed in range(3)]
    extractor = fitted(volumes, CategorySettings(levels=7))
    inside = [np.quantile(v.voxels[0, v.brain].numpy(), np.arange(1, 7) / 7) for v in volumes]
    doubles, singles = np.mean(inside, 0), extractor.known[0].numpy()
    assert singles.dtype == np.float32
    # All single numbers that lie nearest to an edge, on both sides of it and on it.
    near = doubles.astype(np.float32)
    near = np.stack(
        [np.nextafter(near, np.float32(-1e9)), near, np.nextafter(near, np.float32(1e9))]
    )
    found = torch.searchsorted(torch.from_numpy(singles), torch.from_numpy(near)).numpy()
    assert np.array_equal(found, np.searchsorted(doubles, near.astype(np.float64)))


def test_a_model_in_half_precision_keeps_every_label(make_labels):
    labels = torch.tensor([11101.0, 11102.0, 2.0**24 - 1])
    extractor = fitted([make_labels(seed, labels=labels) for seed in range(2)])
    before = extractor.known.clone()
    assert torch.equal(rounded(extractor).known, before)
    assert set(before[0].tolist()) == {11101, 11102, 2**24 - 1}


def test_what_an_earlier_version_kept_in_double_precision_is_taken(make_labels):
    extractor = fitted([make_labels(0)])
    other = CategoryExtractor(extractor.settings)
    other.known = extractor.known.double()  # a file decides before anything is loaded
    other.load_state_dict({"known": extractor.known.double()})
    assert torch.equal(other.known, extractor.known)
    assert other.known.dtype == extractor.known.dtype


def test_another_instance_takes_the_labels(make_labels):
    extractor = fitted([make_labels(0)])
    other = CategoryExtractor(extractor.settings)
    other.load_state_dict(extractor.state_dict())
    volume = make_labels(3)
    assert torch.equal(other.extract(volume).vectors, extractor.extract(volume).vectors)


@pytest.mark.parametrize(
    "wrong", [{"cell": 0.0}, {"least": 0.0}, {"levels": 1}, {"levels": -1}, {"levels": MOST + 1}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        CategorySettings(**wrong)
