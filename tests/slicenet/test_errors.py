import errno
import inspect
import os
import weakref

import pytest
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


def test_an_error_that_is_kept_keeps_nothing_of_where_it_was_raised():
    held = []

    def read():
        scan = torch.zeros(9)
        held.append(weakref.ref(scan))
        try:
            return scan.reshape(2, 2)
        except RuntimeError as error:
            raise SlicenetError("cut", "E_CUT") from error

    try:
        read()
    except SlicenetError as error:
        kept = error.alone()
    assert held[0]() is None
    assert (kept.message, kept.code, kept.hint) == ("cut", "E_CUT", "")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB, max allowed: 6 GB)"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("std::bad_alloc"),
        RuntimeError("Failed to allocate memory for image."),
        RuntimeError("could not create a primitive"),
        RuntimeError("could not create a memory object"),
    ],
    ids=lambda error: str(error)[:30],
)
def test_memory_runs_out_on_every_device_and_in_every_library_in_its_own_words(error):
    assert out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes do not fit"),
        RuntimeError("could not create a primitive descriptor for a matmul primitive"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/out of memory/brain.nii"),
    ],
    ids=lambda error: str(error)[:30],
)
def test_what_is_said_of_other_faults_is_not_taken_for_it(error):
    assert not out_of_memory(error)
