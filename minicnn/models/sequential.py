"""Sequential: layers one after another."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import Any

from minicnn.errors import ArgumentError, GraphError
from minicnn.layers import Input, Layer, SymbolicTensor
from minicnn.layers.core import InputLayer

from .batches import Source
from .graph import Graph
from .model import Model
from .network import Network

_BUILDING = RLock()  # several threads may show data to one model that does not know its shape


class Sequential(Model):
    """A model of layers in a row.

    The input's shape comes from an Input, from the first layer's `input_shape`, from a model as first layer, or from
    the first data or symbolic tensor.

    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((4,)), Dense(8, activation="relu"), Dense(3)])
    >>> model.output_shape
    (None, 3)
    """

    def __init__(self, layers: Sequence[Any] = (), name: str | None = None, trainable: bool | None = None):
        Network.__init__(self, name)
        self._start()
        self._row: list[Layer] = []
        self._tensors: list[SymbolicTensor] = []  # the input and each layer's output, once the input is known
        taken: set[str] = set()
        for layer in layers:
            self._add(layer, taken)
        if trainable is not None:
            self.trainable = trainable

    def add(self, layer: Any) -> None:
        """Put a layer at the end.

        Raises
        ------
        ArgumentError
            Not a layer, or an Input that is not at the beginning.
        GraphError
            Other models already use this one.
        """
        self._check_unused()
        self._add(layer, {other.name for other in self._row})

    def _add(self, layer: Any, taken: set[str]) -> None:
        """Put a layer at the end, whose name is none of those that are taken."""
        if isinstance(layer, SymbolicTensor) and isinstance(layer.node.layer, InputLayer):
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise ArgumentError(f"Sequential {self.name}: {layer!r} is not a layer")
        if isinstance(layer, InputLayer):
            if self._row or self._tensors:
                raise ArgumentError(f"Sequential {self.name}: an Input can only come first")
            self._tensors = [layer.output]
            return
        if layer.name in taken:
            raise GraphError(f"Sequential {self.name}: there already is a layer named {layer.name}")
        if not self._row and not self._tensors:
            self._tensors = _known_input(layer)
        if self._tensors:
            self._tensors.append(layer(self._tensors[-1]))
        if not self._trainable:
            layer.trainable = False
        self._row.append(layer)
        taken.add(layer.name)
        self._changed()

    def pop(self) -> Layer:
        """Take the last layer away and return it; refused, as in `add`, where other models use this one."""
        self._check_unused()
        if not self._row:
            raise ArgumentError(f"Sequential {self.name} has no layers to pop")
        del self._tensors[len(self._row) :]
        layer = self._row.pop()
        self._changed()
        return layer

    def _check_unused(self) -> None:
        """Raise GraphError where this was called on symbolic tensors, whose models would keep the old layers."""
        if self.nodes:
            raise GraphError(
                f"Sequential {self.name} is used by other models, so its layers cannot change: change it before, or "
                "make a new one of its layers, Sequential([*model.layers, ...])"
            )

    def _changed(self) -> None:
        self.built = False
        self._compiled = None
        self._plans.clear()

    @property
    def layers(self) -> list[Layer]:
        return list(self._row)

    @property
    def knows_input(self) -> bool:
        """Whether the shape of the input is known, and so the layers are built."""
        return bool(self._tensors)

    @property
    def output_names(self) -> list[str]:
        return [self._row[-1].name] if self._row else super().output_names

    @property
    def output(self) -> Any:
        """That of the first call in another model, as Keras has it; before there is one, the model's own."""
        return self.nodes[0].outputs[0] if self.nodes else super().output

    @property
    def input(self) -> Any:
        return self.nodes[0].inputs[0] if self.nodes else super().input

    @property
    def graph(self) -> Graph:
        if not self._tensors:
            raise GraphError(
                f"Sequential {self.name} does not know its input's shape yet: begin with Input(shape), "
                "or show it an array by predict or fit"
            )
        if not self.built:
            with _BUILDING:
                if not self.built:
                    self._set_graph([self._tensors[0]], [self._tensors[-1]])
        return self._graph

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape (batch axis included)."""
        if self._tensors or input_shape is None:
            return
        with _BUILDING:
            if not self._tensors:
                dtype = self._row[0].dtype if self._row else None
                tensors = [Input(batch_shape=(None, *tuple(input_shape)[1:]), dtype=dtype)]
                for layer in self._row:
                    tensors.append(layer(tensors[-1]))
                self._tensors = tensors

    def check_input(self, shape: Any) -> None:
        self.build(shape if isinstance(shape, tuple) else None)

    def _build_for(self, source: Source) -> None:
        if not self._tensors and (batch := source.peek()) is not None:
            self.build(batch.x[0].shape)

    @property
    def weights(self) -> list[Any]:
        found = {id(weight): weight for layer in self._row for weight in layer.weights}
        return list(found.values())


def _known_input(layer: Layer) -> list[SymbolicTensor]:
    """The input that a first layer brings with it, as a list of one, or none."""
    if layer.input_shape_argument is not None:
        return [Input(layer.input_shape_argument, dtype=layer.dtype)]
    if isinstance(layer, Model) and (not isinstance(layer, Sequential) or layer.knows_input):
        return [Input(batch_shape=layer.inputs[0].shape, dtype=layer.inputs[0].dtype)]
    return []
