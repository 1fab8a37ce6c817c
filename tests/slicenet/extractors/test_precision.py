import pytest
import torch

from slicenet.backends import BACKENDS
from slicenet.cache import Cache
from slicenet.checkpoint import Model, read, save
from slicenet.config import merge, overlay
from slicenet.errors import ConfigError
from slicenet.extractors.precision import check_precision, cpu_gains, uses_bfloat16
from tests.tiny import COARSE, TINY

CPU = torch.device("cpu")


def test_what_is_asked_for_is_done():
    assert uses_bfloat16("bfloat16", CPU)
    assert not uses_bfloat16("float32", CPU)


def test_the_machine_is_measured_once():
    cpu_gains.cache_clear()
    answers = {uses_bfloat16("auto", CPU) for _ in range(3)}
    assert len(answers) == 1
    assert cpu_gains.cache_info().misses == 1


def test_other_precisions_are_refused():
    with pytest.raises(ConfigError, match="have auto, bfloat16, float32"):
        check_precision("half")


DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
def test_f88_what_learnt_in_bfloat16_on_another_device_scores_on_the_cpu(
    make_brain, tmp_path, device
):
    tiny = merge(TINY["padim"], {"slices": {"backbone": {"precision": "bfloat16"}}})
    backend = overlay(BACKENDS["padim"](), merge(COARSE, tiny))
    made = backend.build().on(device)
    made.fit([make_brain(seed) for seed in range(3)], cache=Cache(tmp_path))
    save(tmp_path / "m.safetensors", Model(made, "padim", backend))
    again, brain = read(tmp_path / "m.safetensors").detector, make_brain(9)
    assert {held.device for held in again.state_dict().values()} == {CPU}
    expected, scores = made.score(brain).scores, again.score(brain).scores
    assert torch.allclose(scores, expected.cpu(), rtol=0.05, atol=0.05 * float(expected.std()))
    assert device != "cpu" or torch.equal(scores, expected)
