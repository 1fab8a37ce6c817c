"""Whether slicenet can work well here: what the machine offers, and what is at hand."""

import importlib
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch

from slicenet import machine
from slicenet.cache import Cache
from slicenet.errors import CheckpointError
from slicenet.folders import weights_folder
from slicenet.installed import Finding
from slicenet.weights import held

TEMPLATE = "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"  # within nilearn
ENOUGH_MEMORY = 4e9  # bytes; scoring a volume of 256³ voxels stays under 1.5
ENOUGH_DISK = 5e9  # bytes; a feature cache of 100 subjects takes about as much
FULL_DISK = 1e8


def examine() -> tuple[Finding, ...]:
    """Everything worth knowing before a first run, or in a report of a bug; takes seconds."""
    return (
        _timm(),
        _processor(),
        *_accelerators(),
        _cores(),
        _memory(),
        _disk("working folder", Path.cwd()),
        _disk("feature cache", Cache().folder, _cached()),
        _disk("weights folder", weights_folder()),
        _weights(),
        _template(),
    )


def _timm() -> Finding:
    try:
        importlib.import_module("slicenet.timm_door")
    except (ImportError, RuntimeError) as error:
        hint = "reinstall torch and torchvision of one release: their versions belong together"
        return Finding("missing", "backbones", f"timm does not import: {error}", hint)
    stands_in = hasattr(importlib.import_module("slicenet.timm_door"), "OPERATORS")
    told = "timm works; torchvision was built for another torch, which does no harm here"
    return Finding("ok", "backbones", told if stands_in else "timm works")


def _processor() -> Finding:
    gain = machine.bfloat16_speed()
    return Finding("ok", "processor", f"{machine.processor()}; bfloat16 {gain:.1f}x float32 speed")


def _accelerators() -> Iterator[Finding]:
    for index in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(index)
        yield Finding("ok", f"cuda:{index}", f"{device.name}, {_size(device.total_memory)}")
    if torch.backends.mps.is_available():
        yield Finding("ok", "mps", "available")
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        yield Finding("ok", "accelerator", "none; everything works on the CPU")


def _cores() -> Finding:
    usable, threads = machine.cores(), torch.get_num_threads()
    found = f"{usable:g} usable of {os.cpu_count()}, {threads} threads"
    if threads > max(1, round(usable)):
        hint = f"--threads {max(1, int(usable))}: more threads than cores only get in their way"
        return Finding("warn", "cores", found, hint)
    return Finding("ok", "cores", found)


def _memory() -> Finding:
    held_here = machine.memory()
    found = f"{_size(held_here.available)} free of {_size(held_here.total)}"
    if 0 < held_here.available < ENOUGH_MEMORY:
        return Finding("warn", "memory", found, "close other programs, or take a coarser spacing")
    return Finding("ok", "memory", found)


def _disk(name: str, folder: Path, note: str = "") -> Finding:
    nearest = next(place for place in (folder, *folder.parents) if os.path.exists(place))
    free = shutil.disk_usage(nearest).free
    found = f"{_size(free)} free at {folder}{note}"
    if not os.access(nearest, os.W_OK):
        return Finding("warn", name, f"{folder} cannot be written to{note}", _elsewhere(name))
    if free < FULL_DISK:
        return Finding("missing", name, found, f"make room; {_elsewhere(name)}")
    if free < ENOUGH_DISK:
        return Finding("warn", name, found, _elsewhere(name))
    return Finding("ok", name, found)


def _elsewhere(name: str) -> str:
    if name == "working folder":
        return "write elsewhere with --out"
    variable = "SLICENET_CACHE" if name == "feature cache" else "SLICENET_WEIGHTS"
    return f"set {variable} to another folder"


def _cached() -> str:
    maps, size = Cache().size()
    return f", {maps} maps in {_size(size)}"


def _weights() -> Finding:
    try:
        names = [weights.name for weights in held()]
    except CheckpointError as error:
        return Finding("warn", "weights", error.message, error.hint)
    none = "none; only backends with a pretrained network need them"
    return Finding("ok", "weights", ", ".join(names) or none)


def _template() -> Finding:
    package = find_spec("nilearn")
    places = package.submodule_search_locations if package else None
    if places and any(Path(place, TEMPLATE).is_file() for place in places):
        return Finding("ok", "brain template", "nilearn's MNI152")
    hint = "phantoms are drawn by formula instead; pip install nilearn"
    return Finding("warn", "brain template", "not found", hint)


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB"
