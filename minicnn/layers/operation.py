"""Operation: `x + y`, `x * 0.5`, a mean, a reshape and their like between symbolic tensors, as a node of the graph.

Keras writes such nodes with the constants in the call; here too, the arguments of the call are tensors and numbers.
What else a function is told, an axis or a shape, are options of the operation (functions.py has the functions).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from minicnn.arguments import numbers
from minicnn.autograd import Tensor, no_grad
from minicnn.errors import ArgumentError, MinicnnError, ShapeError, UnsupportedError

from .functions import BY_NAME_IN_CALLS, ELEMENTWISE, FUNCTIONS, IN_CALLS, MODULES, without_ellipsis
from .layer import Layer
from .naming import automatic_name
from .symbolic import Shape, SymbolicTensor, map_arguments

PROBES = (240, 720)  # sizes of many divisors, with which a shape is found where a size is not known


class Fixed(tuple[int, ...]):
    """The shape of an operand of numbers, which has no axis of samples."""


class Operation(Layer):
    """A function of tensors and numbers, without weights; `options` are those of the function.

    >>> from minicnn.layers import Input, Operation
    >>> (Input((4,)) * 0.5 + 1.0).shape
    (None, 4)
    >>> Operation("Mean", axis=-1, keepdims=True)(Input((4, 3))).shape
    (None, 4, 1)
    """

    def __init__(self, function: str, name: str | None = None, **options: Any):
        if function not in FUNCTIONS:
            raise UnsupportedError(f"operation {name or function}: {function!r}; known are {', '.join(FUNCTIONS)}")
        super().__init__(name=name or automatic_name(function))
        _, known = parameters_of(function)
        if unknown := sorted(options.keys() - known.keys()):
            raise UnsupportedError(
                f"operation {self.name}: {function} with {', '.join(f'{key}={options[key]!r}' for key in unknown)}; "
                f"minicnn knows {', '.join(known) or 'no options'}"
            )
        self.function, self.options = function, options
        self.built = True

    @property
    def module(self) -> str:  # type: ignore[override]
        """Where Keras has the operation."""
        return f"keras.src.ops.{MODULES.get(self.function, 'numpy')}"

    def __call__(self, *arguments: Any, training: bool | None = None) -> Any:
        self._check_operands(arguments)
        tensors = list(_leaves(arguments))
        for tensor in tensors:
            if isinstance(tensor, SymbolicTensor):
                self.dtype = tensor.dtype
                return self._call_symbolic(arguments, training)
        like = next(tensor for tensor in tensors if isinstance(tensor, Tensor))
        return self.call(*map_arguments(arguments, lambda v: _operand(v, like)), training=bool(training))

    def _check_operands(self, arguments: tuple[Any, ...]) -> None:
        """Raise unless there are as many as the function takes, all of them tensors or numbers, and one a tensor."""
        owner, (operands, _) = f"operation {self.name}", parameters_of(self.function)
        if len(arguments) != len(operands):
            raise ArgumentError(f"{owner}: {self.function} takes {len(operands)} operands; got {len(arguments)}")
        leaves = list(_leaves(arguments))
        others = [value for value in leaves if not isinstance(value, Tensor | SymbolicTensor)]
        for value in others:
            numbers(owner, "an operand that is no tensor", value)
        if len(others) == len(leaves):
            raise ArgumentError(f"{owner}: one of the operands must be a tensor; they are {arguments!r}")

    def call(self, *arguments: Any, training: bool) -> Any:  # type: ignore[override]
        try:
            return FUNCTIONS[self.function](*arguments, **self.options)
        except MinicnnError as error:
            error.args = (f"operation {self.name}: {error}",)
            raise
        except (TypeError, ValueError, IndexError, ArithmeticError) as error:
            owner = f"operation {self.name}: {self.function} does not take its options"
            raise ArgumentError(f"{owner} ({type(error).__name__}: {error})") from error

    @staticmethod
    def argument_shapes(arguments: tuple[Any, ...]) -> Any:
        return [
            [_shape_of(value) for value in argument] if isinstance(argument, (list, tuple)) else _shape_of(argument)
            for argument in arguments
        ]

    def check_input(self, shape: list[Any]) -> None:
        if self.function in ELEMENTWISE:
            self._broadcast(shape)

    def compute_output_shape(self, input_shape: list[Any]) -> Any:
        if self.function in ELEMENTWISE:
            return self._broadcast(input_shape)
        small, large = (self._probed(input_shape, size) for size in PROBES)
        found = [tuple(m if m == n else None for m, n in zip(*both)) for both in zip(small, large)]
        batch = next(iter(_shapes(input_shape)))[0]
        found = [(batch, *shape[1:]) for shape in found]
        return found if self.function in SEVERAL else found[0]

    def _probed(self, shapes: list[Any], size: int) -> list[tuple[int, ...]]:
        """The shapes that come out for no samples, with `size` in the place of what is not known."""

        def empty(shape: Shape) -> Tensor:
            sizes = shape if isinstance(shape, Fixed) else (0, *(size if n is None else n for n in shape[1:]))
            return Tensor(np.zeros(sizes, np.float32))

        operands = [[empty(s) for s in shape] if isinstance(shape, list) else empty(shape) for shape in shapes]
        with no_grad():
            outputs = self.call(*operands, training=False)
        return [output.shape for output in (outputs if isinstance(outputs, list) else [outputs])]

    def get_config(self) -> dict[str, Any]:
        kept = {key: v for key, v in self.options.items() if key not in (*IN_CALLS, *BY_NAME_IN_CALLS)}
        return {"name": self.name} | {key: list(v) if isinstance(v, tuple) else v for key, v in kept.items()}

    def split_arguments(self, arguments: tuple[Any, ...]) -> tuple[list[Any], dict[str, Any]]:  # type: ignore[override]
        named = {key: self.options[key] for key in BY_NAME_IN_CALLS if key in self.options}
        others = [self.options[key] for key in IN_CALLS if key in self.options]
        if self.function == "GetItem":  # the .h5 files of Keras 3 hold no "..."
            others = [without_ellipsis(others[0], len(arguments[0].shape))]
        return [*arguments, *others], named

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


SEVERAL = ("Split", "SplitSizes", "Unstack")  # which have a list of outputs


@cache
def parameters_of(function: str) -> tuple[list[str], dict[str, Any]]:
    """(operands, options with their defaults) of a function."""
    parameters = inspect.signature(FUNCTIONS[function]).parameters.values()
    operands = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
    return operands, {p.name: p.default for p in parameters if p.kind is not p.POSITIONAL_ONLY}


def _shape_of(value: Any) -> Shape:
    """The shape of an operand: a tensor, or what stands for one, or numbers."""
    is_tensor = hasattr(value, "shape") and not isinstance(value, np.ndarray | np.generic)
    return tuple(value.shape) if is_tensor else Fixed(np.shape(value))


def _operand(value: Any, like: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(np.asarray(value, like.dtype))


def _leaves(arguments: Any) -> Iterator[Any]:
    """What stands in nested lists."""
    for value in arguments:
        if isinstance(value, (list, tuple)):
            yield from _leaves(value)
        else:
            yield value


def _shapes(shapes: list[Any]) -> Iterator[Shape]:
    """The shapes of tensors in nested lists."""
    for shape in shapes:
        if isinstance(shape, list):
            yield from _shapes(shape)
        elif not isinstance(shape, Fixed):
            yield shape
