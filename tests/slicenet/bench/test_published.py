import pytest
import torch
import torch.nn.functional as F

from slicenet.bench.published import Published, tokens, whole_network
from slicenet.flows.conditional import ConditionalFlow, FlowSettings
from slicenet.flows.position import PLANE, position_code

GENERATOR = torch.Generator().manual_seed(0)
LAYERS = [
    torch.rand(6, 512, 8, 6, generator=GENERATOR),
    torch.rand(6, 1024, 4, 3, generator=GENERATOR),
]


@pytest.fixture(scope="module")
def published():
    return Published(
        whole_network("resnet50"), ConditionalFlow(512, sum(PLANE), FlowSettings(blocks=2))
    )


def test_tokens_are_means_of_patches_channels_and_slabs():
    # METHODS' closed form: pairs of the finer layer, quadruples of the coarser one.
    fine, coarse = (F.avg_pool2d(layer, 3, 1, 1) for layer in LAYERS)
    grown = F.interpolate(coarse, (8, 6), mode="bilinear")
    both = torch.cat((fine.unflatten(1, (256, 2)).mean(2), grown.unflatten(1, (256, 4)).mean(2)), 1)
    wanted = both.unflatten(0, (2, 3)).mean(1)  # [d, C, h, w]
    assert torch.allclose(tokens(LAYERS), wanted.permute(2, 3, 0, 1), atol=1e-5)


def test_layers_are_those_of_the_whole_network(published):
    pictures = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = published.network.forward_intermediates(
            pictures, indices=[2, 3], intermediates_only=True
        )
    for found, right in zip(published.layers(pictures), wanted, strict=True):
        assert torch.allclose(found, right, atol=1e-4)


def test_every_cell_has_a_density_given_its_row_and_column(published):
    box = torch.randn(3, 2, 4, 512, generator=torch.Generator().manual_seed(2))
    found = published.densities(box)
    code = position_code((3, 2), PLANE)
    for row, column, slab in ((0, 0, 0), (2, 1, 3), (1, 0, 2)):
        with torch.no_grad():
            one = published.flow.log_density(box[row, column, slab][None], code[row, column][None])
        assert torch.allclose(found[row, column, slab], one[0], atol=1e-4)


def test_random_weights_follow_from_the_seed():
    one, two = (whole_network("test_resnet") for _ in range(2))
    other = whole_network("test_resnet", 1)
    name = "layer1.0.conv1.weight"
    assert torch.equal(one.state_dict()[name], two.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])
