"""Function: one differentiable operation, forward and backward side by side.

A subclass computes y = forward(ctx, *arrays, **options) on arrays, leaving in ctx what the gradient needs, and
returns from backward(ctx, dy) one gradient for each input, None where there is none.  `apply` wraps both in tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from minicnn.errors import DTypeError, GraphError

from .mode import grad_enabled, listener

if TYPE_CHECKING:
    from .tensor import Tensor


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
    """A remembered operation: the function, its context, where its inputs came from, and the shape of its output.

    Where an input came from is the node that made it, the leaf that it is, or None when it needs no gradient.  The
    tensor itself is not kept: an array lives on only where a context has saved it.
    """

    __slots__ = ("context", "function", "inputs", "shape")

    def __init__(self, function: type[Function], context: Context, inputs: tuple[Source | None, ...], shape: Any):
        self.function, self.inputs, self.shape = function, inputs, shape
        self.context: Context | None = context

    def check_unused(self) -> Context:
        """The context; raises GraphError when a backward pass has been here before."""
        if self.context is None:
            raise GraphError(
                f"the graph behind this tensor was already used by backward() ({self.function.__name__} has let go "
                "of its arrays); run the forward pass again"
            )
        return self.context

    def input(self, position: int, array: Any) -> Tensor:
        """The input at a position as a tensor again, of which the context has saved the array."""
        from .tensor import Tensor

        source = self.inputs[position]
        if not isinstance(source, Node):
            return Tensor(array) if source is None else source
        tensor = Tensor(array, requires_grad=True)
        tensor.creator = source
        return tensor

    def backward(self, dy: Any) -> tuple[Any, ...]:
        """The gradients of the inputs; what was kept for them, and the way to them, is forgotten."""
        context = self.check_unused()
        self.context, self.inputs = None, ()
        gradients = self.function.backward(context, dy)
        return gradients if isinstance(gradients, tuple) else (gradients,)


Source: TypeAlias = "Node | Tensor"


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
        given = [None if tensor is None else tensor.array for tensor in inputs]
        arrays = _together(given)
        needs = tuple(tensor is not None and tensor.requires_grad for tensor in inputs)
        wanted = grad_enabled() and any(needs)
        if wanted and arrays is not given:
            inputs = tuple(map(_with_array, inputs, arrays))
        context = Context(needs if wanted else (False,) * len(needs), options)
        result = cls.forward(context, *arrays, **options)
        array, *others = result if isinstance(result, tuple) else (result,)
        output = Tensor(array, requires_grad=wanted)
        if wanted:
            output.creator = Node(cls, context, tuple(map(_source, inputs)), output.shape)
        if (hear := listener()) is not None:
            hear(cls, inputs, options, output)
        return (output, *others) if others else output


def _together(arrays: list[Any]) -> list[Any]:
    """The arrays, all on one device: constants and data of the host follow the weights."""
    if all(array is None or type(array) is np.ndarray for array in arrays):
        return arrays
    from minicnn.kernels import together

    return together(arrays)


class Move(Function):
    """y = a, on the device of the other operands; the gradient goes back to where a is"""

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        from minicnn.kernels import to_device

        return to_device(dy, ctx.saved[0])


def _with_array(tensor: Tensor | None, array: Any) -> Tensor | None:
    """The tensor, or where its array was brought to another device, one there through which its gradient comes back."""
    if tensor is None or tensor.array is array or not tensor.requires_grad:
        return tensor
    from minicnn.kernels import device_of

    from .tensor import Tensor

    context = Context((True,), {})
    context.save(device_of(tensor.array))
    moved = Tensor(array, requires_grad=True)
    moved.creator = Node(Move, context, (_source(tensor),), tensor.shape)
    return moved


def _source(tensor: Tensor | None) -> Source | None:
    """Where a gradient for a tensor goes."""
    if tensor is None or not tensor.requires_grad:
        return None
    return tensor if tensor.creator is None else tensor.creator


def check_dtypes(name: str, *arrays: np.ndarray) -> None:
    """Raise DTypeError unless all arrays have one dtype."""
    if len({array.dtype for array in arrays}) > 1:
        found = ", ".join(str(array.dtype) for array in arrays)
        raise DTypeError(f"{name}: operands of different dtypes ({found}); cast one of them first")
