import numpy as np
import torch

from slicenet.backends.padim import Padim
from slicenet.cache import Cache
from slicenet.config import overlay
from slicenet.recipe import resolve

TINY = {
    "frame": {"box": [128, 160, 144], "spacing": [2, 2, 4]},
    "slices": {
        "backbone": {"name": "test_resnet", "weights": "random", "precision": "float32"},
        "neighbourhood": {"width": 24},
    },
    "gaussian": {"components": 4, "prior": 1e-6, "ridge": 0.0},
    "map": {"smooth": 0.0},
}


def test_each_place_is_judged_by_its_own_mean_and_covariance(make_brain, tmp_path):
    torch.manual_seed(0)
    detector = overlay(Padim(), TINY).build()
    healthy = [make_brain(seed) for seed in range(8)]
    detector.fit(healthy, cache=Cache(tmp_path))
    maps = [detector.extractor.extract(detector.frame.enter(one)) for one in healthy]
    new = detector.extractor.extract(detector.frame.enter(make_brain(9, lesion=True)))
    basis = detector.scorer.basis.numpy()
    places = np.stack([one.vectors.half().double().numpy() @ basis for one in maps])  # [V, N, C]
    vectors = new.vectors.double().numpy() @ basis
    found = detector.scorer.score(new).numpy()
    overall = places.mean((0, 1))
    for cell in range(0, len(vectors), 20):
        mean = (places[:, cell].sum(0) + overall) / (len(healthy) + 1)
        apart = vectors[cell] - mean
        wanted = np.sqrt(apart @ np.linalg.inv(np.cov(places[:, cell].T)) @ apart)
        assert np.isclose(found[cell], wanted, rtol=1e-2)


def test_the_statistics_of_the_defaults_fit_into_memory():
    for name in ("padim", "padim-quick"):
        backend = resolve(name).backend
        detector = backend.build()
        stride, depth = detector.extractor.stride, backend.slices.depth.stride
        x, y, z = detector.frame.shape
        cells = (x // stride) * (y // stride) * (z // depth)
        assert cells * backend.gaussian.components**2 * 8 < 1e9


def test_the_network_is_taken_as_it_is():
    detector = Padim().build()
    assert not detector.extractor.learns
    assert detector.extractor.decoder is None
