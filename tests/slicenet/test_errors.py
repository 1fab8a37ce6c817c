import inspect

import torch

from slicenet import errors
from slicenet.errors import SlicenetError, out_of_memory


def test_every_error_has_an_exit_code_of_its_meaning_and_none_is_a_bug():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    codes = {kind.__name__: kind.exit_code for kind in kinds if issubclass(kind, SlicenetError)}
    assert set(codes.values()) == {2, 4, 5, 6, 7}
    for name, code in codes.items():
        row = next((line for line in errors.__doc__.splitlines() if f"── {name} " in line), None)
        assert row is None or f" {code} " in row, name


def test_a_message_ends_with_its_hint_if_there_is_one():
    assert str(SlicenetError("cut", "E_CUT", "copy it again")) == "cut; copy it again"
    assert str(SlicenetError("cut")) == "cut"


def test_memory_runs_out_on_every_device_in_its_own_words():
    assert out_of_memory(MemoryError())
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert not out_of_memory(RuntimeError("shapes do not fit"))
