"""Synthetic healthy and lesioned brains with ground truth: for demos, tests and first steps."""

from slicenet.phantom.base import add_lesions
from slicenet.phantom.dataset import write_phantoms
from slicenet.phantom.make import Phantom, make_phantom
from slicenet.phantom.settings import PhantomSettings

__all__ = ["Phantom", "PhantomSettings", "add_lesions", "make_phantom", "write_phantoms"]
