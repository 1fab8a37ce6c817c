import pytest
import torch
from safetensors.torch import save_file

from slicenet.errors import CheckpointError
from slicenet.extractors.pretrained import fill, find
from slicenet.timm_door import timm
from slicenet.weights import import_file


def network(name="test_resnet", taps=(2, 3)):
    return timm.create_model(name, features_only=True, out_indices=taps)


def whole(seed, name="test_resnet"):
    """State of a whole network, with the last stage and the classifier."""
    torch.manual_seed(seed)
    model = timm.create_model(name)
    return {key: torch.rand_like(value.float()) for key, value in model.state_dict().items()}


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_file_fills_all_that_the_backbone_has(tmp_path, ending):
    state, path = whole(0), tmp_path / f"weights.{ending}"
    if ending == "pth":
        torch.save({"state_dict": state}, path)
    else:
        save_file(state, path)
    backbone = network()
    fill(backbone, find(str(path), "test_resnet"), "file")
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, state[name].to(tensor.dtype)), name


def test_names_before_flattening_and_of_parallel_training_are_known():
    state = whole(1, "test_convnext")
    backbone = network("test_convnext", (1, 2))
    fill(backbone, {f"module.{name}": tensor for name, tensor in state.items()}, "file")
    weight = dict(backbone.named_parameters())["stem_0.weight"]
    assert torch.equal(weight, state["stem.0.weight"])


def test_half_precision_is_widened():
    state = {name: tensor.half() for name, tensor in whole(2).items()}
    backbone = network()
    fill(backbone, state, "file")
    assert {tensor.dtype for tensor in backbone.parameters()} == {torch.float32}


def test_only_the_counters_of_batch_norm_may_lack():
    state = {name: t for name, t in whole(3).items() if not name.endswith("tracked")}
    fill(network(), state, "file")
    del state["layer3.0.bn2.running_var"]
    with pytest.raises(CheckpointError, match=r"file: lacks 1 of \d+ tensors, layer3.0.bn2.runn"):
        fill(network(), state, "file")


def test_weights_of_another_backbone_are_refused():
    with pytest.raises(CheckpointError, match="another backbone"):
        fill(network(), whole(0, "test_convnext"), "file")
    other = whole(0)
    other["layer2.0.conv1.weight"] = torch.zeros(1, 2, 3, 3)
    with pytest.raises(CheckpointError, match=r"layer2.0.conv1.weight is \[1, 2, 3, 3\], expected"):
        fill(network(), other, "file")


def test_imagenet_is_the_backbone_in_the_store_and_any_name_works(tmp_path, monkeypatch):
    monkeypatch.setenv("SLICENET_WEIGHTS", str(tmp_path / "store"))
    save_file(whole(4), tmp_path / "some.safetensors")
    import_file(tmp_path / "some.safetensors", "test_resnet.mine")
    for weights, backbone in (("imagenet", "test_resnet.mine"), ("test_resnet.mine", "other")):
        assert torch.equal(find(weights, backbone)["bn1.bias"], whole(4)["bn1.bias"])


def test_weights_that_are_not_there_say_which_file_to_bring_where(tmp_path, monkeypatch):
    monkeypatch.setenv("SLICENET_WEIGHTS", str(tmp_path))
    with pytest.raises(CheckpointError) as caught:
        find("imagenet", "wide_resnet50_2.tv_in1k")
    for words in (str(tmp_path), "wide_resnet50_2-95faca4d.pth", "slicenet weights import"):
        assert words in str(caught.value)
    with pytest.raises(CheckpointError, match="no such file"):
        find(str(tmp_path / "absent.safetensors"), "wide_resnet50_2.tv_in1k")
