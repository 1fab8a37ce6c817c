from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.cache import Cache
from slicenet.detector import Detector, MapSettings
from slicenet.errors import ConfigError
from slicenet.extractors.denoising import DenoisingSettings
from slicenet.extractors.score_model import NoiseLevelSettings
from slicenet.extractors.score_networks import ScoreNetworkSettings
from slicenet.extractors.score_norms import ScoreNormExtractor, ScoreNormSettings
from slicenet.features import FeatureMap
from slicenet.frame import Frame, FrameSettings
from slicenet.scoring import Scorer
from slicenet.watch import silent

SHAPE = (20, 24, 16)
TINY = ScoreNormSettings(
    network=ScoreNetworkSettings(width=4, depth=2),
    levels=NoiseLevelSettings(3, 0.2, 4.0),
    learn=DenoisingSettings(steps=3, batch=2),
    patch=8,
    held=0.5,
)
FLAT = replace(TINY, network=replace(TINY.network, axes=2))


def brains(make_brain, count=4, sequences=1):
    return [make_brain(seed, shape=SHAPE, sequences=sequences) for seed in range(count)]


def framed(volume):
    return replace(volume, voxels=(volume.voxels - 100) / 10 * volume.brain)


def fitted(volumes, settings=TINY):
    torch.manual_seed(0)
    made = ScoreNormExtractor(settings)
    made.fit([framed(volume) for volume in volumes], silent)
    return made


@pytest.mark.parametrize("settings", [TINY, FLAT], ids=["3d", "2d"])
def test_norms_equal_a_computation_from_the_scores_of_each_sequence(make_brain, settings):
    made = fitted(brains(make_brain, sequences=2), settings)
    volume = framed(make_brain(9, shape=SHAPE, sequences=2))
    found = made.extract(volume)
    assert torch.equal(found.inside, volume.brain)
    squares = made.squares(volume).numpy()
    inside = volume.brain.numpy()
    x, y, z = np.argwhere(inside)[137]
    window = np.s_[max(x - 1, 0) : x + 2, max(y - 1, 0) : y + 2, max(z - 1, 0) : z + 2]
    wanted = np.sqrt(27 * squares[:, *window][:, inside[window]].mean(1))
    assert np.allclose(found.vectors[137], wanted, rtol=1e-4)
    assert (squares[:, ~inside] == 0).all()


def test_two_sequences_of_opposite_scores_do_not_cancel(make_brain):
    made = fitted(brains(make_brain, sequences=2))
    # A network that says nothing: the score is minus the image, in each sequence for itself.
    for parameter in made.model.network.last.parameters():
        parameter.zero_()
    volume = framed(make_brain(9, shape=SHAPE, sequences=2))
    opposed = replace(volume, voxels=torch.stack((volume.voxels[0], -volume.voxels[0])))
    scale = made.model.scale
    for found, level in zip(made.squares(opposed), TINY.levels.levels(), strict=True):
        alone = (level * volume.voxels[0] / (level**2 + scale**2)).square()
        torch.testing.assert_close(found, 2 * alone, atol=1e-5, rtol=1e-4)


def test_scores_in_slices_are_those_of_each_slice_alone(make_brain):
    made, volume = fitted(brains(make_brain), FLAT), framed(make_brain(9, shape=SHAPE))
    changed = replace(volume, voxels=volume.voxels.clone())
    changed.voxels[..., 8] += 5 * volume.brain[..., 8]
    differ = (made.squares(volume) - made.squares(changed)).abs().amax((0, 1, 2)) > 1e-6
    assert differ.nonzero().flatten().tolist() == [8]


class Remembers(Scorer):
    """Keeps what it is shown."""

    settings = None

    def fit(self, maps, watch):
        self.seen = [features.vectors for features in maps]

    def score(self, features):
        return features.vectors[:, 0]


def test_the_scorer_learns_from_brains_that_the_network_has_never_seen(make_brain, tmp_path):
    volumes, frame = brains(make_brain, 6), Frame(FrameSettings(spacing=(6.0, 6.0, 6.0)))

    def fit(cohort, folder):
        torch.manual_seed(0)
        made = Detector(frame, ScoreNormExtractor(TINY), Remembers(), MapSettings())
        made.fit(cohort, cache=Cache(tmp_path / folder))
        return made

    made = fit(volumes, "first")
    held = made.extractor.held.tolist()
    assert len(held) == 3
    shown = [made.extractor.extract(frame.enter(volumes[place])).vectors for place in held]
    assert all(
        torch.allclose(one.float(), two, atol=0.02)  # cached in half precision
        for one, two in zip(made.scorer.seen, shown, strict=True)
    )
    # Whatever the brains held out look like, the network learns the same to the bit.
    others = [
        replace(volume, voxels=volume.voxels.flip(1) * volume.brain) if place in held else volume
        for place, volume in enumerate(volumes)
    ]
    again = fit(others, "second")
    state = made.extractor.state_dict()
    assert all(
        torch.equal(state[name], held) for name, held in again.extractor.state_dict().items()
    )
    assert not torch.equal(again.scorer.seen[0], made.scorer.seen[0])


def test_with_nothing_held_the_scorer_learns_from_all(make_brain):
    made = fitted(brains(make_brain, 3), replace(TINY, held=0.0))
    assert list(made.spared(3)) == [0, 1, 2]


@pytest.mark.parametrize("scope", ["slice", "volume"])
def test_a_coarser_scope_has_a_cell_for_each_slice_or_one(make_brain, scope):
    made = fitted(brains(make_brain), replace(FLAT, scope=scope))
    found = made.extract(framed(make_brain(9, shape=SHAPE)))
    assert found.inside.shape == ((1, 1, 16) if scope == "slice" else (1, 1, 1))
    assert found.vectors.shape == (int(found.inside.sum()), 3)


def test_another_instance_takes_what_was_learnt(make_brain):
    made, other = fitted(brains(make_brain)), ScoreNormExtractor(TINY)
    other.load_state_dict(made.state_dict())
    volume = framed(make_brain(9, shape=SHAPE))
    one, two = made.extract(volume), other.extract(volume)
    assert isinstance(one, FeatureMap)
    assert torch.equal(one.vectors, two.vectors)
    assert list(other.spared(4)) == list(made.spared(4))


def test_how_norms_are_taken_does_not_change_what_is_learnt():
    def lessons(settings, seed=0):
        torch.manual_seed(seed)
        return ScoreNormExtractor(settings).lessons()

    same = replace(TINY, scope="slice", log=True, levels=replace(TINY.levels, count=9))
    assert lessons(TINY) == lessons(same)
    changed = [replace(TINY, held=0.3), replace(TINY, places=False), FLAT]
    assert all(lessons(other) != lessons(TINY) for other in changed)
    assert lessons(TINY, 1) != lessons(TINY)


def test_a_picture_has_no_third_dimension(make_brain):
    with pytest.raises(ConfigError, match="three dimensions"):
        fitted([make_brain(seed, shape=(20, 24, 1)) for seed in range(2)])


@pytest.mark.parametrize(
    "wrong", [{"scope": "cell"}, {"patch": 9}, {"held": 1.0}, {"window": 2}, {"window": 0}]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        replace(TINY, **wrong)
