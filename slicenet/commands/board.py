"""TensorBoard, where it is installed."""

from pathlib import Path
from typing import TYPE_CHECKING

from slicenet.errors import ConfigError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

EXTRA = "pip install 'slicenet-mri[tensorboard]'"


def board(folder: Path) -> "SummaryWriter":
    """A writer of events that TensorBoard shows."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError("--tensorboard: not installed", "E_MISSING", EXTRA) from error
    return SummaryWriter(str(folder))
