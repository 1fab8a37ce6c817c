import torch

from slicenet.backends.padim import Padim
from slicenet.backends.patchcore import PatchCore
from slicenet.cache import Cache
from slicenet.config import overlay

TINY = {
    "frame": {"box": [128, 160, 144], "spacing": [2, 2, 4]},
    "slices": {
        "backbone": {"name": "test_resnet", "weights": "random", "precision": "float32"},
        "neighbourhood": {"width": 24},
    },
}


def test_a_bank_of_every_vector_knows_what_it_was_fitted_on(make_brain, tmp_path):
    torch.manual_seed(0)
    detector = overlay(PatchCore(), TINY).build()
    healthy = [make_brain(seed) for seed in range(3)]
    detector.fit(healthy, cache=Cache(tmp_path))
    known, unknown, strange = (
        detector.scorer.score(detector.extractor.extract(detector.frame.enter(volume)))
        for volume in (healthy[0], make_brain(9), make_brain(9, lesion=True))
    )
    assert known.max() < 0.05  # features were kept in half precision
    assert known.max() < unknown.mean() < strange.mean()


def test_it_sees_what_padim_sees_so_that_both_share_their_features():
    assert PatchCore().frame == Padim().frame
    assert PatchCore().slices == Padim().slices
