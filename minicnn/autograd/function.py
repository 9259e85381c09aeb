"""Function: one differentiable operation, forward and backward side by side.

A subclass computes y = forward(ctx, *arrays, **options) on arrays, leaving in ctx what the gradient needs, and
returns from backward(ctx, dy) one gradient for each input, None where there is none.  `apply` wraps both in tensors.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minicnn.errors import DTypeError, GraphError

from .mode import grad_enabled, listener


class Context:
    """What a forward leaves for its backward."""

    __slots__ = ("needs", "options", "saved")

    def __init__(self, needs: tuple[bool, ...], options: dict[str, Any]):
        self.needs = needs  # for each input, whether its gradient is wanted
        self.options = options
        self.saved: tuple[Any, ...] = ()

    def save(self, *values: Any) -> None:
        """Keep values until backward; call it once."""
        self.saved = values


class Node:
    """A remembered operation: the function, its context and its input tensors."""

    __slots__ = ("context", "function", "inputs")

    def __init__(self, function: type[Function], context: Context, inputs: tuple[Any, ...]):
        self.function, self.context, self.inputs = function, context, inputs

    def backward(self, dy: Any) -> tuple[Any, ...]:
        """The gradients of the inputs; what was kept for them is freed."""
        if self.context is None:
            raise GraphError(
                f"the graph behind this tensor was already used by backward() ({self.function.__name__} has let go "
                "of its arrays); run the forward pass again"
            )
        context, self.context = self.context, None
        gradients = self.function.backward(context, dy)
        return gradients if isinstance(gradients, tuple) else (gradients,)


class Function:
    """Base of all differentiable operations."""

    is_view: ClassVar[bool] = False  # whether the output lies in the memory of the first input

    @staticmethod
    def forward(ctx: Context, *arrays: Any, **options: Any) -> Any:
        """The output array, or a tuple whose first element is it and whose others are plain arrays."""
        raise NotImplementedError

    @staticmethod
    def backward(ctx: Context, dy: Any, /) -> Any:
        """A gradient, or None, for each input."""
        raise NotImplementedError

    @classmethod
    def apply(cls, *inputs: Any, **options: Any) -> Any:
        """Run forward on the arrays of `inputs` (tensors or arrays, None for an absent one) and remember it."""
        from .tensor import Tensor

        inputs = tuple(value if value is None or isinstance(value, Tensor) else Tensor(value) for value in inputs)
        arrays = [None if tensor is None else tensor.array for tensor in inputs]
        needs = tuple(tensor is not None and tensor.requires_grad for tensor in inputs)
        wanted = grad_enabled() and any(needs)
        context = Context(needs if wanted else (False,) * len(needs), options)
        result = cls.forward(context, *arrays, **options)
        array, *others = result if isinstance(result, tuple) else (result,)
        output = Tensor(array, requires_grad=wanted)
        if wanted:
            output.creator = Node(cls, context, inputs)
        if (hear := listener()) is not None:
            hear(cls, inputs, options, output)
        return (output, *others) if others else output


def check_dtypes(name: str, *arrays: np.ndarray) -> None:
    """Raise DTypeError unless all arrays have one dtype."""
    if len({array.dtype for array in arrays}) > 1:
        found = ", ".join(str(array.dtype) for array in arrays)
        raise DTypeError(f"{name}: operands of different dtypes ({found}); cast one of them first")
