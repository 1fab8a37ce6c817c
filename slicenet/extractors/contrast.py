"""Encoder-decoder contrast (Guo et al., TMI 2023): a decoder must know what the encoder saw."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slicenet.draws import weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.backbone import Backbone
from slicenet.extractors.batches import Batches
from slicenet.extractors.mirror import Mirror
from slicenet.extractors.norms import ENOUGH, settle
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.slice_pool import SlicePool
from slicenet.savepoint import Savepoint
from slicenet.watch import Watch


@dataclass(frozen=True)
class ContrastSettings:
    """Settings of `contrast`. What differs from the published code is told beside it."""

    steps: int = 400  # 4000
    batch: int = 12  # 32 pictures; these are slices of one plane
    rate: float = 5e-5  # of the encoder
    decoder_rate: float = 5e-4
    decay: float = 1e-4
    clip: float = 1.0  # longest gradient
    schedule: str = "cosine"  # constant, which a tenth of the steps does not forgive
    momentum: float = 0.01  # of the batch norms, encoder and decoder
    # Slow norms still hold much of the starting weights' moments after so few steps.
    settle: int = 20  # batches whose moments the backbone keeps in the end; none
    blocks: int = 2  # of the decoder, a layer; as many as the encoder has there
    margin: int = 16  # pixels around the brain that are looked at; whole pictures

    def __post_init__(self) -> None:
        check_budget(self, self.rate, self.decoder_rate)
        if not 0 < self.momentum <= 1 or self.blocks < 1 or min(self.margin, self.settle) < 0:
            raise ConfigError(
                "momentum must be within 0 to 1, blocks count from 1, margin and settle from 0",
                "E_SETTING",
            )


def contrast(
    backbone: Backbone,
    pools: Sequence[SlicePool],
    picture: PictureSettings,
    settings: ContrastSettings,
    seed: int,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train `backbone` in place; the decoder is thrown away, and no step is preferred to the last.

    Every layer that the backbone shows is one level of the contrast: with the usual taps layer2
    and layer3, where the published one has layer1 as well and learns through layer4.
    """
    batches = Batches(pools, picture, settings.batch, settings.margin, backbone.strides[-1], seed)
    decoder = _fresh(backbone, settings.blocks, seed)
    parts = (Part(backbone.network, settings.rate), Part(decoder, settings.decoder_rate))
    fresh = settings.steps  # batches that no step sees
    backbone.anchor(batches.at(fresh + n).pictures for n in range(ENOUGH))
    descent = Descent("finetune.edc", parts, settings, watch, savepoint=savepoint)
    with _slow_norms((backbone, decoder), settings.momentum):
        for step in descent.steps():
            batch = batches.at(step)
            layers = [layer.float() for layer in backbone(batch.pictures)]
            descent.learn(difference(decoder(layers), layers))
        settle(backbone, lambda n: backbone(batches.at(fresh + n).pictures), settings.settle)


def difference(twins: Sequence[Tensor], layers: Sequence[Tensor]) -> Tensor:
    """Sum over levels of 1 - cosine between whole maps [S, C, h, w], the mean over S; one number.

    The encoder is no party to it: it learns through what the decoder was given alone, for it would
    else make its layers as dull as the decoder can tell.
    """
    return torch.stack(
        [
            1 - F.cosine_similarity(twin.flatten(1), layer.detach().flatten(1)).mean()
            for twin, layer in zip(twins, layers, strict=True)
        ]
    ).sum()


def _fresh(backbone: Backbone, blocks: int, seed: int) -> Mirror:
    """A decoder whose weights follow from the seed, beside the backbone."""
    with weights_from(seed):
        decoder = Mirror(backbone.channels, blocks)
    return decoder.to(next(backbone.parameters()).device, memory_format=torch.channels_last)  # type: ignore[call-overload]


@contextmanager
def _slow_norms(networks: Sequence[nn.Module], momentum: float) -> Iterator[None]:
    """Train with batch norms that forget slowly; afterwards they are as they were, and infer."""
    modules = [module for network in networks for module in network.modules()]
    norms = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = momentum
    for network in networks:
        network.train()
    try:
        yield
    finally:
        for norm, own in zip(norms, before, strict=True):
            norm.momentum = own
        for network in networks:
            network.eval()
