"""The plug-in interface: settings that can build a detector."""

from typing import Protocol

from slicenet.detector import Detector


class Backend(Protocol):
    """A frozen dataclass of settings, every field with a default; its docstring is its help."""

    def build(self) -> Detector:
        """Assemble an untrained detector; touch neither disk nor network."""
