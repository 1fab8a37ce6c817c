"""Somebody else's tensors into a backbone: all that it needs, or an error that says what lacks."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from slicenet.errors import CheckpointError
from slicenet.files import digest
from slicenet.weights import load, path
from slicenet.weights.reading import read_tensors

ENDINGS = (".safetensors", ".pth", ".pt")
IMAGENET = "imagenet"
RANDOM = "random"


def find(weights: str, backbone: str) -> dict[str, Tensor]:
    """Tensors of a file, or of weights in the store; `imagenet` is there as the backbone."""
    if weights.endswith(ENDINGS):
        return read_tensors(Path(weights).expanduser())
    return load(backbone if weights == IMAGENET else weights)


def fingerprint(weights: str, backbone: str) -> str:
    """A digest of the content that `find` would bring; of random weights none."""
    if weights == RANDOM:
        return ""
    file = resolve(weights, backbone)
    return digest(file) if file.is_file() else ""  # bringing it will say that it is absent


def resolve(weights: str, backbone: str) -> Path:
    """The file that `find` would read, which may not be there."""
    if weights.endswith(ENDINGS):
        return Path(weights).expanduser()
    return path(backbone if weights == IMAGENET else weights)


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy tensors under timm's or torchvision's names; those of later layers are left out."""
    own = network.state_dict()
    named = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    found = {name: named[key] for name in own for key in (_original(name, named),) if key in named}
    # A counter that inference never reads, and that folded and converted files lack.
    lacking = [n for n in own if n not in found and not n.endswith("num_batches_tracked")]
    if lacking:
        message = f"{source}: lacks {len(lacking)} of {len(own)} tensors, {lacking[0]} for one"
        raise CheckpointError(message, "E_WEIGHTS", "are these the weights of another backbone?")
    for name, tensor in found.items():
        if tensor.shape != own[name].shape:
            shapes = f"{list(tensor.shape)}, expected {list(own[name].shape)}"
            raise CheckpointError(
                f"{source}: {name} is {shapes}", "E_WEIGHTS",
                "are these the weights of another backbone?",
            )  # fmt: skip
    network.load_state_dict(found, strict=False)


def original(name: str) -> str:
    """A tensor's name in the whole network, where its stages are not flattened to `stages_0`."""
    return re.sub(r"^([a-z]+)_(\d+)\.", r"\1.\2.", name)


def _original(name: str, named: Mapping[str, Tensor]) -> str:
    """The name that a tensor had before timm flattened `stages.0` to `stages_0`."""
    return name if name in named else original(name)
