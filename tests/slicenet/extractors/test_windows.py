import pytest
import torch

from slicenet.extractors import windows
from slicenet.extractors.windows import parts

SHAPE = (12, 16, 8)


def patch_at(voxels, centre, edge, flat):
    """The voxels around one, by hand; 0 beyond the volume."""
    sides = (edge, edge, 1 if flat else edge)
    found = torch.zeros(len(voxels), *sides)
    for x in range(sides[0]):
        for y in range(sides[1]):
            for z in range(sides[2]):
                place = [c + o - s // 2 for c, o, s in zip(centre, (x, y, z), sides, strict=True)]
                if all(0 <= p < size for p, size in zip(place, SHAPE, strict=True)):
                    found[:, x, y, z] = voxels[:, place[0], place[1], place[2]]
    return found[..., 0] if flat else found


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("steps", [(1, 1, 1), (2, 4, 2), (3, 4, 2), (6, 8, 4)])
def test_the_patch_of_a_cell_lies_around_its_middle_voxel(dimensions, steps, monkeypatch):
    monkeypatch.setattr(windows, "PART", 3)  # several parts, the last one shorter
    voxels = torch.rand(2, *SHAPE)
    shape = [size // step for size, step in zip(SHAPE, steps, strict=True)]
    seen = []
    for part in parts(voxels, dimensions, 5, steps):
        places = torch.ones(part.cells.shape, dtype=torch.bool).nonzero()
        for cell, patch in zip(
            part.cells[tuple(places.T)].tolist(), part.patches(places, 5), strict=True
        ):
            x, yz = divmod(cell, shape[1] * shape[2])
            place = (x, *divmod(yz, shape[2]))
            centre = [at * step + step // 2 for at, step in zip(place, steps, strict=True)]
            seen.append(cell)
            if cell % 7 == 0:
                assert torch.equal(patch, patch_at(voxels, centre, 5, dimensions == 2))
    assert sorted(seen) == list(range(shape[0] * shape[1] * shape[2]))


def test_as_many_windows_begin_in_an_image_as_a_part_has_cells():
    for dimensions in (2, 3):
        for part in parts(torch.rand(1, *SHAPE), dimensions, 7, (2, 2, 2)):
            fit = tuple(
                (size - 7) // step + 1
                for size, step in zip(part.images.shape[2:], part.steps, strict=True)
            )
            assert tuple(part.cells.shape) == (len(part.images), *fit)
