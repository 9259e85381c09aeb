"""How pictures become network input: resizing, pixel values, and both as metadata that travels with a model."""

from .modes import MODES, preprocess_input
from .preparation import Preparation, has_channels_first
from .resize import ResizeRule

__all__ = ["MODES", "Preparation", "ResizeRule", "has_channels_first", "preprocess_input"]
