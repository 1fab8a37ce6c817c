import pytest
import torch

from slicenet.errors import ConfigError
from slicenet.extractors.precision import check_precision, cpu_gains, uses_bfloat16

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
