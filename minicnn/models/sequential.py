"""Sequential: layers one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, GraphError
from minicnn.layers import Input, Layer, SymbolicTensor
from minicnn.layers.core import InputLayer

from .batches import as_list
from .graph import Graph
from .model import Model


class Sequential(Model):
    """A model of layers in a row.

    The input's shape comes from an Input, from the first layer's `input_shape`, from a model as first layer, or from
    the first data.

    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((4,)), Dense(8, activation="relu"), Dense(3)])
    >>> model.output_shape
    (None, 3)
    """

    def __init__(self, layers: Sequence[Any] = (), name: str | None = None, trainable: bool | None = None):
        Layer.__init__(self, name=name)
        self._start()
        self._row: list[Layer] = []
        self._input: SymbolicTensor | None = None
        self.built = False
        for layer in layers:
            self.add(layer)
        if trainable is not None:
            self.trainable = trainable

    def add(self, layer: Any) -> None:
        """Put a layer at the end.

        Raises
        ------
        ArgumentError
            Not a layer, or an Input that is not at the beginning.
        """
        if isinstance(layer, SymbolicTensor) and isinstance(layer.node.layer, InputLayer):
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise ArgumentError(f"Sequential {self.name}: {layer!r} is not a layer")
        if isinstance(layer, InputLayer):
            if self._row or self._input is not None:
                raise ArgumentError(f"Sequential {self.name}: an Input can only come first")
            self._input = layer.output
            return
        if any(other.name == layer.name for other in self._row):
            raise GraphError(f"Sequential {self.name}: there already is a layer named {layer.name}")
        self._row.append(layer)
        self._changed()

    def pop(self) -> Layer:
        """Take the last layer away and return it."""
        if not self._row:
            raise ArgumentError(f"Sequential {self.name} has no layers to pop")
        layer = self._row.pop()
        self._changed()
        return layer

    def _changed(self) -> None:
        self.built = False
        self._compiled = None
        self._plans.clear()

    @property
    def layers(self) -> list[Layer]:
        return list(self._row)

    @property
    def graph(self) -> Graph:
        if not self.built:
            self._build_graph(self._find_input())
        return self._graph

    def _find_input(self) -> SymbolicTensor:
        """The input, as far as the layers say what it is."""
        if self._input is None and self._row:
            first = self._row[0]
            if first.input_shape_argument is not None:
                self._input = Input(first.input_shape_argument, dtype=first.dtype)
            elif isinstance(first, Model) and (not isinstance(first, Sequential) or first._knows_input()):
                tensor = first.inputs[0]
                self._input = Input(batch_shape=tensor.shape, dtype=tensor.dtype)
        if self._input is None:
            raise GraphError(
                f"Sequential {self.name} does not know its input's shape yet: begin with Input(shape), "
                "or show it data by predict or fit"
            )
        return self._input

    def _knows_input(self) -> bool:
        try:
            self._find_input()
        except GraphError:
            return False
        return True

    def _build_graph(self, source: SymbolicTensor) -> None:
        tensor = source
        for layer in self._row:
            tensor = layer(tensor)
        self._set_graph([source], [tensor])

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape (batch axis included)."""
        if not self.built:
            if self._input is None and input_shape is not None:
                self._input = Input(batch_shape=(None, *tuple(input_shape)[1:]), dtype=self._first_dtype())
            self._build_graph(self._find_input())

    def check_input(self, shape: Any) -> None:
        self.build(shape if isinstance(shape, tuple) else None)

    def _build_for(self, x: Any) -> None:
        if self.built or self._knows_input() or hasattr(x, "batches"):
            return
        first = as_list(x)[0]
        if not hasattr(first, "shape"):
            first = np.asarray(first)
        self.build(tuple(first.shape))

    def _first_dtype(self) -> Any:
        return self._row[0].dtype if self._row else None

    @property
    def weights(self) -> list[Any]:
        found = {id(weight): weight for layer in self._row for weight in layer.weights}
        return list(found.values())
