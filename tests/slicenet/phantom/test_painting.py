import numpy as np
import pytest

from slicenet.phantom.lesions import Lesion
from slicenet.phantom.painting import LOOKS, Scene, paint
from slicenet.phantom.settings import KINDS

SPACING = np.array([2.0, 2.0, 4.0])


@pytest.fixture(scope="module")
def scene(ball):
    """A T1- and a T2-like image of a brain in stripes, with some noise."""
    random = np.random.default_rng(0)
    stripes = (np.arange(49) // 6 % 2).reshape(-1, 1, 1) * np.ones(ball.brain.shape)
    first = 50 + 40 * stripes + random.normal(0, 4, ball.brain.shape)
    images = np.stack([first, 150 - first]) * ball.brain
    return Scene(images.astype(np.float32), ball.brain, SPACING, (-1, 1))


def lesion_of(kind, radius=14.0):
    places = np.mgrid[:49, :49, :25] * SPACING.reshape(3, 1, 1, 1) - 48.0
    depth = radius - np.sqrt((places**2).sum(0))
    return Lesion(kind, depth.astype(np.float32), 3.0, (0.0, 0.0, 0.0), radius)


def paint_one(scene, kind, seed=0, strength=1.0):
    return paint(np.random.default_rng(seed), scene, [lesion_of(kind)], strength)


def test_every_kind_has_a_look():
    assert set(LOOKS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_lesion_weighs_on_changes_and_most_of_that_does(scene, kind):
    before = scene.images.copy()
    painted = paint_one(scene, kind)
    weight = lesion_of(kind).weight
    assert np.array_equal(painted[:, weight == 0], before[:, weight == 0])
    assert (np.abs(painted - before)[:, weight == 1] > 1).mean() > 0.5
    assert np.array_equal(scene.images, before)
    assert painted.min() >= 0


@pytest.mark.parametrize(("kind", "sign"), [("bright", 1), ("dark", -1)])
def test_bright_and_dark_are_meant_of_the_first_image(scene, kind, sign):
    core = lesion_of(kind).weight == 1
    for seed in range(5):
        change = (paint_one(scene, kind, seed) - scene.images)[:, core].mean(1)
        assert sign * change[0] > 4
        assert sign * change[1] < -4


def test_images_of_one_polarity_change_alike(scene):
    alike = Scene(scene.images, scene.brain, SPACING, (1, 1))
    core = lesion_of("bright").weight == 1
    change = (paint_one(alike, "bright") - scene.images)[:, core].mean(1)
    assert min(change) > 4


def test_a_rim_differs_from_its_core(scene):
    weight, depth = lesion_of("rim").weight == 1, lesion_of("rim").depth
    change = (paint_one(scene, "rim") - scene.images)[0]
    rim, core = change[weight & (depth < 4)].mean(), change[depth > 11].mean()
    assert abs(rim - core) > 5


def test_texture_is_rougher_than_what_was_there(scene):
    core = lesion_of("textured").weight == 1
    flat = Scene(np.where(core, 70, scene.images), scene.brain, SPACING, (-1, 1))
    assert flat.images[0, core].std() == 0
    assert paint_one(flat, "textured")[0, core].std() > 15
    assert paint_one(flat, "bright")[0, core].std() < 10


def test_a_transplant_is_tissue_from_elsewhere(scene):
    core = lesion_of("transplant").weight == 1
    painted = paint(np.random.default_rng(0), scene, [lesion_of("transplant")], 1.0)[0, core]
    # Stripes of the donor: both levels are there, but not where they were.
    assert np.quantile(painted, 0.1) == pytest.approx(50, abs=12)
    assert np.quantile(painted, 0.9) == pytest.approx(90, abs=12)
    assert np.corrcoef(painted, scene.images[0, core])[0, 1] < 0.5


def test_strength_0_leaves_no_trace(scene):
    for kind in KINDS:
        assert np.array_equal(paint_one(scene, kind, strength=0.0), scene.images)
