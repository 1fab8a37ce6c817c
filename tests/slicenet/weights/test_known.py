import pytest

from slicenet.timm_door import timm
from slicenet.weights.known import HUB, KNOWN, by_digest, by_file, published


@pytest.mark.parametrize("name", KNOWN)
def test_timm_publishes_the_same_address_under_the_same_name(name):
    assert timm.models.get_pretrained_cfg(name).url == KNOWN[name].url


def test_a_hash_is_the_eight_digits_in_the_file_name():
    assert KNOWN["wide_resnet50_2.tv_in1k"].sha256 == "95faca4d"


def test_timm_tells_where_the_weights_of_its_other_backbones_are():
    hashed = published("resnet26d.bt_in1k")
    assert hashed.url.endswith("/resnet26d-69e92c46.pth")
    assert hashed.sha256 == "69e92c46"
    hub = published("test_resnet.r160_in1k")
    assert hub.url == HUB.format("timm/test_resnet.r160_in1k")
    assert (hub.file, hub.sha256, hub.licence) == ("model.safetensors", "", "apache-2.0")
    assert published("resnet18.tv_in1k") == KNOWN["resnet18.tv_in1k"]
    assert published("nobodys") is None
    assert published("resnet18.nobodys") is None


def test_a_file_is_known_by_its_hash_whatever_it_is_called():
    assert by_digest("0676ba61" + 56 * "0") == KNOWN["resnet50.tv_in1k"]
    assert by_digest(64 * "0") is None
    assert by_digest("") is None


def test_a_file_is_known_by_its_published_name():
    assert by_file("resnet18-f37072fd.pth") == KNOWN["resnet18.tv_in1k"]
    assert by_file("resnet18.pth") is None
