"""What an extractor sees in a volume, and the one interface that extractors implement."""

import abc
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from slicenet import __version__
from slicenet.domain import Portrait
from slicenet.errors import Notice
from slicenet.savepoint import Savepoint
from slicenet.volume import Volume
from slicenet.watch import Watch


@final
@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Feature vectors of those cells of a lattice that touch brain; the rest costs nothing.

    The lattice spans the frame evenly: each cell covers the same whole number of voxels.
    """

    vectors: Tensor  # [N, C], in the order of `inside`
    inside: Tensor  # [x, y, z] bool, N of them true
    strange: Tensor | None = None  # [N] bool: cells of simulated lesions, in training alone
    portrait: Portrait | None = None  # of the input, to tell how unlike the cohort it is
    subject: str = ""  # whose it is, in training; of its own if empty

    def __post_init__(self) -> None:
        assert self.inside.ndim == 3, "a lattice has three axes"
        assert self.vectors.ndim == 2, "one vector a cell"

    def cells(self) -> Tensor:
        """Flat lattice index of each vector, [N] int64."""
        return self.inside.flatten().nonzero()[:, 0]

    def lattice(self, values: Tensor) -> Tensor:
        """Values [N] at their places, 0 elsewhere, [x, y, z]."""
        return torch.zeros(self.inside.shape, device=values.device).masked_scatter_(
            self.inside.to(values.device), values.float()
        )


class Extractor(nn.Module, abc.ABC):
    """Turns a framed volume into features; `settings` tell what the weights do not."""

    settings: object
    notices: tuple[Notice, ...] = ()  # what a user of the model has to know
    learns: bool = False  # whether `fit` is work worth keeping for the next backend
    # What its vectors are, known before `fit`.
    answers: int = 0  # of the last channels, how many are scores already
    single: bool = False  # whether there is one channel, whatever the volume
    categorical: bool = False  # whether channels are whole numbers that name categories

    @abc.abstractmethod
    def fit(
        self, volumes: Iterable[Volume], watch: Watch, savepoint: Savepoint = Savepoint()
    ) -> None:
        """Learn from healthy framed volumes, which may be walked more than once.

        What takes long goes on from its `savepoint`, with the same outcome to the bit.
        """

    def lessons(self) -> str:
        """All that decides what `fit` learns besides the volumes; asked if `learns`."""
        return signature(self)

    def learnt_from(self) -> tuple[str, ...]:
        """SHA-256 of the image files that taught the weights which `fit` brings."""
        return ()

    def spared(self, count: int) -> Sequence[int]:
        """Which of the `count` volumes that `fit` walked a scorer may learn from, by their place.

        All, unless those that taught the extractor would look more healthy to it than others do.
        """
        return range(count)

    @abc.abstractmethod
    def extract(self, volume: Volume) -> FeatureMap:
        """Describe one framed volume."""


def signature(*modules: nn.Module) -> str:
    """SHA-256 of this version, and of the classes, settings and tensors of `modules`."""
    whole = hashlib.sha256(__version__.encode())
    for module in modules:
        whole.update(f"{type(module).__qualname__} {module.settings!r}".encode())
        for name, tensor in sorted(module.state_dict().items()):
            whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            whole.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()
