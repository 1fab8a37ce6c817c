import numpy as np
import pytest

from slicenet.errors import ConfigError
from slicenet.extractors.patches import PatchExtractor, PatchSettings

SHAPE = (20, 24, 16)


@pytest.mark.parametrize(
    ("size", "steps"), [((5, 3, 1), (1, 1, 1)), ((4, 6, 2), (2, 2, 2)), ((2, 4, 3), (2, 4, 1))]
)
def test_a_patch_holds_the_voxels_around_the_middle_of_its_cell(make_brain, size, steps):
    volume = make_brain(3, shape=SHAPE, sequences=2)
    found = PatchExtractor(PatchSettings(size, steps)).extract(volume)
    beyond = [(edge - step) // 2 for edge, step in zip(size, steps, strict=True)]
    padded = np.pad(volume.voxels.numpy(), [(0, 0), *((b, b) for b in beyond)])
    for vector, cell in zip(found.vectors, found.inside.nonzero().tolist(), strict=True):
        # In the padded volume a patch begins where its cell does in the volume.
        window = tuple(
            slice(at * step, at * step + edge)
            for at, step, edge in zip(cell, steps, size, strict=True)
        )
        assert np.array_equal(vector.numpy(), padded[:, *window].ravel())


@pytest.mark.parametrize(
    "wrong",
    [{"size": (4, 5, 1)}, {"size": (1, 1, 1), "steps": (3, 3, 3)}, {"steps": (0, 1, 1)},
     {"least": 0.0}],
)  # fmt: skip
def test_patches_that_lie_beside_their_cells_are_refused(wrong):
    with pytest.raises(ConfigError):
        PatchSettings(**wrong)


def test_a_frame_of_part_cells_is_refused(make_brain):
    with pytest.raises(ConfigError, match="not whole cells of 3"):
        PatchExtractor(PatchSettings((3, 3, 3), (3, 3, 3))).extract(make_brain(0, shape=SHAPE))
