import pytest

from slicenet.recipe import resolve


@pytest.mark.parametrize("name", ["token-msma", "token-msma-small", "token-msma-published"])
def test_density_is_learnt_from_brains_held_out_and_by_likelihood_alone(name):
    backend = resolve(name).backend
    assert backend.norms.held > 0
    assert backend.flow.loss.loss == "none"
    assert backend.flow.loss.likelihood == "nll"


def test_tokens_are_those_of_the_backbone_as_it_is():
    extractor = resolve("token-msma").backend.build().extractor
    assert not extractor.slices.learns
    assert extractor.slices.settings.read == ("encoder",)


def test_the_full_preset_reduces_no_channel():
    backend = resolve("token-msma-published").backend
    assert backend.norms.components == 0
    assert backend.norms.slices.backbone.taps == (2, 3)
