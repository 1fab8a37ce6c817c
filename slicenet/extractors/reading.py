"""What becomes of a slice: its own intensities, what the backbone sees, what its decoder says."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.extractors.decoder import Decoder
from slicenet.extractors.neighbourhood import NeighbourhoodSettings, join
from slicenet.extractors.planes import resample

PARTS = ("intensity", "encoder", "decoder", "logit")
SIGNED = ("intensity", "logit")
DECODED = ("decoder", "logit")  # on the decoder's finer lattice, and so all that is read with them
LEAST = 1e-3  # brain in a cell, below which it has no intensity


def check_parts(chosen: Sequence[str], merge: str) -> None:
    """Refuse what is no part, not in the order of the channels, or not to be merged so."""
    if not chosen or list(chosen) != [name for name in PARTS if name in chosen]:
        raise ConfigError(f"read: some of {', '.join(PARTS)}, in this order", "E_SETTING")
    if merge == "power" and any(name in SIGNED for name in chosen):
        message = "depth.merge: power is a mean of what is never negative"
        raise ConfigError(message, "E_SETTING", "read the encoder, the decoder or both")


def is_decoded(chosen: Sequence[str]) -> bool:
    """Whether a decoder is read."""
    return any(name in DECODED for name in chosen)


def read(
    layers: Sequence[Tensor],
    tapped: Sequence[int],
    decoder: Decoder | None,
    neighbourhood: NeighbourhoodSettings,
    chosen: Sequence[str],
    attends: bool,
    finer: int = 1,
) -> list[Tensor]:
    """Channels of slices whose layers, the finest first, are [S, C, h, w]; on one lattice.

    The answer comes last, also where it is not chosen but depth `attends` to it. The lattice is
    `finer` than that of the finest layer which is read.
    """
    parts = []
    seen = [layers[index] for index in tapped]
    if "encoder" in chosen:
        parts.append(join(seen, neighbourhood))
    if decoder is not None and (attends or is_decoded(chosen)):
        features, logit = decoder(layers)
        parts += [features.float()] if "decoder" in chosen else []
        parts += [logit.float()] if "logit" in chosen or attends else []
    h, w = (layers if is_decoded(chosen) else seen)[0].shape[2:]
    return [resample(part, (finer * h, finer * w)) for part in parts]


def intensities(pictures: Tensor, shown: Tensor, stride: int) -> Tensor:
    """Mean of each channel within the brain of each cell, [S, M, h, w].

    Pictures are [S, M, H, W], `shown` is the share of brain [S, 1, H, W].
    """
    share = F.avg_pool2d(shown, stride).clamp(min=LEAST)
    return F.avg_pool2d(pictures * shown, stride) / share
