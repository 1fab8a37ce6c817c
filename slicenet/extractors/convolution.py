"""A convolution with the batch norm after it folded in: for scoring, not for training."""

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# oneDNN's convolutions that end in a ReLU or add onto a map before it. torch's compiler uses them;
# a build may lack them, and then the same is done step by step.
FUSED: Any = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)
PACK: Any = getattr(torch.ops.mkldnn, "_reorder_convolution_weight", None)


@final
class Convolution:
    """The numbers of a convolution and its batch norm as they were when this was made."""

    def __init__(self, layer: nn.Conv2d, norm: nn.BatchNorm2d | None, kind: torch.dtype) -> None:
        weight, bias = _fold(layer, norm)
        self.weight = weight.to(kind).contiguous(memory_format=torch.channels_last)
        self.bias = bias.to(kind)
        self.stride, self.padding, self.dilation = (
            [int(one) for one in pair] for pair in (layer.stride, layer.padding, layer.dilation)
        )
        self.groups = layer.groups
        self.fused = _is_fusible(weight.device, kind)
        if self.fused and self.weight.shape[2:].numel() > 1:
            # In the order that the kernel wants, which it would otherwise make at each call. Not a
            # 1x1: its order depends on the size of the maps, and a wrong one is 20 times slower.
            self.weight = PACK(self.weight, self.padding, self.stride, self.dilation, self.groups)

    def __call__(self, maps: Tensor, relu: bool) -> Tensor:
        """Maps [S, C, H, W], negative ones cut where `relu`; `maps` stays as it is."""
        if self.fused:
            last = "relu" if relu else "none"
            return FUSED(maps, self.weight, self.bias, *self._geometry(), last, [], "")
        seen = F.conv2d(maps, self.weight, self.bias, *self._steps())
        return seen.relu_() if relu else seen

    def onto_(self, shortcut: Tensor, maps: Tensor) -> Tensor:
        """What a residual block ends in: ReLU(shortcut + convolution), written over `shortcut`."""
        if self.fused:
            numbers = (self.weight, self.bias, *self._geometry())
            onto: Any = torch.ops.mkldnn._convolution_pointwise_.binary
            return onto(shortcut, maps, *numbers, "add", 1.0, "relu", [], "")
        return shortcut.add_(F.conv2d(maps, self.weight, self.bias, *self._steps())).relu_()

    def _geometry(self) -> tuple[list[int], list[int], list[int], int]:
        return self.padding, self.stride, self.dilation, self.groups

    def _steps(self) -> tuple[list[int], list[int], list[int], int]:
        return self.stride, self.padding, self.dilation, self.groups


def can_fold(layer: nn.Module, norm: nn.Module | None) -> bool:
    """Whether these are the plain kinds that `Convolution` stands for."""
    if type(layer) is not nn.Conv2d or layer.padding_mode != "zeros":
        return False
    if isinstance(layer.padding, str):
        return False
    return norm is None or (isinstance(norm, nn.BatchNorm2d) and _is_plain(norm))


def _is_plain(norm: nn.BatchNorm2d) -> bool:
    # timm derives norms from torch's that end in an activation of their own.
    return type(norm) is nn.BatchNorm2d and norm.running_mean is not None and norm.affine


def _fold(layer: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[Tensor, Tensor]:
    """Weight and bias of both together, [O, I, h, w] and [O]."""
    weight = layer.weight.detach().double()
    bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias.detach().double()
    if norm is None:
        return weight, bias
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
    shifted = (bias - norm.running_mean.double()) * gain + norm.bias.detach().double()
    return weight * gain[:, None, None, None], shifted


def _is_fusible(device: torch.device, kind: torch.dtype) -> bool:
    if FUSED is None or PACK is None or device.type != "cpu":
        return False
    if kind == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return kind == torch.float32 and torch.backends.mkldnn.is_available()
