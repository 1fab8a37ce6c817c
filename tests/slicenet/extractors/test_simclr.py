from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from slicenet.elsewhere import Elsewhere, ElsewhereSettings
from slicenet.errors import ConfigError
from slicenet.extractors.encoder import EncoderSettings
from slicenet.extractors.kinship import KinshipSettings
from slicenet.extractors.lattice import touching
from slicenet.extractors.simclr import SimClrExtractor, SimClrSettings, at_cells
from slicenet.watch import silent

TINY = SimClrSettings(
    encoder=EncoderSettings(width=4, strides=(2, 2, 1, 1, 1)),
    learn=KinshipSettings(steps=2, batch=2, head=(8, 4)),
    layers=(0, 1, 2), target=0,
)  # fmt: skip
SHAPE = (20, 24, 16)


@pytest.fixture
def extractor(make_brain):
    torch.manual_seed(0)
    made = SimClrExtractor(TINY)
    made.fit([make_brain(seed, shape=SHAPE) for seed in range(3)], silent)
    return made


def test_vectors_hold_every_layer_of_every_cell_with_brain(extractor, make_brain):
    volume = make_brain(9, shape=SHAPE)
    found = extractor.extract(volume)
    assert torch.equal(found.inside, touching(volume.brain, (2, 2, 2)))
    assert found.vectors.shape == (int(found.inside.sum()), 4 + 8 + 16)
    assert torch.isfinite(found.vectors).all()


@pytest.mark.parametrize(("own", "cell"), [(2, 2), (4, 2), (2, 4), (8, 4)])
def test_layers_are_read_where_the_centres_of_cells_lie(own, cell):
    # A layer whose values are their own voxel coordinate, as a linear function stays one.
    size = 32
    index = torch.stack(torch.meshgrid(*[torch.arange(0, size, own).float()] * 3, indexing="ij"))
    shape = (size // cell,) * 3
    found = at_cells(index, own, cell, shape).numpy()
    centres = np.arange(size // cell) * cell + (cell - 1) / 2
    place = np.stack(np.meshgrid(*[centres] * 3, indexing="ij"))
    wanted = np.stack([map_coordinates(a, place / own, order=1, mode="nearest")
                       for a in index.numpy()])  # fmt: skip
    assert np.allclose(found, wanted, atol=1e-3)
    within = place.max(0) <= size - own
    assert np.allclose(found[:, within], place[:, within], atol=1e-3)


def test_another_instance_takes_what_was_learnt(extractor, make_brain):
    other = SimClrExtractor(TINY)
    other.load_state_dict(extractor.state_dict())
    volume = make_brain(9, shape=SHAPE)
    assert torch.equal(other.extract(volume).vectors, extractor.extract(volume).vectors)


def test_the_head_is_thrown_away(extractor):
    assert not [name for name in extractor.state_dict() if "head" in name]
    assert not any(parameter.requires_grad for parameter in extractor.parameters())


def test_sessions_and_copies_of_a_brain_are_of_one_subject(make_brain):
    copies = Elsewhere([make_brain(0, shape=SHAPE)], ElsewhereSettings(times=1))
    sessions = [replace(make_brain(seed, shape=SHAPE), subject="p1") for seed in range(2)]
    for volumes in (copies, sessions):
        with pytest.raises(ConfigError, match="two subjects"):
            SimClrExtractor(TINY).fit(volumes, silent)


def test_what_is_read_does_not_change_what_is_learnt(make_brain):
    torch.manual_seed(0)
    one = SimClrExtractor(TINY)
    other = SimClrExtractor(SimClrSettings(encoder=TINY.encoder, learn=TINY.learn, layers=(1,)))
    assert one.lessons() == other.lessons()
    torch.manual_seed(1)
    assert SimClrExtractor(TINY).lessons() != one.lessons()


def test_the_receptive_field_is_told_before_training(make_brain, told):
    torch.manual_seed(0)
    SimClrExtractor(TINY).fit([make_brain(seed, shape=SHAPE) for seed in range(2)], told)
    reach = [step["sees_voxels"] for step in told.told if step["stage"] == "encoder"]
    assert reach == [TINY.encoder.reach()[2]]


def test_a_frame_of_part_cells_is_refused(extractor, make_brain):
    coarse = SimClrExtractor(SimClrSettings(encoder=EncoderSettings(width=4), target=4))
    coarse.build(1)
    with pytest.raises(ConfigError, match="not whole cells of 8"):
        coarse.extract(make_brain(0, shape=(44, 48, 40)))


@pytest.mark.parametrize(
    "wrong", [{"layers": ()}, {"layers": (2, 1)}, {"layers": (5,)}, {"target": 7}, {"least": 0.0}]
)
def test_layers_that_do_not_exist_are_refused(wrong):
    with pytest.raises(ConfigError):
        SimClrSettings(**wrong)
