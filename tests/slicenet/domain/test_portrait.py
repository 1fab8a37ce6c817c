from dataclasses import replace

import numpy as np
import pytest
import torch

from slicenet.domain.portrait import OWN, RANKS, SHARED, Portrait, portray
from slicenet.frame import Frame, FrameSettings
from slicenet.resampling import smooth
from slicenet.volume import Volume

FRAME = Frame(FrameSettings(spacing=(4.0, 4.0, 4.0)))


def look(volume):
    return portray(volume, FRAME.enter(volume))


def shared(volume):
    return dict(zip(SHARED, look(volume).shared.tolist(), strict=True))


def own(volume, sequence=0):
    return dict(zip(OWN, look(volume).own[sequence].tolist(), strict=True))


def test_size_and_voxels_are_those_of_the_brain_in_millimetres():
    brain = torch.zeros(60, 70, 30, dtype=torch.bool)
    brain[10:50, 10:60, 5:25] = True
    voxels = torch.rand(1, *brain.shape, generator=torch.Generator().manual_seed(0)) * brain
    found = shared(Volume(voxels, brain, np.diag([2.0, 2.0, 5.0, 1.0]), "a"))
    assert found["voxel"] == 5
    assert found["volume"] == pytest.approx(80 * 100 * 100 / 1000)
    for axis, edge in (("width", 80), ("length", 100), ("height", 100)):
        assert found[axis] == pytest.approx(edge, abs=4)
    assert found["cut"] == 0


@pytest.mark.parametrize("end", [slice(None, 20), slice(20, None)])
def test_a_file_that_ends_inside_the_brain_shows_its_cut(make_brain, end):
    whole = make_brain(0)
    part = Volume(
        whole.voxels[..., end].contiguous(), whole.brain[..., end].contiguous(), whole.affine, "a"
    )
    sections = part.brain.sum((0, 1))
    wanted = float(max(sections[0], sections[-1]) / sections.max())
    assert shared(part)["cut"] == pytest.approx(wanted)
    assert wanted > 0.9
    assert shared(whole)["cut"] < 0.1


def test_histogram_and_picture_are_those_that_numpy_makes(make_brain):
    volume = make_brain(0, sequences=2)
    framed = FRAME.enter(volume)
    found = portray(volume, framed)
    values, brain = framed.voxels.numpy(), framed.brain.numpy()
    assert np.allclose(found.histogram, np.quantile(values[:, brain], RANKS, axis=1).T, atol=1e-5)

    def blocks(array):  # cells of 8 mm are 2 x 2 x 2 of the frame's voxels
        x, y, z = (size // 2 for size in brain.shape)
        return array.reshape(-1, x, 2, y, 2, z, 2).sum((2, 4, 6))

    count = blocks(brain)[0]
    means = blocks(values.clip(-3, 3) * brain) / count.clip(min=1)
    assert np.allclose(found.picture, means, atol=2e-3)
    assert np.array_equal(found.inside, count >= 4)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_smoothing_takes_detail_along_its_axis_and_noise_adds_to_all(make_brain, axis):
    volume, generator = make_brain(0, spacing=4.0), torch.Generator().manual_seed(1)
    grain = torch.randn(volume.voxels.shape, generator=generator)
    grainy = replace(volume, voxels=volume.voxels + 20 * grain)
    sigmas = tuple(1.0 if other == axis else 0.0 for other in range(3))
    flat = own(replace(volume, voxels=smooth(grainy.voxels, sigmas)))
    plain, rough = own(volume), own(grainy)
    names = [name for name in OWN if name.startswith("detail")]
    assert all(rough[name] > 1.5 * plain[name] for name in names)
    assert min(names, key=lambda name: flat[name] / rough[name]) == names[axis]
    assert flat[names[axis]] < 0.5 * rough[names[axis]]


def test_a_bright_ring_around_the_brain_shows_at_its_rim(make_brain):
    volume = make_brain(0)
    thin = smooth(volume.brain[None].float(), (1.5, 1.5, 1.5))[0]
    ringed = replace(volume, voxels=volume.voxels + 100 * (thin < 0.8))
    assert own(ringed)["rim"] > own(volume)["rim"] + 0.5


def test_a_glaring_lesion_hardly_moves_it(make_brain):
    volume = make_brain(0)
    voxels = volume.voxels.clone()
    voxels[:, 24:30, 24:30, 16:22] = 1e5
    healthy, sick = look(volume), look(replace(volume, voxels=voxels))
    assert torch.allclose(healthy.histogram, sick.histogram, atol=0.2)
    assert torch.allclose(healthy.own, sick.own, rtol=0.1, atol=0.05)
    both = healthy.inside & sick.inside
    pair = torch.stack((healthy.picture[0][both], sick.picture[0][both])).float()
    assert torch.corrcoef(pair)[0, 1] > 0.8  # by its brightness, it would be nothing but lesion


def test_a_single_slice_has_a_portrait_too(make_brain):
    found = look(make_brain(0, shape=(44, 52, 1)))
    assert all(torch.isfinite(part).all() for part in found.to_tensors().values())


def test_its_parts_make_it_again_and_a_missing_one_does_not(make_brain):
    parts = look(make_brain(0)).to_tensors()
    again = Portrait.from_tensors(parts).to_tensors()
    assert all(torch.equal(parts[name], again[name]) for name in parts)
    del parts["picture"]
    with pytest.raises(KeyError):
        Portrait.from_tensors(parts)
