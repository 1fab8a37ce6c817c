import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.codebook import straight_through
from slicenet.extractors.tokeniser import Tokeniser, TokeniserSettings

SMALL = TokeniserSettings(levels=2, width=6, blocks=1, codes=5)


def test_slices_become_a_grid_of_latents_and_slices_again():
    network = Tokeniser(2, SMALL)
    slices = torch.randn(3, 2, 16, 24)
    latents = network.latents(slices)
    assert latents.shape == (3, 4, 6, 6)
    tokens = network.codebook.nearest(latents)
    assert tokens.shape == (3, 4, 6)
    assert network.restore(tokens).shape == slices.shape
    assert torch.equal(network.restore(tokens), network.decode(network.codebook.of(tokens)))


def test_the_published_sizes():
    # METHODS 4.1: h/8 x w/8 x 256, three residual blocks of 3 x 3 and 1 x 1 on either side.
    settings = TokeniserSettings(width=256, codes=32)
    assert settings.cell == 8
    network = Tokeniser(1, settings)
    half = 3 * (256 * 256 * 9 + 256 + 256 * 256 + 256)
    down = (256 * 16 + 256) + 2 * (256 * 256 * 16 + 256)
    assert sum(one.numel() for one in network.encoder.parameters()) == down + half
    up = 3 * (256 * 256 * 16 + 256) + 257
    assert sum(one.numel() for one in network.decoder.parameters()) == up + half
    assert network.codebook.codes.shape == (32, 256)


def test_what_is_darker_than_the_median_can_be_given_back():
    network = Tokeniser(1, SMALL)
    torch.nn.init.constant_(network.decoder[-1].bias, -100.0)
    assert (network.restore(torch.arange(5).reshape(1, 1, 5)) < -50).all()


def test_the_encoder_learns_through_the_codebook():
    torch.manual_seed(0)
    network = Tokeniser(1, SMALL)
    network.codebook.codes.normal_()
    latents = network.latents(torch.randn(1, 1, 8, 8))
    codes = network.codebook.of(network.codebook.nearest(latents))
    network.decode(straight_through(latents, codes)).square().sum().backward()
    assert all(float(one.grad.abs().sum()) > 0 for one in network.encoder.parameters())


@pytest.mark.parametrize(
    "wrong", [{"levels": 0}, {"levels": 6}, {"width": 0}, {"blocks": -1}, {"codes": 1},
              {"codes": 4096}],
)  # fmt: skip
def test_what_is_no_network_is_refused(wrong):
    with pytest.raises(ConfigError):
        TokeniserSettings(**wrong)


def test_half_precision_holds_every_index_as_it_is():
    every = torch.arange(2048)
    assert torch.equal(every.half().long(), every)
