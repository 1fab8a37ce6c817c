import numpy as np
import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.expected import CAFFE, ExpectedSettings, adapt, normalise
from slicenet.timm_door import timm

PICTURES = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))


def test_pictures_become_what_torchvision_trained_on():
    wanted = PICTURES.numpy().transpose(0, 2, 3, 1) - np.array([0.485, 0.456, 0.406])
    wanted /= np.array([0.229, 0.224, 0.225])
    seen = normalise(PICTURES, ExpectedSettings()).numpy()
    assert np.allclose(seen.transpose(0, 2, 3, 1), wanted, atol=1e-5)


def test_pictures_become_what_caffe_trained_on():
    wanted = 255 * PICTURES.numpy()[:, ::-1].transpose(0, 2, 3, 1)
    wanted = wanted - np.array([103.939, 116.779, 123.68])
    seen = normalise(PICTURES, CAFFE).numpy()
    assert np.allclose(seen.transpose(0, 2, 3, 1), wanted, atol=1e-3)


def test_the_stride_moves_to_the_first_convolution_and_epsilon_is_set():
    network = timm.create_model("resnet50", features_only=True, out_indices=(2, 3))
    adapt(network, CAFFE)
    for stage in (network.layer2, network.layer3):
        assert stage[0].conv1.stride == (2, 2)
        assert stage[0].conv2.stride == (1, 1)
        assert stage[1].conv1.stride == stage[1].conv2.stride == (1, 1)
    epsilons = {m.eps for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)}
    assert epsilons == {1.001e-5}


def test_the_defaults_change_nothing():
    network = timm.create_model("resnet50", features_only=True, out_indices=(2, 3))
    before = repr(network)
    adapt(network, ExpectedSettings())
    assert repr(network) == before


def test_a_backbone_without_bottlenecks_cannot_stride_early():
    network = timm.create_model("resnet18", features_only=True, out_indices=(2, 3))
    with pytest.raises(ConfigError, match="bottleneck"):
        adapt(network, CAFFE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "grb"},
        {"white": 0.0},
        {"mean": (0.5,)},
        {"deviation": (1.0, 1.0, 0.0)},
        {"stride": "conv3"},
        {"epsilon": -1.0},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        ExpectedSettings(**wrong)
