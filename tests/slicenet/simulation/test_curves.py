import numpy as np
import torch

from slicenet.simulation.curves import END, bend

VOXELS = torch.linspace(-6, 6, 121)


def test_order_is_kept_and_what_lies_beyond_the_ends_does_not_move():
    for exponent in (0.3, 1.0, 3.0):
        bent = bend(VOXELS, torch.tensor(exponent))
        assert (bent.diff() >= 0).all()
        assert torch.equal(bent[VOXELS.abs() >= END], VOXELS[VOXELS.abs() >= END])


def test_in_between_it_is_a_power():
    inside = VOXELS[VOXELS.abs() < END].numpy().astype(np.float64)
    wanted = ((inside + END) / (2 * END)) ** 1.7 * 2 * END - END
    assert np.allclose(bend(torch.from_numpy(inside), torch.tensor(1.7)), wanted, atol=1e-6)


def test_an_exponent_of_1_changes_nothing():
    assert torch.allclose(bend(VOXELS, torch.tensor(1.0)), VOXELS, atol=1e-4)
