"""Several backends on one split: the same subjects fit, calibrate and test all of them."""

from slicenet.comparing.single import Result, run
from slicenet.comparing.split import Split, divide

__all__ = ["Result", "Split", "divide", "run"]
