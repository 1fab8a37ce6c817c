"""An image network of timm, up to the last layer that is looked at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from slicenet.draws import weights_from
from slicenet.errors import ConfigError, Notice
from slicenet.extractors.expected import ExpectedSettings, adapt, normalise
from slicenet.extractors.folded import Folding
from slicenet.extractors.norms import anchor
from slicenet.extractors.precision import check_precision, uses_bfloat16
from slicenet.extractors.pretrained import RANDOM, fill, find
from slicenet.timm_door import timm

# What timm makes of an index beyond the last, and of backbones that show no layers.
NO_TAPS = (RuntimeError, AssertionError, IndexError)


@dataclass(frozen=True)
class BackboneSettings:
    """Settings of `Backbone`."""

    name: str = "wide_resnet50_2.tv_in1k"  # in timm; a bare wide_resnet50_2 means other weights
    taps: tuple[int, ...] = (2, 3)  # timm's out_indices: layer2 and layer3 of a ResNet
    weights: str = "imagenet"  # or random, a .safetensors or .pth file, a name in the store
    expected: ExpectedSettings = ExpectedSettings()
    precision: str = "auto"  # bfloat16 where it is faster; or bfloat16, float32
    compiled: bool = False  # by torch for scoring, on a GPU: minutes at first, then faster

    def __post_init__(self) -> None:
        if not self.taps or list(self.taps) != sorted(set(self.taps)) or self.taps[0] < 0:
            raise ConfigError(f"taps: expected rising indices, got {self.taps}", "E_SETTING")
        if not self.weights:
            raise ConfigError("weights: expected imagenet, random, a file or a name", "E_SETTING")
        check_precision(self.precision)


@final
class Backbone(nn.Module):
    """Pictures in, the maps of a few layers out, the finest first."""

    strides: tuple[int, ...]  # pixels a cell of each layer
    channels: tuple[int, ...]
    tapped: tuple[int, ...]  # which of the layers the settings tap

    def __init__(self, settings: BackboneSettings, finest: int | None = None) -> None:
        """`finest` is timm's index of a layer from which on all are wanted, for a decoder."""
        super().__init__()
        self.settings = settings
        taps = settings.taps if finest is None else tuple(range(finest, settings.taps[-1] + 1))
        self.tapped = tuple(taps.index(tap) for tap in settings.taps)
        network = _build(settings, taps)
        self.strides = tuple(network.feature_info.reduction())
        self.channels = tuple(network.feature_info.channels())
        if any(coarse % fine for fine, coarse in zip(self.strides, self.strides[1:], strict=False)):
            raise ConfigError(f"taps: strides {self.strides} do not nest", "E_SETTING")
        adapt(network, settings.expected)
        self.network: nn.Module = network.to(memory_format=torch.channels_last).eval()
        self._folding = Folding(settings.compiled)

    def notices(self, tuned: bool) -> tuple[Notice, ...]:
        """What a user of these weights has to know, who may have them fine-tuned."""
        if self.settings.weights != RANDOM:
            return ()
        told = "started from random weights: it sees nothing but what it is fine-tuned on"
        message = told if tuned else "has random weights: it has never seen a picture"
        return (Notice("W_RANDOM_WEIGHTS", f"{self.settings.name} {message}"),)

    def bring_weights(self) -> None:
        """Load the weights that the settings name; random ones are there since the build."""
        if self.settings.weights != RANDOM:
            source = f"{self.settings.name} from {self.settings.weights}"
            fill(self.network, find(self.settings.weights, self.settings.name), source)

    def forward(self, pictures: Tensor) -> Sequence[Tensor]:
        """RGB pictures [S, 3, H, W] in 0 to 1 to maps, each [S, C, H / stride, W / stride].

        For training: gradients pass, and the mode is whatever was set. Where neither is asked for,
        what stands still is multiplied out beforehand.
        """
        device = next(self.network.parameters()).device
        seen = normalise(pictures.to(device), self.settings.expected)
        fast = uses_bfloat16(self.settings.precision, device)
        if not (torch.is_grad_enabled() or self.network.training):
            folded = self._folding.of(self.network, torch.bfloat16 if fast else torch.float32)
            if folded is not None:
                return folded(seen)
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            return tuple(self.network(seen.contiguous(memory_format=torch.channels_last)))

    def anchor(self, batches: Iterable[Tensor]) -> None:
        """Ready its norms to go by batches of pictures like these, and still answer as before.

        Random weights have no answer to keep.
        """
        if self.settings.weights != RANDOM:
            device = next(self.network.parameters()).device
            seen = (normalise(batch.to(device), self.settings.expected) for batch in batches)
            anchor(self.network, seen)

    @torch.no_grad()
    def look(self, pictures: Tensor) -> Sequence[Tensor]:
        """The same for scoring, in inference mode."""
        self.network.eval()  # whatever trained it last
        return self(pictures)


def _build(settings: BackboneSettings, taps: tuple[int, ...]) -> Any:
    """The network with random weights, which follow from the seed and not from earlier draws."""
    # Any other form of name, hf-hub:… say, sends timm to the network.
    if not timm.is_model(settings.name):
        raise ConfigError(f"{settings.name}: timm has no such backbone", "E_SETTING")
    with weights_from(torch.initial_seed()):
        try:
            network = timm.create_model(
                settings.name, pretrained=False, features_only=True, out_indices=taps
            )
        except NO_TAPS as error:
            message = f"{settings.name}: timm has no taps {taps} in it ({error})"
            raise ConfigError(message, "E_SETTING") from error
    for module in network.modules():
        # timm starts the last norm of each block at 0, which would leave its shortcut only.
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return network
