import pytest
import torch

from slicenet import presets
from slicenet.backends import BACKENDS
from slicenet.recipe import resolve


def test_the_published_settings_are_there_beside_ours():
    assert {"default", "paper-arxiv", "paper-plos"} <= set(presets.names())


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_what_it_is_and_fits_its_backend(name):
    assert len(presets.about(name)) > 20
    assert "#" not in presets.about(name)
    recipe = resolve(name)
    assert recipe.label == name
    assert recipe.name == presets.table(name)["backend"]
    assert name not in BACKENDS
    recipe.backend.build()


def test_the_default_preset_is_what_the_backend_does_by_itself():
    assert resolve("default").backend == BACKENDS["simpleslicenet"]()


def test_the_quick_presets_learn_the_same_once_for_both():
    lessons = []
    for name in ("quick", "simulated-quick"):
        torch.manual_seed(0)
        detector = resolve(name).backend.build()
        lessons.append((detector.frame.settings, detector.extractor.lessons(), detector.finish))
    assert lessons[0] == lessons[1]
