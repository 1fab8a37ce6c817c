"""What becomes of a slice: features of the backbone, of the decoder, or the decoder's answer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.extractors.decoder import Decoder
from slicenet.extractors.neighbourhood import NeighbourhoodSettings, join
from slicenet.extractors.planes import resample

PARTS = ("encoder", "decoder", "logit")
ENCODER = ("encoder",)  # the only reading on the backbone's coarser lattice


def check_parts(chosen: Sequence[str]) -> None:
    """Refuse what is no part, or not in the order in which parts become channels."""
    if not chosen or list(chosen) != [name for name in PARTS if name in chosen]:
        raise ConfigError(f"read: some of {', '.join(PARTS)}, in this order", "E_SETTING")


def read(
    layers: Sequence[Tensor],
    tapped: Sequence[int],
    decoder: Decoder | None,
    neighbourhood: NeighbourhoodSettings,
    chosen: Sequence[str],
    attends: bool,
) -> Tensor:
    """Channels of slices whose layers, the finest first, are [S, C, h, w].

    The answer comes last, also where it is not chosen but depth `attends` to it.
    """
    parts = []
    seen = [layers[index] for index in tapped]
    if "encoder" in chosen:
        parts.append(join(seen, neighbourhood))
    if decoder is not None and (attends or tuple(chosen) != ENCODER):
        features, logit = decoder(layers)
        parts += [features.float()] if "decoder" in chosen else []
        parts += [logit.float()] if "logit" in chosen or attends else []
    size = (seen[0] if tuple(chosen) == ENCODER else layers[0]).shape[2:]
    return torch.cat([resample(part, size) for part in parts], 1)
