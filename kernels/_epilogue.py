"""What a kernel does with a finished sum before it is written: one pass over memory instead of four.

y = activation(sum + bias + residual)
"""

from typing import Any, NamedTuple

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from ._arrays import operand
from ._gpu.file import contiguous

INFINITY = np.float32(np.inf)
# Activations that kernels apply themselves, as limits: clip(value, low, high).
LIMITS = {
    None: (-INFINITY, INFINITY),
    "linear": (-INFINITY, INFINITY),
    "relu": (np.float32(0), INFINITY),
    "relu6": (np.float32(0), np.float32(6)),
}
NOTHING = np.zeros(1, np.float32)


class Epilogue(NamedTuple):
    """bias (F,), an activation's name, and a residual of y's shape; each may be None."""

    bias: np.ndarray | None = None
    activation: str | None = None
    residual: np.ndarray | None = None

    def check(self, channels: int, shape: tuple[int, ...], op: str) -> None:
        """Raise unless bias and residual fit an output of `shape`."""
        if self.bias is not None and self.bias.shape != (channels,):
            raise ShapeError(f"{op}: the bias must have shape ({channels},), it has {self.bias.shape}")
        if self.residual is not None and self.residual.shape != shape:
            raise ShapeError(f"{op}: the residual must have the output's shape {shape}, it has {self.residual.shape}")

    def apply(self, y: np.ndarray) -> np.ndarray:
        """Finish sums that a kernel has written plainly, in place."""
        if self.bias is not None:
            y += self.bias
        if self.residual is not None:
            y += self.residual
        return self.activate(y)

    def activate(self, y: np.ndarray) -> np.ndarray:
        """The activation alone, in place."""
        if self.activation not in (None, "linear"):
            from . import activation

            activation.forward(y, self.activation, out=y)
        return y

    @property
    def clips(self) -> bool:
        """Whether the activation is one that kernels apply themselves, and changes something."""
        return self.activation in ("relu", "relu6")

    @property
    def limits(self) -> tuple[np.float32, np.float32]:
        """Those of an activation that kernels apply themselves."""
        return LIMITS.get(self.activation, LIMITS[None])

    def operands(self, channels: int) -> tuple[np.ndarray, np.ndarray, bool, tuple[np.float32, np.float32]]:
        """(bias or zeros, flat residual, has residual, limits): arguments for a compiled kernel."""
        bias = np.zeros(channels, np.float32) if self.bias is None else operand(self.bias)
        residual = NOTHING if self.residual is None else operand(self.residual).reshape(-1)
        return bias, residual, self.residual is not None, self.limits

    def on_cuda(self) -> tuple[Any, Any, np.float32, np.float32]:
        """(bias or None, residual or None, low, high): the arguments of a kernel that includes epilogue.cuh."""
        bias, residual = (None if array is None else contiguous(array) for array in (self.bias, self.residual))
        return bias, residual, *self.limits

    def rest(self, y: np.ndarray) -> np.ndarray:
        """The activation, when the compiled kernel has not applied it."""
        return y if self.activation in LIMITS else self.activate(y)


PLAIN = Epilogue()  # the sum as it is


def rectified(activation: str | None, op: str) -> Epilogue:
    """The epilogue of an operation in training that only an activation with limits may end.

    Raises
    ------
    ArgumentError
    """
    if activation not in LIMITS:
        raise ArgumentError(f"{op}: relu or relu6 may follow in the same pass, {activation!r} may not")
    return Epilogue(activation=activation)
