import pytest
import torch

from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.slice_pool import SlicePool

TINY = BackboneSettings(name="test_resnet", weights="random", precision="float32")


@pytest.fixture
def make_pool():
    """Slices of waves in a disc, no two alike."""

    def make(count=12, size=(64, 64), seed=0):
        generator = torch.Generator().manual_seed(seed)
        rows, columns = (torch.linspace(-1, 1, edge) for edge in size)
        brain = (rows[:, None].square() + columns.square() < 0.7).expand(count, -1, -1).clone()
        phase = torch.linspace(0, 6, count)[:, None, None]
        waves = torch.sin(4 * rows[:, None] + phase) + torch.cos(5 * columns - phase)
        noise = torch.randn(count, *size, generator=generator)
        voxels = ((waves + 0.2 * noise) * brain)[:, None].half()
        return SlicePool(voxels, brain, torch.arange(count), (1.0, 1.0), size)

    return make


@pytest.fixture
def make_backbone():
    """A tiny backbone whose random weights follow from a seed."""

    def make(seed=0, finest=None, settings=TINY):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Backbone(settings, finest)

    return make


@pytest.fixture
def told():
    """A watch that remembers what it was told, a dictionary a step."""
    told = []

    def watch(stage, done, total, **values):
        told.append({"stage": stage, "done": done, "total": total, **values})

    watch.told = told
    return watch
