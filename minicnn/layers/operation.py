"""Operation: `x + y`, `x * 0.5` and their like between symbolic tensors, as a node of the graph.

Keras writes such nodes with the constants in the call; here too, the arguments of the call are tensors and numbers.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import numbers
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError, UnsupportedError

from .layer import Layer
from .naming import automatic_name
from .symbolic import Shape, SymbolicTensor

FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda a, b: a + b,
    "Subtract": lambda a, b: a - b,
    "Multiply": lambda a, b: a * b,
    "TrueDivide": lambda a, b: a / b,
    "Divide": lambda a, b: a / b,
    "Negative": lambda a: -a,
    "Relu": lambda a: ops.activation(a, "relu"),
    "Relu6": lambda a: ops.activation(a, "relu6"),
    "Sigmoid": lambda a: ops.activation(a, "sigmoid"),
    "Tanh": lambda a: ops.activation(a, "tanh"),
    "Silu": lambda a: ops.activation(a, "swish"),
    "Softmax": lambda a: ops.softmax(a),
}
NUMPY_FUNCTIONS = ("Add", "Subtract", "Multiply", "TrueDivide", "Divide", "Negative", "Tanh")


class Operation(Layer):
    """A function of tensors and numbers, without weights.

    >>> from minicnn.layers import Input
    >>> (Input((4,)) * 0.5 + 1.0).shape
    (None, 4)
    """

    def __init__(self, function: str, name: str | None = None, **options: Any):
        if function not in FUNCTIONS:
            raise UnsupportedError(f"operation {name or function}: {function!r}; known are {', '.join(FUNCTIONS)}")
        super().__init__(name=name or automatic_name(function), **options)
        self.function = function
        self.built = True

    @property
    def module(self) -> str:  # type: ignore[override]
        """Where Keras has the operation."""
        return f"keras.src.ops.{'numpy' if self.function in NUMPY_FUNCTIONS else 'nn'}"

    def __call__(self, *arguments: Any, training: bool | None = None) -> Any:
        self._check_operands(arguments)
        for argument in arguments:
            if isinstance(argument, SymbolicTensor):
                self.dtype = argument.dtype
                return self._call_symbolic(arguments, training)
        like = next(argument for argument in arguments if isinstance(argument, Tensor))
        return self.call(*(self._operand(argument, like) for argument in arguments), training=bool(training))

    def _check_operands(self, arguments: tuple[Any, ...]) -> None:
        """Raise unless there are as many as the function takes, all of them tensors or numbers, and one a tensor."""
        owner, takes = f"operation {self.name}", len(inspect.signature(FUNCTIONS[self.function]).parameters)
        if len(arguments) != takes:
            raise ArgumentError(f"{owner}: {self.function} takes {takes} operands; got {len(arguments)}")
        others = [value for value in arguments if not isinstance(value, Tensor | SymbolicTensor)]
        for value in others:
            numbers(owner, "an operand that is no tensor", value)
        if len(others) == takes:
            raise ArgumentError(f"{owner}: one of the operands must be a tensor; they are {arguments!r}")

    @staticmethod
    def _operand(value: Any, like: Tensor) -> Tensor:
        return value if isinstance(value, Tensor) else Tensor(np.asarray(value, like.dtype))

    def call(self, *arguments: Any, training: bool) -> Tensor:  # type: ignore[override]
        return FUNCTIONS[self.function](*arguments)

    @staticmethod
    def argument_shapes(arguments: tuple[Any, ...]) -> Any:
        return [tuple(np.shape(argument)) for argument in arguments]

    def check_input(self, shape: list[Shape]) -> None:
        self._broadcast(shape)

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        return self._broadcast(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    def _broadcast(self, shapes: list[Shape]) -> Shape:
        """NumPy's rule, with None for an unknown size."""
        rank = max(len(shape) for shape in shapes)
        padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
        result: list[int | None] = []
        for sizes in zip(*padded):
            known = {size for size in sizes if size not in (1, None)}
            if len(known) > 1:
                raise ShapeError(f"operation {self.name}: shapes {shapes} do not broadcast together")
            result.append(known.pop() if known else None if None in sizes else 1)
        return tuple(result)
