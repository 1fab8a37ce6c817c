"""A patch auto-encoder learns that the same place looks alike in two brains.

The siamese auto-encoder of Alaverdyan et al. (2020) and Pinon et al. (2023). The public code of the
latter pairs halves of a random batch, and takes their squared difference; here, as in the papers,
it is the cosine of two patches of one place in two subjects.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from slicenet.errors import ConfigError
from slicenet.extractors.colocated import Colocated
from slicenet.extractors.norms import settle
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.patch_coder import Coder
from slicenet.savepoint import Savepoint
from slicenet.watch import Watch

LIKENESSES = ("cosine", "mse")


@dataclass(frozen=True)
class TwinSettings:
    """Settings of `learn_twins`."""

    steps: int = 4000  # 20 000 of 500 pairs as published: 20 epochs of a million patches
    batch: int = 128  # pairs of a step
    # Weight of the likeness of two latents; 0.005 as published, which the sum of errors over all
    # voxels of a patch drowns.
    alpha: float = 1.0
    likeness: str = "cosine"  # or mse: minus the mean squared difference
    rate: float = 1e-3
    decay: float = 0.0
    clip: float = 100.0  # longest gradient
    schedule: str = "cosine"  # constant, as published
    settle: int = 50  # batches whose moments the batch norms keep

    def __post_init__(self) -> None:
        check_budget(self, self.rate)
        if self.likeness not in LIKENESSES:
            raise ConfigError(
                f"likeness: have {', '.join(LIKENESSES)}; got {self.likeness!r}", "E_SETTING"
            )
        if self.alpha < 0 or self.settle < 0:
            raise ConfigError("alpha and settle must not be negative", "E_SETTING")


def learn_twins(
    coder: Coder,
    pairs: Colocated,
    scale: tuple[Tensor, Tensor],
    settings: TwinSettings,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> None:
    """Train in place on patches brought to 0 to 1 by `scale`; afterwards in inference mode."""
    device = next(coder.parameters()).device

    def batch(step: int) -> Tensor:
        return scaled(pairs.at(step, settings.batch).to(device), *scale, axis=2)

    coder.train()
    descent = Descent(
        "siamese.learn", [Part(coder, settings.rate)], settings, watch, savepoint=savepoint
    )
    for step in descent.steps():
        patches = batch(step)  # [2, B, M, ...]
        latents = coder.encode(patches.flatten(0, 1))
        rebuilt = coder.decode(latents).unflatten(0, (2, -1))
        loss = twin_loss(patches, rebuilt, latents.unflatten(0, (2, -1)), settings)
        descent.learn(loss)
    settle(
        coder,
        lambda more: coder.decode(coder.encode(batch(settings.steps + more).flatten(0, 1))),
        settings.settle,
    )
    coder.eval()


def twin_loss(patches: Tensor, rebuilt: Tensor, latents: Tensor, settings: TwinSettings) -> Tensor:
    """Mean over pairs of both squared errors, less `alpha` times how like the latents are.

    Patches and what became of them are [2, B, ...], summed over; latents are [2, B, C].
    """
    error = (patches - rebuilt).square().flatten(2).sum((0, 2))  # [B]
    first, second = latents
    if settings.likeness == "cosine":
        likeness = F.cosine_similarity(first, second, dim=1)
    else:
        likeness = -(first - second).square().mean(1)
    return (error - settings.alpha * likeness).mean()


def scaled(values: Tensor, low: Tensor, high: Tensor, axis: int) -> Tensor:
    """Voxels with `low` and `high` [M] of each sequence, along `axis`, at 0 and 1.

    Nothing is cut: what is brighter than healthy stays so.
    """
    around = (-1, *[1] * (values.ndim - 1 - axis))
    return (values - low.reshape(around)) / (high - low).reshape(around)
