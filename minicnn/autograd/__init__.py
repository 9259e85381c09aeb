"""Reverse-mode automatic differentiation over arrays.

Read in this order: `tensor.py` (an array that remembers), `function.py` (an operation with its gradient),
`backward.py` (the sweep), `arithmetic.py` (the first operations).  The idea is Linnainmaa's (1970): every operation
knows how a small change of its inputs changes its output, and the chain rule, run from the end to the beginning,
finds the gradient of one number with respect to everything at the cost of a few forward passes.
"""

from .function import Context, Function
from .gradcheck import gradcheck
from .mode import grad_enabled, listening, no_grad
from .parameter import Parameter
from .tensor import Tensor, cast, from_dlpack

__all__ = [
    "Context",
    "Function",
    "Parameter",
    "Tensor",
    "cast",
    "from_dlpack",
    "grad_enabled",
    "gradcheck",
    "listening",
    "no_grad",
]
