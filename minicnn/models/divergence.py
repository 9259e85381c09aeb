"""Where the numbers of a step stopped being finite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicnn.autograd import Parameter
from minicnn.training import first_not_finite
from minicnn.training.finite import in_words

from .compute import NotFinite
from .graph import Program


def what_diverged(program: Program, x: Sequence[np.ndarray], error: NotFinite) -> str:
    """In words, what is not finite, and the layer where it came up first; the batch runs through it once more."""
    if error.parameter is not None:
        return _gradient(program, error.parameter, error.loss)
    where = first_not_finite(program, x)
    if where is None:
        return f"the loss is {error.loss}, though the outputs of all layers are finite"
    return f"the loss is {error.loss}: the first layer whose output is not finite is {where}"


def _gradient(program: Program, parameter: Parameter, loss: float) -> str:
    """In words, what has a gradient that is not finite, as it came up first on the way back."""
    layer = next(call.layer for call in program.calls if any(weight is parameter for weight in call.layer.weights))
    return (
        f"the gradient of the {parameter.name} of {in_words(layer)} is NaN or infinite, though the loss is {loss:.4g} "
        "and is not scaled any more: float16 has no room for it, or something from this layer on makes it so; "
        "model.precision = 'bfloat16' has the range of float32"
    )
