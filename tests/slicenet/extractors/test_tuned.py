import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from safetensors.torch import save_file as save

from slicenet.errors import CheckpointError
from slicenet.extractors.backbone import Backbone, BackboneSettings
from slicenet.extractors.decoder import Decoder, DecoderSettings
from slicenet.extractors.expected import CAFFE
from slicenet.extractors.pictures import PictureSettings
from slicenet.extractors.tuned import (
    TunedOrigin,
    bring_decoder,
    check_origin,
    origin_of,
    read_origin,
    write_tuned,
)
from slicenet.timm_door import timm
from slicenet.weights import import_file

NARROW = DecoderSettings(width=8, widest=16)
TINY = BackboneSettings(name="test_resnet", weights="random", precision="float32")
ORIGIN = TunedOrigin(
    TINY,
    NARROW,
    True,
    "lesions",
    {"finetune": {"each": 3}, "picture": {"usual": False}},
    ("ab", "cd"),
    5,
    True,
    {"torch": "2"},
)


@pytest.fixture
def written(tmp_path, make_backbone):
    backbone = make_backbone(finest=1)
    decoder = Decoder(backbone.channels, NARROW)
    path = tmp_path / "backbone.safetensors"
    sha256 = write_tuned(path, backbone, decoder, ORIGIN)
    return path, backbone, decoder, sha256


def test_a_backbone_finds_its_tensors_and_needs_no_other(written, make_backbone):
    path, backbone, *_ = written
    # Taps are a choice of the reader: fewer layers than were written are fine.
    other = Backbone(replace(TINY, weights=str(path)))
    other.bring_weights()
    for name, tensor in other.state_dict().items():
        assert torch.equal(tensor, backbone.state_dict()[name])


@pytest.mark.parametrize("name", ["test_resnet", "test_convnext"])
def test_names_are_those_of_the_whole_network_in_timm(tmp_path, make_backbone, name):
    backbone = make_backbone(settings=replace(TINY, name=name))
    path = tmp_path / "w.safetensors"
    write_tuned(path, backbone, None, replace(ORIGIN, backbone=backbone.settings))
    whole = timm.create_model(name).state_dict()
    assert set(load_file(path)) <= set(whole)
    other = Backbone(replace(backbone.settings, weights=str(path)))
    other.bring_weights()
    assert all(torch.equal(a, b) for a, b in zip(
        other.state_dict().values(), backbone.state_dict().values(), strict=True
    ))  # fmt: skip


def test_weights_tuned_as_another_backbone_or_for_other_pictures_are_refused(written):
    same = replace(TINY, weights=str(written[0]))
    grey = PictureSettings()
    check_origin(same, grey)
    check_origin(replace(same, taps=(1,), precision="auto"), grey)  # choices of the reader
    for other in (replace(same, name="resnet18"), replace(same, expected=CAFFE)):
        with pytest.raises(CheckpointError, match="tuned as test_resnet"):
            check_origin(other, grey)
    with pytest.raises(CheckpointError, match="usual=False") as told:
        check_origin(same, PictureSettings(usual=True))
    assert told.value.hint == "--set slices.picture.usual=false"


def test_the_decoder_comes_back(written):
    path, backbone, decoder, _ = written
    other = Decoder(backbone.channels, NARROW)
    bring_decoder(other, str(path), needed=True)
    assert all(torch.equal(other.state_dict()[n], t) for n, t in decoder.state_dict().items())


@pytest.mark.parametrize("weights", ["random", "imagenet"])
def test_weights_without_a_decoder_leave_it_fresh_unless_it_is_needed(weights):
    decoder = Decoder((24, 48), NARROW)
    before = {name: tensor.clone() for name, tensor in decoder.state_dict().items()}
    bring_decoder(decoder, weights, needed=False)
    assert all(torch.equal(before[n], t) for n, t in decoder.state_dict().items())
    with pytest.raises(CheckpointError, match="holds no decoder"):
        bring_decoder(decoder, weights, needed=True)


def test_a_decoder_of_other_settings_is_told_from_none(written):
    path, backbone, *_ = written
    with pytest.raises(CheckpointError, match="decoder of other settings"):
        bring_decoder(Decoder(backbone.channels, DecoderSettings()), str(path), needed=True)


def test_a_file_says_what_taught_it(written):
    path, *_ = written
    assert read_origin(path) == ORIGIN
    assert origin_of(str(path), "test_resnet") == ORIGIN
    assert origin_of("random", "test_resnet") is None


def test_one_entry_holds_it_all_and_no_place_of_the_machine(tmp_path, make_backbone):
    path = tmp_path / "w.safetensors"
    started = replace(ORIGIN, backbone=replace(TINY, weights="/home/somebody/start.pth"))
    write_tuned(path, make_backbone(), None, started)
    with safe_open(path, "pt") as file:
        assert set(file.metadata()) == {"slicenet_backbone"}
        table = json.loads(file.metadata()["slicenet_backbone"])
    assert table["backbone"]["weights"] == "start.pth"
    assert (table["format"], table["decodes"]) == (1, False)


def test_the_same_writes_the_same_bytes(written, tmp_path):
    path, backbone, decoder, sha256 = written
    assert write_tuned(tmp_path / "again.safetensors", backbone, decoder, ORIGIN) == sha256
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_an_import_into_the_store_keeps_what_the_file_says(written, tmp_path, monkeypatch):
    monkeypatch.setenv("SLICENET_WEIGHTS", str(tmp_path / "store"))
    import_file(written[0], "mine")
    assert origin_of("mine", "test_resnet") == ORIGIN


def test_files_of_others_say_nothing(tmp_path):
    save({"a": torch.zeros(2)}, tmp_path / "a.safetensors", {"slicenet": "{}"})
    save({"a": torch.zeros(2)}, tmp_path / "b.safetensors")
    torch.save({"a": torch.zeros(2)}, tmp_path / "c.pth")
    assert [read_origin(tmp_path / n) for n in ("a.safetensors", "b.safetensors", "c.pth")] == [
        None, None, None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "E_WEIGHTS"), ("[]", "E_WEIGHTS"), ('{"format": 1}', "E_WEIGHTS"),
        ('{"format": 1, "settings": {}, "versions": {}, "seed": "x"}', "E_WEIGHTS"),
        ('{"format": 1, "settings": {}, "versions": {}, "files": [3]}', "E_WEIGHTS"),
        ('{"format": 2}', "E_FORMAT"),
    ],
)  # fmt: skip
def test_what_a_file_says_is_checked(tmp_path, text, code):
    path = tmp_path / "a.safetensors"
    save({"a": torch.zeros(2)}, path, {"slicenet_backbone": text})
    with pytest.raises(CheckpointError) as raised:
        read_origin(path)
    assert raised.value.code == code


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        origin_of(str(tmp_path / "absent.safetensors"), "test_resnet")
