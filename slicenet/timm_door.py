"""The way to timm: `from slicenet.timm_door import timm`, never `import timm`.

timm imports torchvision, and a torchvision that was built for another torch (a CPU torch beside
the index's torchvision, say) dies at import because its operators are missing. We use none of
them: declaring the two names that it looks up is enough.
"""

import importlib

import torch

__all__ = ["timm"]

try:
    importlib.import_module("torchvision")
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    # Declared, not implemented. The library must stay alive: its names go when it does.
    OPERATORS = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        OPERATORS.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import timm
