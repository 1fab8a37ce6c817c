"""Pretrained weights: a folder of safetensors files, imported once, checked at each load."""

from slicenet.weights.fetching import fetch
from slicenet.weights.known import KNOWN, KnownWeights
from slicenet.weights.store import Weights, held, import_file, load, path

__all__ = ["KNOWN", "KnownWeights", "Weights", "fetch", "held", "import_file", "load", "path"]
