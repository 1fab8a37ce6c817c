import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from slicenet.bench.published import whole_network
from slicenet.bench.subject import SubjectSettings, subject
from slicenet.bench.ways import Ours, build, group_that_fits
from slicenet.extractors.backbone import BackboneSettings
from slicenet.extractors.finetune import FinetuneSettings
from slicenet.extractors.slices import SliceSettings


@pytest.fixture(scope="module")
def volume():
    return subject(SubjectSettings(64, 6, "procedural"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights whose norms are not idle, so that folding them matters."""
    network = whole_network("resnet50")
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.copy_(1 + torch.rand(len(module.weight), generator=generator))
    file = tmp_path_factory.mktemp("weights") / "whole.safetensors"
    save_file({name: one.contiguous() for name, one in network.state_dict().items()}, file)
    return str(file)


@pytest.fixture(scope="module")
def published(volume, weights):
    return build("published", "resnet50", weights, volume).see(volume)


def test_without_a_crop_ours_is_the_published_map(volume, weights, published):
    settings = SliceSettings(
        BackboneSettings("resnet50", weights=weights, precision="float32"),
        margin=1000,
        finetune=FinetuneSettings(method="none"),
    )
    found = Ours(settings).see(volume).strangeness
    brain = found != 0
    assert 10 < int(brain.sum()) < brain.numel()
    wanted = published.strangeness[brain]
    assert (found[brain] - wanted).abs().max() < 1e-3 * wanted.std()


def test_with_its_crop_ours_correlates_with_the_published_map(volume, weights, published):
    seen = build("float32", "resnet50", weights, volume).see(volume)
    brain = seen.strangeness != 0
    pair = seen.strangeness[brain], published.strangeness[brain]
    assert np.corrcoef(*(one.numpy() for one in pair))[0, 1] > 0.999


@pytest.mark.parametrize("name", ["published", "float32"])
def test_all_slices_and_all_the_time_are_accounted_for(name, volume, weights):
    seen = build(name, "resnet50", weights, volume).see(volume)
    assert set(seen.stopwatch.seconds) == {"backbone", "pooling", "flow"}
    assert all(seconds > 0 for seconds in seen.stopwatch.seconds.values())
    assert sum(shape[0] for shape in seen.shapes) == 6


def test_groups_are_whole_slabs_and_grow_with_the_memory(volume):
    assert group_that_fits(volume, 10**12) == 6
    assert group_that_fits(volume, 1) == 3
    tall = subject(SubjectSettings(192, 24, "procedural"))
    assert group_that_fits(tall, 10**9) == 9
