from typing import final

import pytest
import torch

from slicenet.cache import Cache
from slicenet.detector import Detector, MapSettings
from slicenet.extractors.intensity import IntensityExtractor, IntensitySettings
from slicenet.features import Extractor, FeatureMap, signature
from slicenet.frame import Frame, FrameSettings
from slicenet.scorers.zscore import ZScoreScorer, ZScoreSettings


def test_values_return_to_the_cells_they_came_from():
    inside = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0)) > 0.5
    lattice = torch.arange(60.0).reshape(3, 4, 5)
    features = FeatureMap(lattice[inside][:, None], inside)
    assert torch.equal(features.lattice(features.vectors[:, 0]), lattice * inside)
    assert torch.equal(features.cells().float(), features.vectors[:, 0])


def test_shapes_are_checked_at_the_border():
    with pytest.raises(AssertionError, match="three axes"):
        FeatureMap(torch.zeros(4, 1), torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(AssertionError, match="one vector"):
        FeatureMap(torch.zeros(8), torch.ones(2, 2, 2, dtype=torch.bool))


def test_a_signature_tells_settings_and_weights_apart():
    one, two = Frame(FrameSettings()), Frame(FrameSettings(spacing=(2.0, 2.0, 2.0)))
    three = Frame(FrameSettings())
    three.landmarks = torch.ones(1, 9)
    assert signature(one) == signature(Frame(FrameSettings()))
    assert len({signature(one), signature(two), signature(three)}) == 3


@final
class Sparing(Extractor):
    """Intensities, of which a scorer may learn from the last two brains alone."""

    settings = IntensitySettings(cell=8.0)

    def fit(self, volumes, watch, savepoint=None):
        """Nothing to learn."""

    def spared(self, count):
        return range(count - 2, count)

    def extract(self, volume):
        return IntensityExtractor(self.settings).extract(volume)


def test_a_scorer_learns_from_the_volumes_that_an_extractor_spares(make_brain, tmp_path):
    volumes, learnt = [make_brain(seed) for seed in range(5)], {}
    plain = IntensityExtractor(Sparing.settings)
    for extractor, brains in ((Sparing(), volumes), (plain, volumes[3:])):
        frame = Frame(FrameSettings(spacing=(4.0, 4.0, 4.0)))
        made = Detector(frame, extractor, ZScoreScorer(ZScoreSettings()), MapSettings())
        made.fit(brains, cache=Cache(tmp_path))
        learnt[len(brains)] = made.scorer.state_dict()
        assert len(made.domain.fitted_by) == len(brains)  # all of them are known
    assert learnt[2]
    assert all(torch.equal(held, learnt[2][name]) for name, held in learnt[5].items())
