from dataclasses import replace

import pytest
import torch

from slicenet.backends.msma import Msma
from slicenet.cache import Cache
from slicenet.config import overlay
from slicenet.errors import ConfigError
from slicenet.recipe import resolve
from slicenet.scorers.flow import FlowScorer
from slicenet.scorers.neighbours import NeighboursScorer
from slicenet.scorers.norm_mixture import NormMixtureScorer

TINY = {
    "frame": {"box": [132, 156, 120], "spacing": [6, 6, 6]},
    "norms": {
        "network": {"width": 4, "depth": 1}, "levels": {"count": 3}, "patch": 8,
        "learn": {"steps": 3, "batch": 4},
    },
    "flow": {"course": {"steps": 3, "batch": 8}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("density", "scorer"),
    [("mixture", NormMixtureScorer), ("neighbours", NeighboursScorer), ("flow", FlowScorer)],
)
def test_every_density_gives_a_slice_one_number(make_brain, tmp_path, density, scorer):
    backend = overlay(Msma(), {**TINY, "density": density})
    torch.manual_seed(0)
    made = backend.build()
    assert isinstance(made.scorer, scorer)
    made.fit([make_brain(seed) for seed in range(4)], cache=Cache(tmp_path))
    found = made.score(make_brain(9))
    pairs = zip(found.scores.unbind(2), found.brain.unbind(2), strict=True)
    slices = [scores[brain] for scores, brain in pairs if brain.any()]
    assert all(scores.max() - scores.min() < 1e-4 for scores in slices)
    assert torch.stack([scores.mean() for scores in slices]).std() > 1e-3


def test_a_volume_may_have_one_number(make_brain, tmp_path):
    table = {**TINY, "norms": {**TINY["norms"], "scope": "volume"}}
    made = overlay(Msma(), table).build()
    made.fit([make_brain(seed) for seed in range(4)], cache=Cache(tmp_path))
    found = made.score(make_brain(9))
    inside = found.scores[found.brain]
    assert (inside - inside[0]).abs().max() < 1e-4
    assert found.volume_score == pytest.approx(float(inside[0]), abs=1e-4)


@pytest.mark.parametrize("name", ["msma", "msma-small", "msma-published"])
def test_every_preset_fits_the_density_on_brains_held_out(name):
    assert resolve(name).backend.norms.held > 0


def test_the_published_preset_has_ten_levels_and_one_vector_a_volume():
    backend = resolve("msma-published").backend
    assert (backend.norms.levels.count, backend.norms.scope) == (10, "volume")
    assert backend.norms.levels.most / backend.norms.levels.least == pytest.approx(100)
    assert not backend.mixture.by_place


def test_a_density_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="density"):
        replace(Msma(), density="kernel")
