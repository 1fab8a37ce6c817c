import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.scorers.channel import ChannelScorer, ChannelSettings
from slicenet.watch import silent


def test_the_score_is_the_channel_itself_in_single_precision():
    vectors = torch.arange(12.0).view(4, 3).half()
    features = FeatureMap(vectors, torch.ones(4, 1, 1, dtype=torch.bool))
    for index, wanted in ((-1, [2, 5, 8, 11]), (-3, [0, 3, 6, 9])):
        scorer = ChannelScorer(ChannelSettings(index))
        scorer.fit([features], silent)
        scores = scorer.score(features)
        assert scores.tolist() == wanted
        assert scores.dtype == torch.float32


def test_channels_are_counted_from_the_last_where_answers_are():
    with pytest.raises(ConfigError, match="from the last"):
        ChannelSettings(0)
