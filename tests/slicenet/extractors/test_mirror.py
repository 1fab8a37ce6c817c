import pytest
import torch

from slicenet.extractors.mirror import Mirror


def layers(shapes):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, *shape, generator=generator).requires_grad_() for shape in shapes]


@pytest.mark.parametrize(
    "shapes",
    [
        [(8, 16, 16), (16, 8, 8), (32, 4, 4)],
        [(8, 15, 9), (16, 8, 5), (32, 4, 3)],  # odd ones, that are not twice the next
        [(4, 3, 3)],
    ],
)
def test_twins_have_the_shapes_of_the_layers(shapes):
    twins = Mirror([shape[0] for shape in shapes], 2)(layers(shapes))
    assert [tuple(twin.shape) for twin in twins] == [(2, *shape) for shape in shapes]


def test_every_twin_is_made_of_the_deepest_layer_alone():
    seen = layers([(8, 16, 16), (16, 8, 8)])
    for twin in Mirror([8, 16], 1)(seen):
        finest, deepest = torch.autograd.grad(
            twin.square().sum(), seen, retain_graph=True, allow_unused=True
        )
        assert finest is None
        assert deepest.abs().sum() > 0


def test_what_the_deepest_layer_tells_goes_through_fewer_cells():
    mirror = Mirror([8, 16], 1).eval()
    met = []
    mirror.bottleneck.register_forward_hook(lambda module, given, made: met.append(made.shape))
    mirror(layers([(8, 16, 16), (16, 8, 8)]))
    assert met == [(2, 32, 4, 4)]


def test_twins_have_both_signs_and_blocks_add_up():
    twins = Mirror([8, 16], 3)(layers([(8, 16, 16), (16, 8, 8)]))
    assert all((twin.min() < 0) & (twin.max() > 0) for twin in twins)
    assert [len(stage) for stage in Mirror([8, 16], 3).stages] == [3, 3]
