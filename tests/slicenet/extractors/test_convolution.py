import pytest
import torch
from torch import nn

from slicenet.extractors.convolution import Convolution, can_fold

KINDS = {"plain": (3, 1, 1, 1), "strided": (7, 2, 1, 1), "dilated": (3, 1, 2, 1),
         "grouped": (3, 1, 1, 4), "point": (1, 2, 1, 1)}  # fmt: skip


def pair(kind, bias=False):
    """A convolution of 8 to 12 channels and a batch norm with moments of its own."""
    size, stride, dilation, groups = KINDS[kind]
    torch.manual_seed(0)
    layer = nn.Conv2d(8, 12, size, stride, size // 2, dilation, groups, bias)
    norm = nn.BatchNorm2d(12, eps=1e-3).eval()
    for tensor in (norm.running_mean, norm.weight.data, norm.bias.data):
        tensor.normal_()
    norm.running_var.uniform_(0.5, 2)
    return layer, norm


MAPS = torch.randn(3, 8, 18, 14, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_both_at_once_equal_one_after_the_other(kind, bias):
    layer, norm = pair(kind, bias)
    both = Convolution(layer, norm, torch.float32)
    maps = MAPS.contiguous(memory_format=torch.channels_last)
    wanted = norm(layer(MAPS))
    assert torch.allclose(both(maps, relu=False), wanted, atol=1e-5)
    assert torch.allclose(both(maps, relu=True), wanted.relu(), atol=1e-5)
    assert torch.equal(maps, MAPS)


@torch.no_grad()
def test_the_end_of_a_residual_block_is_written_over_the_shortcut():
    layer, norm = pair("plain")
    shortcut = torch.randn(3, 12, 18, 14).contiguous(memory_format=torch.channels_last)
    wanted = (shortcut + norm(layer(MAPS))).relu()
    maps = MAPS.contiguous(memory_format=torch.channels_last)
    found = Convolution(layer, norm, torch.float32).onto_(shortcut, maps)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert found.data_ptr() == shortcut.data_ptr()


@torch.no_grad()
def test_step_by_step_is_the_same_where_the_fused_kernels_lack():
    layer, norm = pair("strided")
    fused = Convolution(layer, norm, torch.float32)
    stepwise = Convolution(layer.double(), norm.double(), torch.float64)  # no kernel is fused there
    assert not stepwise.fused
    maps = MAPS.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(fused(maps, True).double(), stepwise(maps.double(), True), atol=1e-5)
    one = fused(maps, False)
    other = one.double()
    ends = fused.onto_(one, maps), stepwise.onto_(other, maps.double())
    assert torch.allclose(ends[0].double(), ends[1], atol=1e-5)


def test_what_is_not_a_plain_pair_is_not_folded():
    layer, norm = pair("plain")
    assert can_fold(layer, norm)
    assert not can_fold(nn.Conv2d(8, 8, 3, padding_mode="reflect"), norm)
    assert not can_fold(nn.Conv2d(8, 8, 3, padding="same"), norm)
    assert not can_fold(nn.Linear(8, 8), norm)
    assert not can_fold(layer, nn.GroupNorm(4, 12))
    assert not can_fold(layer, nn.BatchNorm2d(12, track_running_stats=False))
