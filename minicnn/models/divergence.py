"""Where the numbers of a step stopped being finite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicnn.training import first_not_finite

from .compute import NotFinite
from .graph import Program


def what_diverged(program: Program, x: Sequence[np.ndarray], error: NotFinite) -> str:
    """In words, what is not finite, and the layer where it came up first; the batch runs through it once more."""
    where = first_not_finite(program, x)
    if where is None:
        return f"the loss is {error.loss}, though the outputs of all layers are finite"
    return f"the loss is {error.loss}: the first layer whose output is not finite is {where}"
