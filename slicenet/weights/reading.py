"""Tensors from a file that somebody else wrote; nothing in it is ever run."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from slicenet import files
from slicenet.errors import CheckpointError

LIMIT = 8 * 2**30  # bytes; the largest backbone in use is below 2 GiB
TORCH = (b"PK", b"\x80")  # how a zip and a pickle of torch begin
ORIGIN = "slicenet_backbone"  # the note in which fine-tuned weights say what taught them
WRAPPERS = ("state_dict", "model", "model_state_dict")  # what training scripts call the weights


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The named tensors of a .safetensors or .pth file, on the CPU, all of them finite."""
    size = _size(path)
    with files.reading(path) as file:
        start = file.read(512)
    _refuse_look_alikes(path, start)
    if _is_safetensors(start):
        found: object = _safetensors(path)
    elif start.startswith(TORCH):
        found = _torch_file(path, size)
    else:
        message = f"{path}: neither a .safetensors nor a .pth file"
        raise CheckpointError(message, "E_NOT_WEIGHTS", "bring the file again")
    tensors = _tensors(found)
    if not tensors:
        raise CheckpointError(f"{path}: holds no named tensors", "E_NOT_WEIGHTS", _save_hint())
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(f"{path}: {name} has values that are not finite", "E_NONFINITE")
    return tensors


def read_note(path: Path, name: str) -> str:
    """A text in the header of a .safetensors file; empty in other files, or if it has none."""
    _size(path)
    with files.reading(path) as file:
        if not _is_safetensors(file.read(512)):
            return ""
    try:
        with files.tensors(path) as opened:
            return str((opened.metadata() or {}).get(name, ""))
    except SafetensorError as error:
        raise _damaged(path, error) from error


def _size(path: Path) -> int:
    if not path.exists():
        raise CheckpointError(f"{path}: no such file", "E_NOT_FOUND")
    if not path.is_file():
        raise CheckpointError(f"{path}: not a file", "E_NOT_FILE")
    size = path.stat().st_size
    if size == 0:
        raise CheckpointError(f"{path}: the file is empty", "E_EMPTY", "bring it again")
    if size > LIMIT:
        message = f"{path}: {size / 2**30:.1f} GiB, more than any weights we know"
        raise CheckpointError(message, "E_TOO_LARGE", f"the limit is {LIMIT // 2**30} GiB")
    return size


def _refuse_look_alikes(path: Path, start: bytes) -> None:
    if start.lstrip().startswith(b"<"):
        message = f"{path}: looks like a web page, not like weights"
        raise CheckpointError(message, "E_NOT_WEIGHTS", "did a download or a login fail?")
    if start.startswith(b"version https://git-lfs"):
        message = f"{path}: a git-lfs pointer, not the weights themselves"
        raise CheckpointError(message, "E_POINTER", "run `git lfs pull` where it came from")


def _is_safetensors(start: bytes) -> bool:
    # The length of its header, which is JSON.
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= 100 * 2**20


def _safetensors(path: Path) -> Mapping[str, Any]:
    try:
        return files.load_tensors(path)
    except SafetensorError as error:
        raise _damaged(path, error) from error


def _torch_file(path: Path, size: int) -> object:
    try:
        _refuse_inflation(path, size)
        with files.reading(path) as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if not _holds_code(error):
            raise _damaged(path, error) from error
        message = f"{path}: holds Python objects beside tensors; refused, none of them was run"
        raise CheckpointError(message, "E_PICKLE", _save_hint()) from error
    # What a cut or foreign file makes of the readers of zip, pickle and storages.
    except (
        RuntimeError,
        EOFError,
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
        OSError,
        zipfile.BadZipFile,
    ) as error:
        raise _damaged(path, error) from error


def _refuse_inflation(path: Path, size: int) -> None:
    # torch stores without compression; members that claim more than the file holds are a bomb.
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            claimed = sum(member.file_size for member in archive.infolist())
        if claimed > size:
            message = f"{path}: {size} bytes that claim to hold {claimed}"
            raise CheckpointError(message, "E_TOO_LARGE", "bring it again, uncompressed")


def _holds_code(error: UnpicklingError) -> bool:
    # torch tells what it refused in words only; each of them names the way to allow it.
    return "GLOBAL" in str(error) or "safe_globals" in str(error)


def _tensors(found: object) -> dict[str, Tensor]:
    if not isinstance(found, Mapping):
        return {}
    for wrapper in WRAPPERS:
        if isinstance(found.get(wrapper), Mapping):
            return _tensors(found[wrapper])
    return {
        name: value.detach()
        for name, value in found.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }


def _damaged(path: Path, error: Exception) -> CheckpointError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    message = f"{path}: damaged, cut short, or no weights at all ({reason[:120]})"
    return CheckpointError(message, "E_NOT_WEIGHTS", "bring the file again")


def _save_hint() -> str:
    return "save the network's state_dict alone, best as .safetensors"
