"""An encoder learns to know a brain again: 3D SimCLR on whole volumes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from slicenet.draws import drawing, weights_from
from slicenet.errors import ConfigError
from slicenet.extractors.encoder import Encoder, pooled
from slicenet.extractors.likeness import Bank, recognised, unlikeness
from slicenet.extractors.optimising import Descent, Part, check_budget
from slicenet.extractors.processes import joined, processes, share, sum_gradients
from slicenet.extractors.shelf import Shelf
from slicenet.savepoint import Savepoint
from slicenet.subjects import numbered
from slicenet.views import ViewSettings, view
from slicenet.watch import Watch

FRESH = 1 << 30  # an epoch that no training comes to, for views of a last question
ASKED = 256  # volumes, at most
MET = 32  # volumes whose features tell where a head has to begin


@dataclass(frozen=True)
class KinshipSettings:
    """Settings of `learn_kinship`."""

    steps: int = 2000  # 20000 as published
    batch: int = 12  # volumes of a step, each in two views, over all processes
    chunk: int = 4  # volumes in memory at a time; a batch of any size gives the same gradient
    both: bool = False  # change both views; as published, the first is the brain as it is
    temperature: float = 0.1
    bank: int = 1024  # embeddings of earlier steps that are negatives as well; 0 for none
    # Parts of the brain, along each axis, whose means the head is shown; 1 as published. One mean
    # over all of it teaches that place does not matter, and place is what the Gaussians go by.
    parts: int = 4
    head: tuple[int, ...] = (128, 64)  # channels of the projection that training throws away
    rate: float = 3e-4
    decay: float = 1e-4
    clip: float = 1.0  # longest gradient
    schedule: str = "cosine"  # constant, as published
    views: ViewSettings = ViewSettings()

    def __post_init__(self) -> None:
        check_budget(self, self.rate)
        if self.temperature <= 0 or self.bank < 0 or self.chunk < 1:
            raise ConfigError(
                "temperature must be positive, chunk count from 1 and bank from 0", "E_SETTING"
            )
        if not self.head or min(*self.head, self.parts) < 1:
            raise ConfigError("head and parts: expected counts, from 1", "E_SETTING")


@final
class Embedder(nn.Module):
    """Volumes [B, M, X, Y, Z] to embeddings [B, D], through a head that training throws away.

    Brains are so alike that all would begin in the same direction, from which the loss has no way
    down. What they have in common is therefore taken off first, as it was before training.
    """

    centre: Tensor  # [C]
    scale: Tensor  # [C]

    def __init__(self, encoder: Encoder, widths: Sequence[int], parts: int) -> None:
        super().__init__()
        self.encoder, self.parts = encoder, parts
        sizes = (encoder.settings.channels[-1] * parts**3, *widths)
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.head = nn.Sequential(*layers[:-1])
        self.register_buffer("centre", torch.zeros(sizes[0]))
        self.register_buffer("scale", torch.ones(sizes[0]))

    def forward(self, volumes: Tensor) -> Tensor:
        """Of any length."""
        return self.head((self.seen(volumes) - self.centre) / self.scale)

    def seen(self, volumes: Tensor) -> Tensor:
        """What the head is shown of them, [B, C]."""
        return pooled(self.encoder(volumes)[-1], self.parts)

    @torch.no_grad()
    def meet(self, volumes: Iterable[Tensor]) -> None:
        """Take the mean and the spread of what is seen of these, each [M, X, Y, Z]."""
        found = torch.cat([self.seen(volume[None]) for volume in volumes])
        self.centre.copy_(found.mean(0))
        self.scale.copy_(found.std(0).clamp(min=1e-6))


@final
@dataclass(frozen=True, eq=False)
class Twins:
    """Both views of every volume: functions of (seed, epoch, its place on the shelf)."""

    shelf: Shelf
    owners: Tensor  # [V] int64, whose each is
    settings: KinshipSettings
    seed: int
    device: torch.device

    def at(self, epoch: int, place: int, second: bool) -> Tensor:
        """One of the two, [M, X, Y, Z]."""
        voxels, brain = (stored.to(self.device) for stored in self.shelf[place])
        if not (second or self.settings.both):
            return voxels
        generator = drawing(self.seed, epoch, place, int(second))
        return view(voxels, brain, self.shelf.spacing, self.settings.views, generator)

    def places(self, step: int) -> tuple[int, list[int]]:
        """The epoch of a step and what it sees; what is left over at an epoch's end is not seen."""
        count = len(self.shelf)
        batch = min(self.settings.batch, count)
        epoch, turn = divmod(step, count // batch)
        order = np.random.default_rng([self.seed, epoch]).permutation(count)
        return epoch, order[turn * batch : (turn + 1) * batch].tolist()


def learn_kinship(
    encoder: Encoder,
    shelf: Shelf,
    subjects: Sequence[str],
    settings: KinshipSettings,
    seed: int,
    watch: Watch,
    savepoint: Savepoint = Savepoint(),
) -> float:
    """Train in place on a shelf, and the subject of each volume on it.

    The share of volumes whose subject is known by a view never seen before.

    Several processes of torch.distributed share each batch and end with the same weights.
    """
    device = next(encoder.parameters()).device
    owners = torch.tensor(numbered(subjects))
    _check(owners, settings)
    embedder = _fresh(encoder, settings, seed).to(device)
    twins = Twins(shelf, owners, settings, seed, device)
    met = range(min(MET, len(shelf)))
    embedder.meet(twins.at(FRESH, one, second) for one in met for second in (False, True))
    bank = Bank.empty(settings.head[-1], device)
    parts = [Part(embedder, settings.rate)]
    descent = Descent("simclr.learn", parts, settings, watch, savepoint=savepoint)
    if left := descent.carry(lambda: vars(bank)):
        bank = Bank(**left)
    for step in descent.steps():
        epoch, places = twins.places(step)
        loss, bank = ascend(embedder, twins, epoch, places, bank)
        sum_gradients(embedder)
        descent.follow(loss)
    encoder.eval()
    return known_again(embedder, twins, watch)


def ascend(
    embedder: Embedder, twins: Twins, epoch: int, places: Sequence[int], bank: Bank
) -> tuple[Tensor, Bank]:
    """Leave the gradient of one step in the weights; its loss, and the bank after it.

    Embeddings come first and without a graph; the gradient of the loss by each of them is then
    brought back chunk by chunk, so memory holds the graph of one chunk (Gao et al., 2021).
    """
    settings, own = twins.settings, places[share(len(places))]
    plan = [(place, second) for second in (False, True) for place in own]
    chunks = [plan[at : at + settings.chunk] for at in range(0, len(plan), settings.chunk)]
    embedder.zero_grad(set_to_none=True)
    with torch.no_grad():
        found = torch.cat([embedder(_stack(twins, epoch, chunk)) for chunk in chunks])
    found.requires_grad_(True)
    first, second = (joined(half) for half in found.chunk(2))
    owners = joined(twins.owners[list(own)].to(found.device))
    loss = unlikeness(first, second, owners, bank, settings.temperature)
    (slope,) = torch.autograd.grad(loss, found)
    if torch.isfinite(loss):
        for chunk, wanted in zip(chunks, slope.split(settings.chunk), strict=True):
            embedder(_stack(twins, epoch, chunk)).backward(wanted)
    seen = torch.cat((first, second)), torch.cat((owners, owners))
    return loss.detach(), bank.after(*seen, settings.bank)


@torch.no_grad()
def known_again(embedder: Embedder, twins: Twins, watch: Watch) -> float:
    """Share of volumes whose first view has one of the same subject for its nearest second."""
    count = min(len(twins.shelf), ASKED)
    views: list[list[Tensor]] = [[], []]
    for place in range(count):
        for second in (False, True):
            volume = twins.at(FRESH, place, second)
            views[second].append(embedder(volume[None])[0])
    found = recognised(torch.stack(views[0]), torch.stack(views[1]), twins.owners[:count])
    watch("known again", count, count, share=found)
    return found


def _check(owners: Tensor, settings: KinshipSettings) -> None:
    world = processes()[1]
    batch = min(settings.batch, len(owners))
    if len(owners.unique()) < 2:
        raise ConfigError("simclr: needs volumes of two subjects to tell apart", "E_TOO_FEW")
    if batch % world:
        raise ConfigError(f"simclr: {world} processes cannot share a batch of {batch}", "E_SETTING")


def _stack(twins: Twins, epoch: int, chunk: Sequence[tuple[int, bool]]) -> Tensor:
    return torch.stack([twins.at(epoch, place, second) for place, second in chunk])


def _fresh(encoder: Encoder, settings: KinshipSettings, seed: int) -> Embedder:
    """A head whose weights follow from the seed."""
    with weights_from(seed):
        return Embedder(encoder, settings.head, settings.parts)
