import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from slicenet.features import FeatureMap
from slicenet.scorers.sample import draw_sample
from slicenet.scorers.standard import LEAST, Standard


def fitted(vectors, scaled):
    inside = torch.ones(len(vectors), 1, 1, dtype=torch.bool)
    standard = Standard(scaled)
    standard.fit(draw_sample([FeatureMap(vectors, inside)], 10, 0))
    return standard


@pytest.fixture
def vectors():
    draw = torch.Generator().manual_seed(0)
    return torch.randn(200, 3, generator=draw) * torch.tensor([1.0, 2.0, 5.0]) + 100


def test_it_is_the_scaler_of_scikit_learn_over_all_vectors(vectors):
    wanted = StandardScaler().fit_transform(vectors.double().numpy())
    found = fitted(vectors, scaled=True)(vectors)
    assert found.dtype == torch.float32
    assert np.allclose(found.numpy(), wanted, atol=1e-6)


def test_unscaled_vectors_are_only_moved(vectors):
    found = fitted(vectors, scaled=False)(vectors)
    assert np.allclose(found.numpy(), vectors.double().numpy() - vectors.double().numpy().mean(0))


def test_a_constant_channel_cannot_outvote_the_others(vectors):
    still = torch.cat((vectors, torch.full((200, 1), 7.0)), 1)
    standard = fitted(still, scaled=True)
    assert (standard(still)[:, 3] == 0).all()
    typical = float(still.double().std(0, correction=0).square().mean().sqrt())
    moved = standard(still + 1e-3)[:, 3] - standard(still)[:, 3]
    assert torch.allclose(moved, torch.full((200,), 1e-3 / (LEAST * typical)), rtol=1e-2)


def test_channels_that_are_all_constant_stay_finite():
    assert torch.isfinite(fitted(torch.ones(5, 2), scaled=True)(torch.ones(3, 2))).all()
