import pytest
import torch

from slicenet.backends.siamese_residual import SiameseResidual
from slicenet.config import overlay
from slicenet.recipe import resolve


def test_the_published_preset_reads_the_voxel_in_the_middle():
    assert resolve("siamese-residual-published").backend.siamese.core == 1


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_lesion_cannot_be_rebuilt_by_patches_of_either_kind(make_brain, dimensions):
    coder = {"dimensions": dimensions, "kernels": [3, 3], "strides": [1, 2], "widths": [4, 8]}
    table = {
        "frame": {"box": [128, 160, 144], "spacing": [4, 4, 4]},
        "siamese": {
            "coder": coder, "core": 3, "cell": 8.0,
            "learn": {"steps": 40, "batch": 16, "rate": 5e-3, "settle": 5},
        },
    }  # fmt: skip
    torch.manual_seed(0)
    detector = overlay(SiameseResidual(), table).build()
    detector.fit([make_brain(seed) for seed in range(4)])
    well, ill = (detector.score(make_brain(9, lesion)).scores for lesion in (False, True))
    change = ill - well
    assert change[24:30, 24:30, 16:22].mean() > change.mean() + change.std()
