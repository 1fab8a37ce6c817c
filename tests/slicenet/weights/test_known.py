import pytest

from slicenet.timm_door import timm
from slicenet.weights.known import KNOWN, by_digest, by_file


@pytest.mark.parametrize("name", KNOWN)
def test_timm_publishes_the_same_address_under_the_same_name(name):
    assert timm.models.get_pretrained_cfg(name).url == KNOWN[name].url


def test_a_hash_is_the_eight_digits_in_the_file_name():
    assert KNOWN["wide_resnet50_2.tv_in1k"].sha256 == "95faca4d"


def test_a_file_is_known_by_its_hash_whatever_it_is_called():
    assert by_digest("0676ba61" + 56 * "0") == KNOWN["resnet50.tv_in1k"]
    assert by_digest(64 * "0") is None
    assert by_digest("") is None


def test_a_file_is_known_by_its_published_name():
    assert by_file("resnet18-f37072fd.pth") == KNOWN["resnet18.tv_in1k"]
    assert by_file("resnet18.pth") is None
