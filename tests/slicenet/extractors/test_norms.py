import pytest
import torch
from torch import nn

from slicenet.extractors.norms import anchor, settle
from slicenet.timm_door import timm


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def learnt():
    """A network whose norms have seen other pictures, and have scales and shifts of their own."""
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", pretrained=False, num_classes=0).eval()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 3)
            nn.init.uniform_(norm.weight, 0.1, 0.7)
            nn.init.normal_(norm.bias, 0, 0.3)
    return network


def multiplied_out(network):
    """Convolutions that do what their norms did; the norms are identities."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            before = module
        if isinstance(module, nn.BatchNorm2d):
            norm = module
            scale = norm.weight.data / (norm.running_var + norm.eps).sqrt()
            shift = norm.bias.data - norm.running_mean * scale
            before.weight.data *= scale[:, None, None, None]
            own = 0 if before.bias is None else before.bias.data * scale
            before.bias = nn.Parameter(own + shift)
            norm.reset_parameters()
            norm.running_var.fill_(1 - norm.eps)
    return network


@pytest.mark.parametrize("build", [learnt, lambda: multiplied_out(learnt())])
def test_an_anchored_network_answers_as_before_and_hardly_otherwise_while_it_learns(build):
    network, pictures = build(), 3 * drawn(8, 3, 64, 64) + 1
    with torch.no_grad():
        before = network(pictures)
        jumped = network.train()(pictures)
        network = build()
        anchor(network, [pictures])
        after, learning = network.eval()(pictures), network.train()(pictures)
    assert torch.allclose(after, before, atol=1e-4 * before.abs().max())
    assert torch.allclose(learning, before, atol=1e-2 * before.abs().max())
    # What it is there for: as they came, the norms would have changed the answer altogether.
    assert (jumped - before).abs().mean() > 20 * (learning - before).abs().mean()


def test_multiplying_out_changes_nothing():
    pictures = drawn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(
            learnt()(pictures), multiplied_out(learnt())(pictures), rtol=1e-3, atol=1e-3
        )


def test_anchored_moments_are_those_of_all_batches():
    batches = 3 * drawn(5, 6, 3, 4, 4) + 1
    norm = nn.BatchNorm2d(3)
    anchor(norm, batches)
    assert torch.allclose(norm.running_mean, batches.mean((0, 1, 3, 4)), atol=1e-5)
    wanted = batches.var((0, 1, 3, 4), correction=0)
    assert torch.allclose(norm.running_var, wanted, rtol=1e-4)
    assert torch.allclose(norm.eval()(batches[0]), batches[0], atol=1e-4)  # as it was at first


def test_settled_moments_are_the_means_of_those_of_the_batches():
    batches = torch.randn(5, 6, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 3 + 1
    norm = torch.nn.BatchNorm2d(3, momentum=0.25)
    settle(norm, lambda step: norm(batches[step]), 5)
    assert torch.allclose(norm.running_mean, batches.mean((1, 3, 4)).mean(0), atol=1e-5)
    assert torch.allclose(norm.running_var, batches.var((1, 3, 4)).mean(0), rtol=1e-4)
    assert norm.momentum == 0.25


def test_norms_of_volumes_settle_on_the_mean_moments_of_batches():
    network = nn.Sequential(nn.Conv3d(1, 3, 1), nn.BatchNorm3d(3)).train()
    batches = [drawn(2, 1, 4, 5, 6, seed=seed) + seed for seed in range(4)]
    settle(network, lambda step: network(batches[step]), len(batches))
    with torch.no_grad():
        seen = torch.stack([network[0](batch) for batch in batches])
    assert torch.allclose(network[1].running_mean, seen.mean((0, 1, 3, 4, 5)), atol=1e-5)
    assert network[1].momentum == 0.1
