"""A channel that is a score already, such as the answer of a decoder."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.features import FeatureMap
from slicenet.savepoint import Savepoint
from slicenet.scoring import Scorer
from slicenet.watch import Watch


@dataclass(frozen=True)
class ChannelSettings:
    """Settings of `ChannelScorer`."""

    index: int = -1  # of the channel, from the last, where answers are

    def __post_init__(self) -> None:
        if self.index >= 0:
            message = f"index: counted from the last channel, -1; got {self.index}"
            raise ConfigError(message, "E_SETTING")


@final
class ChannelScorer(Scorer):
    """One channel as it is; higher is stranger."""

    settings: ChannelSettings

    def __init__(self, settings: ChannelSettings) -> None:
        super().__init__()
        self.settings = settings

    def fit(
        self, maps: Iterable[FeatureMap], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Nothing to learn."""

    def score(self, features: FeatureMap) -> Tensor:
        return features.vectors[:, self.settings.index].float()
