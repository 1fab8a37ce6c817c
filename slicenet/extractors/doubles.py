"""Double precision for what would lose too much without, wherever it is computed."""

from torch import Tensor


def wide(values: Tensor) -> Tensor:
    """In double precision, with gradients; those on mps, which has no doubles, on the CPU."""
    return (values.cpu() if values.device.type == "mps" else values).double()
