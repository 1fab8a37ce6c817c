import importlib

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from slicenet.errors import ConfigError
from slicenet.mni import average
from slicenet.phantom import template as templates
from slicenet.phantom.template import BRAIN, GREY, MISSING, WHITE, Template, load_template


@pytest.fixture
def _without_nilearn(monkeypatch):
    def fail(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", fail)
    average.cache_clear()
    load_template.cache_clear()
    yield
    average.cache_clear()
    load_template.cache_clear()


def test_sampling_is_trilinear_in_millimetres():
    random = np.random.default_rng(0)
    maps = random.standard_normal((4, 8, 9, 7)).astype(np.float32)
    affine = np.array([[-2.0, 0, 0, 9], [0, 3, 0, -20], [0, 0, 2.5, 4], [0, 0, 0, 1]])
    places = random.uniform((-4, -19, 5), (8, 3, 18), (50, 3)).T.astype(np.float32)
    taken = Template(torch.from_numpy(maps), affine).at(places, slice(1, 3))
    nodes = (places - affine[:3, 3:]) / np.diag(affine)[:3, None]
    expected = [map_coordinates(one, nodes, order=1) for one in maps[1:3]]
    assert np.allclose(taken, expected, atol=1e-4)


def test_values_outside_the_grid_are_0(template):
    far = np.full((3, 5), 500.0, np.float32)
    assert (template.at(far, slice(None)) == 0).all()


def test_the_icbm_brain_lies_in_mni_space_and_needs_no_network():
    template = load_template("icbm152", 4.0)
    places = np.array([[25, 0, 30], [-28, -30, 25], [-12, -10, 22], [0, 120, 0]], np.float32).T
    maps = template.at(places, slice(GREY, BRAIN + 1))
    assert (maps[WHITE, :2] > 0.7).all()  # the white matter of either hemisphere
    fluid = maps[BRAIN] - maps[GREY] - maps[WHITE]
    assert fluid[2] > 0.5  # a lateral ventricle
    assert maps[BRAIN, 3] == 0  # before the forehead
    assert template.notices == ()


@pytest.mark.usefixtures("_without_nilearn")
def test_without_nilearn_brains_are_drawn_by_formula_and_that_is_said():
    drawn, meant = load_template("auto", 4.0), load_template("procedural", 4.0)
    assert torch.equal(drawn.maps, meant.maps)
    assert drawn.notices == (MISSING,)
    assert meant.notices == ()
    with pytest.raises(ConfigError, match="nilearn"):
        load_template("icbm152", 4.0)


def test_coarse_voxels_see_a_blurred_template():
    sharp, blurred = (load_template("procedural", spacing).maps for spacing in (2.0, 6.0))
    assert torch.equal(sharp, torch.from_numpy(templates.draw_brain()[0]))
    assert blurred[WHITE].var() < 0.9 * sharp[WHITE].var()
    assert blurred[WHITE].sum() == pytest.approx(float(sharp[WHITE].sum()), rel=0.01)
