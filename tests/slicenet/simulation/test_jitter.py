import numpy as np
import pytest
import torch

from slicenet.simulation.draws import Draws
from slicenet.simulation.jitter import jitter
from slicenet.simulation.settings import JitterSettings
from slicenet.simulation.space import space_of

NONE = dict.fromkeys(vars(JitterSettings()), 0.0)


def samples(count=200, shape=(24, 30)):
    voxels = torch.randn(count, 1, *shape, generator=torch.Generator().manual_seed(0))
    return voxels, space_of(torch.ones(count, *shape, dtype=torch.bool), (2.0,) * len(shape))


def jittered(voxels, space, **settings):
    draws = Draws(torch.Generator().manual_seed(3), torch.device("cpu"))
    return jitter(draws, space, voxels, JitterSettings(**{**NONE, **settings}))


def test_nothing_asked_is_nothing_changed():
    voxels, space = samples()
    assert torch.allclose(jittered(voxels, space), voxels, atol=1e-5)


@pytest.mark.parametrize("shape", [(24, 30), (12, 14, 16)])
def test_all_of_it_stays_finite_and_no_sample_varies_as_the_next(shape):
    voxels, space = samples(20, shape)
    changed = (jittered(voxels, space, **vars(JitterSettings())) - voxels).flatten(1)
    assert torch.isfinite(changed).all()
    assert len(set(changed.abs().mean(1).tolist())) == 20


def test_brightness_and_contrast_are_a_line_for_each_sample():
    voxels, space = samples()
    changed = jittered(voxels, space, brightness=0.4, contrast=0.3)
    gains = []
    for before, after in zip(voxels.flatten(1).numpy(), changed.flatten(1).numpy(), strict=True):
        line = np.polyfit(before, after, 1)
        assert np.allclose(np.polyval(line, before), after, atol=1e-3)
        gains.append(line)
    gain, shift = np.array(gains).T
    # Amounts are even from 0 to 1.5 times the deviation asked for, 0.87 of it in the mean square.
    assert np.log(gain).std() == pytest.approx(0.3 * 0.87, rel=0.2)
    assert shift.std() == pytest.approx(0.4 * 0.87, rel=0.2)
    assert abs(shift.mean()) < 0.08


def test_noise_is_white():
    voxels, space = samples()
    noise = (jittered(voxels, space, noise=0.3) - voxels)[:, 0]
    assert noise.std() > 0.1
    beside = (noise[:, 1:] * noise[:, :-1]).mean() / noise.square().mean()
    assert abs(float(beside)) < 0.02


def test_a_field_is_smooth_and_moves_what_is_bright_most():
    voxels, space = samples(100, (48, 60))
    gain = (jittered(voxels, space, field=0.2) + 4) / (voxels + 4)
    gain = gain[(voxels + 4).abs().amin((1, 2, 3)) > 0.3].log()
    assert gain.std() > 0.05
    assert gain.diff(dim=2).std() < 0.1 * gain.std()


def test_blur_takes_noise_away():
    voxels, space = samples()
    left = jittered(voxels, space, blur=4.0).flatten(1).std(1) / voxels.flatten(1).std(1)
    assert (left <= 1.001).all()
    assert left.min() < 0.7
    assert left.max() > 0.9


def test_a_curve_keeps_the_order_of_intensities():
    voxels, space = samples(20)
    changed = jittered(voxels, space, curve=0.5).flatten(1)
    order = voxels.flatten(1).argsort(1)
    assert (changed.gather(1, order).diff(dim=1) >= -1e-4).all()
    assert not torch.allclose(changed, voxels.flatten(1), atol=0.1)
