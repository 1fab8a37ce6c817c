"""The folder that scoring leaves: whole cases, each with what made it, never two models mixed."""

from slicenet.output.folder import Output
from slicenet.output.names import BRAIN, HEATMAP, MASK, MASK_PICTURE, OVERLAY, SIDECAR

__all__ = ["BRAIN", "HEATMAP", "MASK", "MASK_PICTURE", "OVERLAY", "SIDECAR", "Output"]
