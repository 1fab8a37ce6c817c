import pytest

from slicenet.backends.siamese_lof import SiameseLof
from slicenet.recipe import resolve


def test_latents_alone_are_compared_with_their_neighbours():
    detector = SiameseLof().build()
    assert detector.extractor.settings.read == ("latent",)
    assert detector.scorer.settings.nearest == 20


@pytest.mark.parametrize("name", ["siamese-lof-small", "siamese-lof-published"])
def test_the_presets_compare_within_a_position_and_three_by_three_cells(name):
    settings = resolve(name).backend.lof
    assert settings.scope == "position"
    assert settings.around == (1, 1, 0)
