import numpy as np
import pytest

from slicenet.phantom.box import Box
from slicenet.phantom.lesions import Place
from slicenet.phantom.settings import PhantomSettings
from slicenet.phantom.template import load_template


@pytest.fixture(scope="session")
def small():
    """Settings of phantoms that take a tenth of a second."""
    return PhantomSettings(spacing=4.0, template="procedural")


@pytest.fixture(scope="session")
def box(small):
    return Box(small.spacing)


@pytest.fixture(scope="session")
def template(small):
    return load_template(small.template, small.spacing)


@pytest.fixture(scope="session")
def ball():
    """A ball of brain, 80 mm across in voxels of 2 × 2 × 4 mm, whose left half is white."""
    affine = np.diag([2.0, 2.0, 4.0, 1.0])
    affine[:3, 3] = -48
    places = np.mgrid[:49, :49, :25] * np.array([2, 2, 4]).reshape(3, 1, 1, 1) - 48.0
    brain = (places**2).sum(0) < 40**2
    return Place(brain, affine, np.eye(4), (places[0] < 0).astype(np.float32))
