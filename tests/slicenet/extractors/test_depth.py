import numpy as np
import pytest
import torch
import torch.nn.functional as F

from slicenet.errors import ConfigError
from slicenet.extractors.depth import MERGERS, DepthSettings, merge, slabs

SLICES = torch.rand(4, 8, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", sorted(MERGERS))
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_order_of_the_slices_does_not_matter(name, count):
    settings = DepthSettings(merge=name)
    merged = merge(SLICES[:count], settings)
    assert merged.shape == (8, 5, 6)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(merge(SLICES[:count][order], settings), merged, atol=1e-6)


@pytest.mark.parametrize("name", sorted(MERGERS))
def test_equal_slices_merge_to_themselves(name):
    same = SLICES[:1].expand(3, -1, -1, -1)
    assert torch.allclose(merge(same, DepthSettings(merge=name)), SLICES[0], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "numpy"), [("mean", np.mean), ("max", np.max), ("median", np.median)]
)
@pytest.mark.parametrize("count", [3, 4])
def test_mean_maximum_and_median_are_those_of_numpy(name, numpy, count):
    merged = merge(SLICES[:count], DepthSettings(merge=name))
    assert np.allclose(merged.numpy(), numpy(SLICES[:count].numpy(), axis=0), atol=1e-6)


def test_means_of_slabs_are_the_published_pooling():
    line = torch.rand(1, 3, 12, generator=torch.Generator().manual_seed(2))
    pooled = [
        merge(line[0].T[list(window)], DepthSettings(merge="mean")) for window in slabs(12, 3, 3)
    ]
    assert torch.allclose(torch.stack(pooled, 1), F.avg_pool1d(line, 3, 3)[0])


def test_the_generalised_mean_lies_between_mean_and_maximum():
    assert torch.allclose(
        merge(SLICES, DepthSettings(merge="power", power=1.0)), SLICES.mean(0), atol=1e-6
    )
    third = np.power(np.mean(SLICES.numpy() ** 3.0, axis=0), 1 / 3)
    assert np.allclose(merge(SLICES, DepthSettings(merge="power")).numpy(), third, atol=1e-5)
    high = merge(SLICES, DepthSettings(merge="power", power=200.0))
    assert (high - SLICES.amax(0)).abs().max() < 0.01


def test_attention_turns_away_from_the_slice_that_differs():
    alike = torch.ones(2, 8, 1, 1)
    other = torch.ones(1, 8, 1, 1)
    other[:, ::2] = -1.0
    merged = merge(torch.cat((alike, other)), DepthSettings(merge="attention"))
    assert (merged > 0.9).all()
    assert (torch.cat((alike, other)).mean(0) < 0.9).any()


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "wanted"),
    [
        (6, 3, 3, [[0, 1, 2], [3, 4, 5]]),
        (3, 3, 1, [[0, 1], [0, 1, 2], [1, 2]]),
        (6, 5, 3, [[0, 1, 2, 3], [2, 3, 4, 5]]),
        (8, 3, 8, [[2, 3, 4]]),
        (4, 1, 1, [[0], [1], [2], [3]]),
    ],
)
def test_a_slab_lies_around_the_middle_of_its_cell(size, kernel, stride, wanted):
    assert [list(window) for window in slabs(size, kernel, stride)] == wanted


@pytest.mark.parametrize(
    "wrong",
    [{"kernel": 0}, {"stride": 0}, {"merge": "sum"}, {"power": 0.0}, {"temperature": 0.0}],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        DepthSettings(**wrong)
