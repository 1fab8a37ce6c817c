"""One safetensors file holds a trained detector; nothing in it is code."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, final

import torch
from safetensors import SafetensorError
from safetensors.torch import save as serialize
from torch import Tensor

from slicenet.backends import BACKENDS
from slicenet.backends.base import Backend
from slicenet.calibration import Calibration
from slicenet.config import overlay
from slicenet.detector import Detector
from slicenet.errors import CheckpointError, ConfigError
from slicenet.files import tensors as open_tensors
from slicenet.files import write_bytes
from slicenet.learning import fill

FORMAT = 1
LARGEST = 65000.0  # that half precision holds
LIBRARIES = ("slicenet-mri", "torch", "numpy", "nibabel", "timm", "FrEIA")


@final
@dataclass(frozen=True)
class Origin:
    """Where a model comes from."""

    fitted: tuple[str, ...] = ()  # digests of volumes: image, mask and options
    calibrated: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # SHA-256 of every image file of both, against leaks into tests
    seed: int = 0
    synthetic: bool = False  # learnt from phantoms only: says nothing about patients
    licence: str = ""  # of the model, where its data ask for one


@final
@dataclass(frozen=True, eq=False)
class Model:
    """A trained detector with everything that its file says of it."""

    detector: Detector
    name: str  # of the backend
    backend: Backend
    origin: Origin = field(default_factory=Origin)
    versions: Mapping[str, str] = field(default_factory=dict)
    half: bool = False  # single precision is kept as half; all was rounded before it calibrated
    digest: str = ""  # SHA-256 of header and tensors


def load(path: Path | str) -> Detector:
    """The trained detector in a model file or run folder; never touches the network."""
    return read(Path(path)).detector


def save(path: Path, model: Model) -> str:
    """Write `model` to `path`, whole or not at all, and return its digest."""
    state = model.detector.state_dict()
    halved = sorted(name for name, held in state.items() if model.half and _fits_half(held))
    tensors = {
        name: (held.half() if name in halved else held).cpu().contiguous().clone()
        for name, held in state.items()
    }
    calibration = model.detector.calibration
    header = {
        "format": FORMAT,
        "halved": halved,
        "backend": model.name,
        "settings": settings_table(model.backend),
        "origin": dataclasses.asdict(model.origin),
        "versions": versions(),
        "calibration": calibration.to_table() if calibration else None,
    }
    digest = _digest(header, tensors)
    # One entry only: safetensors writes several in no fixed order, and the bytes should be fixed.
    about = json.dumps({"sha256": digest, "header": header}, sort_keys=True)
    # Through our own door: safetensors' own writer hides that a disk is full.
    write_bytes(path, serialize(tensors, {"slicenet": about}))
    return digest


def read(path: Path, allow_unverified: bool = False) -> Model:
    """Rebuild the model in a file, or in the `model.safetensors` of a run folder."""
    path = path / "model.safetensors" if path.is_dir() else path
    about, tensors = _open(path)
    claimed, header = about.get("sha256", ""), about.get("header", {})
    _verify(path, header, tensors, claimed, allow_unverified)
    try:
        return _rebuild(path, header, tensors, claimed)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: header not readable ({error!r})", "E_MODEL") from error


def rounded(detector: Detector) -> Detector:
    """The detector with every number that a file would keep in half precision rounded to that."""
    for tensor in filter(_fits_half, detector.state_dict().values()):
        tensor.copy_(tensor.half())
    return detector


def settings_table(backend: Backend) -> dict[str, Any]:
    """The settings of a backend as plain nested values."""
    table: dict[str, Any] = dataclasses.asdict(backend)  # type: ignore[call-overload]
    return table


def versions() -> dict[str, str]:
    """Versions of the libraries that shape a result."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:  # run from a checkout that was never installed
            continue
    return found


def _fits_half(tensor: Tensor) -> bool:
    """Whether it is in single precision, and half could hold it."""
    known = tensor.dtype == torch.float32 and tensor.numel() > 0
    return known and float(tensor.abs().max()) <= LARGEST


def _open(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with open_tensors(path) as file:
            about = json.loads((file.metadata() or {}).get("slicenet", "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such model", "E_NOT_FOUND") from error
    except (OSError, SafetensorError, ValueError, RecursionError) as error:  # the last two: of JSON
        raise CheckpointError(
            f"{path}: not a whole safetensors file ({error})", "E_MODEL",
            "models of slicenet end in .safetensors; pickled files are never opened",
        ) from error  # fmt: skip
    if not isinstance(about, dict) or not isinstance(about.get("header"), dict):
        raise CheckpointError(f"{path}: no slicenet model (its header names none)", "E_MODEL")
    return about, tensors


def _verify(
    path: Path,
    header: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    claimed: str,
    allow_unverified: bool,
) -> None:
    if not claimed and not allow_unverified:
        raise CheckpointError(
            f"{path}: no hash in its header", "E_SHA256", "--allow-unverified loads it all the same"
        )
    if claimed and _digest(header, tensors) != claimed:
        raise CheckpointError(
            f"{path}: damaged, its tensors are not those that were saved", "E_SHA256",
            "copy the file again",
        )  # fmt: skip
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.itemsize < 2:
            raise CheckpointError(f"{path}: {name} is {tensor.dtype}, as none of ours", "E_MODEL")
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds NaN or Inf", "E_MODEL")


def _rebuild(
    path: Path, header: Mapping[str, Any], tensors: Mapping[str, Tensor], digest: str
) -> Model:
    if header["format"] > FORMAT:
        written = header["versions"].get("slicenet-mri", "newer")
        raise CheckpointError(
            f"{path}: format {header['format']}, this slicenet reads up to {FORMAT}", "E_FORMAT",
            f"install slicenet-mri {written} or later",
        )  # fmt: skip
    name = header["backend"]
    if name not in BACKENDS:
        raise CheckpointError(f"{path}: no backend called {name!r} here", "E_MODEL")
    try:
        backend = overlay(BACKENDS[name](), header["settings"])
        origin = overlay(Origin(("",), ("",), ("",)), header["origin"])
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error.message}", "E_MODEL") from error
    detector = backend.build()
    halved = header.get("halved", [])
    single = {name: tensors[name].float() for name in halved}
    _fill(path, detector, {**tensors, **single})
    if header["calibration"] is not None:
        detector.calibration = Calibration.from_table(header["calibration"])
    return Model(detector.eval(), name, backend, origin, header["versions"], bool(halved), digest)


def _fill(path: Path, detector: Detector, tensors: Mapping[str, Tensor]) -> None:
    try:
        fill(detector, tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path}: tensors do not fit the settings", "E_MODEL") from error


def _digest(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    whole = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        whole.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()
