"""Public data sets: where to get them, and how a folder on disk is known to hold one."""

from slicenet.datasets.files import Files
from slicenet.datasets.known import LAYOUTS, Found, recognise, recognise_files
from slicenet.datasets.layout import Layout, Scan

__all__ = ["LAYOUTS", "Files", "Found", "Layout", "Scan", "recognise", "recognise_files"]
