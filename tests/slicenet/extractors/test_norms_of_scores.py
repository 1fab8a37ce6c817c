import numpy as np
import torch

from slicenet.extractors.norms_of_scores import around_voxels, of_brain, of_slices

SHAPE = (6, 7, 5)


def made():
    """Squares [L, X, Y, Z], and a brain with an edge, away from the frame's and at it."""
    draw = torch.Generator().manual_seed(0)
    squares = torch.rand(4, *SHAPE, generator=draw)
    brain = torch.rand(SHAPE, generator=draw) > 0.3
    brain[..., 0] = False
    brain[2, 2, 0] = True  # too thin a slice
    return squares, brain


def test_norms_around_voxels_equal_a_computation_by_hand():
    squares, brain = made()
    found = around_voxels(squares, brain, 3).numpy()
    values, inside = (np.pad(part.numpy(), 1) for part in (squares, brain))
    values = values[1:-1]  # levels have no edge
    for row, (x, y, z) in enumerate(brain.nonzero().tolist()):
        window = np.s_[x : x + 3, y : y + 3, z : z + 3]
        taken = values[:, *window][:, inside[window]]
        assert np.allclose(found[row], np.sqrt(27 * taken.mean(1)), rtol=1e-5)


def test_inside_the_brain_a_norm_is_the_root_of_the_sum():
    squares = made()[0]
    found = around_voxels(squares, torch.ones(SHAPE, dtype=torch.bool), 3)
    middle = np.ravel_multi_index((3, 3, 2), SHAPE)
    wanted = squares[:, 2:5, 2:5, 1:4].sum((1, 2, 3)).sqrt()
    torch.testing.assert_close(found[middle], wanted)
    alone = around_voxels(squares, torch.ones(SHAPE, dtype=torch.bool), 1)
    torch.testing.assert_close(alone[middle], squares[:, 3, 3, 2].sqrt())


def test_norms_of_slices_and_of_the_brain_are_root_mean_squares():
    squares, brain = made()
    norms, inside = of_slices(squares, brain)
    assert inside.shape == (1, 1, 5)
    assert inside.flatten().tolist() == [False, True, True, True, True]
    for row, z in enumerate(range(1, 5)):
        taken = squares[:, :, :, z].numpy()[:, brain[..., z].numpy()]
        assert np.allclose(norms[row], np.sqrt(taken.mean(1)), rtol=1e-5)
    whole, cell = of_brain(squares, brain)
    assert cell.shape == (1, 1, 1)
    assert np.allclose(whole[0], np.sqrt(squares.numpy()[:, brain.numpy()].mean(1)), rtol=1e-5)
