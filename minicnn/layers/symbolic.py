"""Symbolic tensors: what a layer returns when it is called on an Input, to describe a model before any data is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .layer import Layer

Shape = tuple[int | None, ...]


class Node:
    """One call of a layer, its index-th: the arguments, in which symbolic tensors stand, and the outputs."""

    def __init__(
        self,
        layer: Layer,
        arguments: tuple[Any, ...],
        shapes: list[Shape],
        dtype: np.dtype,
        index: int,
        training: bool | None = None,
    ):
        self.layer, self.arguments, self.index = layer, arguments, index
        self.training = training  # a mode that the call was given for good, as in base(x, training=False)
        self.outputs = [SymbolicTensor(shape, dtype, self, position) for position, shape in enumerate(shapes)]

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors among the arguments, in their order."""
        return list(symbolic_tensors(self.arguments))


class SymbolicTensor:
    """The shape and origin of a value that does not exist yet; None stands for a size that is not known.

    >>> from minicnn.layers import Input
    >>> Input((32, 32, 3)).shape
    (None, 32, 32, 3)
    """

    __array_priority__ = 100

    def __init__(self, shape: Shape, dtype: np.dtype, node: Node, index: int = 0):
        self.shape, self.dtype, self.node, self.index = tuple(shape), np.dtype(dtype), node, index

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, from {self.node.layer.name}>"

    def _operation(self, name: str, *arguments: Any) -> SymbolicTensor:
        from .operation import Operation

        return Operation(name)(*arguments)

    def __add__(self, other: Any) -> SymbolicTensor:
        return self._operation("Add", self, other)

    def __radd__(self, other: Any) -> SymbolicTensor:
        return self._operation("Add", other, self)

    def __sub__(self, other: Any) -> SymbolicTensor:
        return self._operation("Subtract", self, other)

    def __rsub__(self, other: Any) -> SymbolicTensor:
        return self._operation("Subtract", other, self)

    def __mul__(self, other: Any) -> SymbolicTensor:
        return self._operation("Multiply", self, other)

    def __rmul__(self, other: Any) -> SymbolicTensor:
        return self._operation("Multiply", other, self)

    def __truediv__(self, other: Any) -> SymbolicTensor:
        return self._operation("TrueDivide", self, other)

    def __rtruediv__(self, other: Any) -> SymbolicTensor:
        return self._operation("TrueDivide", other, self)

    def __neg__(self) -> SymbolicTensor:
        return self._operation("Negative", self)


def symbolic_tensors(arguments: Any) -> Iterator[SymbolicTensor]:
    """The symbolic tensors in nested lists and tuples."""
    if isinstance(arguments, SymbolicTensor):
        yield arguments
    elif isinstance(arguments, (list, tuple)):
        for value in arguments:
            yield from symbolic_tensors(value)


def map_arguments(arguments: Any, function: Callable[[Any], Any]) -> Any:
    """Nested lists and tuples with `function` applied to everything that is neither."""
    if isinstance(arguments, (list, tuple)):
        return type(arguments)(map_arguments(value, function) for value in arguments)
    return function(arguments)
