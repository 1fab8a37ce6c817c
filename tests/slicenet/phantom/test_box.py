import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from slicenet.phantom.box import LOWER, UPPER, Box, lattice_shape, smooth_lattice


def test_two_millimetres_give_the_usual_91_by_109_by_91():
    assert Box(2.0).shape == (91, 109, 91)


@pytest.mark.parametrize("spacing", [1.0, 2.0, 2.7, 4.0])
def test_the_affine_and_the_axes_agree_and_span_the_box(spacing):
    box = Box(spacing)
    last = nib.affines.apply_affine(box.affine, np.array(box.shape) - 1)
    assert np.allclose(last, [axis[-1] for axis in box.axes], atol=1e-4)
    assert np.allclose([axis[0] for axis in box.axes], LOWER)
    assert (np.abs(last - UPPER) <= spacing / 2 + 1e-4).all()


def test_stretching_is_linear_interpolation():
    box, step = Box(5.0), 12.0
    lattice = np.random.default_rng(0).standard_normal((2, *lattice_shape(step)))
    stretched = box.stretch(lattice.astype(np.float32), step)
    places = np.stack(np.meshgrid(*box.axes, indexing="ij"))
    nodes = (places - LOWER.reshape(3, 1, 1, 1)) / step
    for one, expected in zip(stretched, lattice, strict=True):
        assert np.allclose(one, map_coordinates(expected, nodes, order=1), atol=1e-5)


def test_a_field_is_the_same_at_every_spacing():
    lattice = smooth_lattice(np.random.default_rng(0), 20.0, 10.0)
    coarse, fine = Box(6.0).stretch(lattice, 10.0), Box(3.0).stretch(lattice, 10.0)
    assert np.allclose(coarse, fine[::2, ::2, ::2], atol=1e-5)


@pytest.mark.parametrize(("scale", "step"), [(6.0, 6.0), (12.0, 6.0)])
def test_smooth_noise_has_deviation_1_and_the_blur_that_was_asked_for(scale, step):
    drawn = [smooth_lattice(np.random.default_rng(seed), scale, step) for seed in range(4)]
    noise = np.stack(drawn)
    assert noise.std() == pytest.approx(1, rel=0.05)
    # White noise after a Gaussian of sigma is correlated by exp(-d² / (4 sigma²)) at distance d.
    neighbours = (noise[:, 1:] * noise[:, :-1]).mean()
    assert neighbours == pytest.approx(np.exp(-((step / scale) ** 2) / 4), abs=0.05)
