"""Whether the backbone computes in bfloat16: where that is faster, measured once."""

from functools import cache

import torch

from slicenet.errors import ConfigError
from slicenet.machine import bfloat16_speed

WORTH = 1.2  # times faster; without the instructions for it, it is several times slower
PRECISIONS = ("auto", "bfloat16", "float32")


def check_precision(name: str) -> None:
    """Refuse what is no setting of precision."""
    if name not in PRECISIONS:
        raise ConfigError(f"precision: have {', '.join(PRECISIONS)}; got {name!r}", "E_SETTING")


def uses_bfloat16(name: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16 on `device`; `auto` asks the machine, once a process."""
    if name == "auto":
        return cpu_gains() if device.type == "cpu" else gpu_gains(device)
    return name == "bfloat16"


@cache
def cpu_gains() -> bool:
    """Whether matrix products in bfloat16 are worth it on this CPU."""
    return bfloat16_speed() > WORTH


@cache
def gpu_gains(device: torch.device) -> bool:
    """Whether the GPU has bfloat16 in its tensor cores, as NVIDIA's have since Ampere."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
