"""Numbers that are not finite: where in a network they come up first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.autograd import Tensor, no_grad
from minicnn.training.state import all_finite


def first_not_finite(program: Any, inputs: Sequence[np.ndarray]) -> str | None:
    """The first layer whose output for a batch is not finite, in training mode, in words; None where all are.

    Moving statistics follow the batch once more: who needs them keeps a copy.
    """
    values = dict(zip(program.inputs, map(Tensor, inputs)))
    with no_grad(), np.errstate(all="ignore"):
        for call, outputs in program.steps(values, training=True):
            if not all_finite(*(output.numpy() for output in outputs)):
                bad = [weight.name for weight in call.layer.weights if not all_finite(weight.numpy())]
                return in_words(call.layer) + (f", whose {' and '.join(bad)} is not finite" if bad else "")
    return None


def in_words(layer: Any) -> str:
    """A layer's name and class."""
    return f"{layer.name} ({type(layer).__name__})"
