"""One brain as another scan might have shown it: what a network learns to call the same."""

from slicenet.views.settings import Chance, ViewSettings
from slicenet.views.view import view

__all__ = ["Chance", "ViewSettings", "view"]
