"""The model that comes with slicenet: T1 of healthy adults, from one scanner of IXI."""

from pathlib import Path

from slicenet.errors import CheckpointError

NAME = "t1-ixi"
LICENCE = "CC BY-SA 3.0"  # of the weights; the code is under its own
SOURCE = "IXI, brain-development.org"
FILE = Path(__file__).with_name(f"{NAME}.safetensors")


def place() -> Path:
    """The model's file, or an error that says how to do without."""
    if not FILE.is_file():
        raise CheckpointError(
            f"no model named, and {NAME} does not come with this checkout", "E_MODEL",
            "slicenet score RUN/model.safetensors INPUT… --out OUT; `slicenet train` makes one",
        )  # fmt: skip
    return FILE


def told() -> str:
    """What a person should know of it, in a line."""
    told = f"embedded model {NAME} ({LICENCE}, {SOURCE})"
    return told if FILE.is_file() else f"no {told} in this checkout"
