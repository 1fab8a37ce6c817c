"""What is installed, found out without importing any of it."""

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, final

from slicenet import __version__

LIBRARIES = (
    "torch", "torchvision", "timm", "FrEIA", "nibabel", "nilearn", "SimpleITK", "numpy", "scipy",
    "scikit-learn", "safetensors", "matplotlib", "pillow", "click",
)  # fmt: skip


@final
@dataclass(frozen=True)
class Finding:
    """One line of a check-up; what is missing stops slicenet, what is warned of does not."""

    state: Literal["ok", "warn", "missing"]
    name: str
    found: str
    hint: str = ""


def installed() -> tuple[Finding, ...]:
    """Versions of slicenet, of Python, and of every library that slicenet needs."""
    return (
        Finding("ok", "slicenet", __version__),
        Finding("ok", "python", f"{platform.python_version()} on {platform.platform()}"),
        *map(_library, LIBRARIES),
    )


def _library(name: str) -> Finding:
    try:
        return Finding("ok", name, version(name))
    except PackageNotFoundError:
        return Finding("missing", name, "not installed", f"pip install {name}")
