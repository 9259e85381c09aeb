"""What a kernel does with a finished sum before it is written: one pass over memory instead of four.

y = activation(sum + bias + residual)
"""

from typing import NamedTuple

import numpy as np

from minicnn.errors import ShapeError

from ._arrays import operand

IN_REGISTERS = {
    None: 0,
    "linear": 0,
    "relu": 1,
    "relu6": 2,
}  # codes of the activations that kernels apply themselves
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

    def operands(self) -> tuple[np.ndarray, bool, np.ndarray, bool, int]:
        """(bias, has bias, flat residual, has residual, activation code or 0): arguments for a compiled kernel."""
        bias = NOTHING if self.bias is None else operand(self.bias)
        residual = NOTHING if self.residual is None else operand(self.residual).reshape(-1)
        code = IN_REGISTERS.get(self.activation, 0)
        return bias, self.bias is not None, residual, self.residual is not None, code

    def rest(self, y: np.ndarray) -> np.ndarray:
        """The activation, when the compiled kernel has not applied it."""
        return y if self.activation in IN_REGISTERS else self.activate(y)
