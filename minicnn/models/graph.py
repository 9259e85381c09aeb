"""Graph: from symbolic outputs back to the inputs, as the order of layers that Keras gives and a program to run.

Keras sorts `model.layers` by depth: outputs have depth 0, every other call one more than the deepest that uses it; a
shared layer takes its largest.  Layers are listed by descending depth, ties in the order in which they are first
reached, depth-first from the outputs.  Weight files follow this order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from minicnn.autograd import Tensor
from minicnn.errors import GraphError
from minicnn.layers import Layer, SymbolicTensor
from minicnn.layers.core import InputLayer
from minicnn.layers.symbolic import Node, Shape, map_arguments


@dataclass(frozen=True)
class Slot:
    """Stands in the arguments of a call for the value of another one."""

    index: int


@dataclass(frozen=True)
class Call:
    """One call of a layer that is no model: its arguments hold Slots, its outputs go to slots."""

    layer: Layer
    arguments: tuple[Any, ...]
    outputs: tuple[int, ...]
    training: bool | None = None  # a mode given for good, over the program's
    activation: str | None = None  # that follows in the same operation

    def sources(self) -> list[int]:
        """The slots that the arguments name."""
        found: list[int] = []

        def note(value: Any) -> Any:
            if isinstance(value, Slot):
                found.append(value.index)
            return value

        map_arguments(self.arguments, note)
        return found


@dataclass(frozen=True)
class Program:
    """Calls in an order in which each finds its arguments; nested models are opened up."""

    calls: list[Call]
    inputs: list[int]
    outputs: list[int]

    def run(self, values: dict[int, Tensor], training: bool) -> list[Tensor]:
        """The outputs, given the values of the input slots; a value is let go after its last use."""
        for _ in self.steps(values, training):
            pass
        return [values[slot] for slot in self.outputs]

    def steps(self, values: dict[int, Tensor], training: bool) -> Iterator[tuple[Call, list[Tensor]]]:
        """The calls one after another, each when it has been made, with what came out."""
        last_use = {source: position for position, call in enumerate(self.calls) for source in call.sources()}
        for position, call in enumerate(self.calls):
            arguments = map_arguments(call.arguments, lambda v: values[v.index] if isinstance(v, Slot) else v)
            mode = training if call.training is None else call.training
            if call.activation is None:
                results = call.layer(*arguments, training=mode)
            else:
                results = call.layer.compute(arguments, mode, activation=call.activation)
            results = results if isinstance(results, list) else [results]
            values.update(zip(call.outputs, results))
            for source in call.sources():
                if last_use[source] == position and source not in self.outputs:
                    values.pop(source, None)
            yield call, results

    def output_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        """Shapes of the outputs for shapes of the inputs, which may say more than those the layers were called on."""
        known = self.slot_shapes(shapes)
        return [known[slot] for slot in self.outputs]

    def slot_shapes(self, shapes: Sequence[Shape]) -> dict[int, Shape]:
        """The shape of every slot, for shapes of the inputs."""
        known: dict[int, Any] = dict(zip(self.inputs, shapes))
        for call in self.calls:
            arguments = map_arguments(call.arguments, lambda v: _Shaped(known[v.index]) if isinstance(v, Slot) else v)
            found = call.layer.compute_output_shape(call.layer.argument_shapes(arguments))
            known.update(zip(call.outputs, map(tuple, found if isinstance(found, list) else [found])))
        return known

    def split(self) -> tuple[Program, Program]:
        """(frozen prefix, rest): the prefix computes the same whatever training does.

        A call belongs to it when nothing in it can be trained, it acts the same in training as in inference, and all
        its arguments belong to it too.  The prefix's outputs are the rest's inputs: arrays, so that a layer which makes
        masks, and all after it, belong to the rest.
        """
        fixed = set(self.inputs)
        before, after = [], []
        for call in self.calls:
            sources = call.sources()
            same = (call.layer.deterministic or call.training is False) and not call.layer.makes_mask
            if same and not call.layer.trainable_weights and all(s in fixed for s in sources):
                fixed.update(call.outputs)
                before.append(call)
            else:
                after.append(call)
        needed = {source for call in after for source in call.sources()} | set(self.outputs)
        boundary = sorted(needed & fixed)
        return Program(before, self.inputs, boundary), Program(after, boundary, self.outputs)


@dataclass(frozen=True)
class _Shaped:
    """Stands for a value of which only the shape is known."""

    shape: Shape


class _OneCall:
    """The graph of a layer that is no model."""

    size = 1


MAX_CALLS = 20_000  # models in models, each called twice, double with every level
_ONE_CALL = _OneCall()


class Graph:
    """The calls that lead from inputs to outputs.

    Raises
    ------
    GraphError
        An output does not depend on the inputs alone, the graph has a cycle, or it is too large.
    """

    def __init__(self, inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]):
        self.inputs, self.outputs = list(inputs), list(outputs)
        self._given = {(id(tensor.node), tensor.index) for tensor in self.inputs}
        self.nodes, self._reached = self._walk()
        self.layers = self._keras_order()
        self.size = sum(getattr(node.layer, "graph", _ONE_CALL).size for node in self.nodes)
        if self.size > MAX_CALLS:
            raise GraphError(
                f"the model makes {self.size:,} calls of layers, counting those in nested models each time; "
                f"at most {MAX_CALLS:,} are run"
            )

    def _walk(self) -> tuple[list[Node], dict[int, int]]:
        """(nodes, each after those it needs; when each layer was first reached)."""
        order: list[Node] = []
        state: dict[int, str] = {}
        reached: dict[int, int] = {}
        for end in self._makers(self.outputs):
            stack: list[tuple[Node, Iterator[Node] | None]] = [(end, None)]
            while stack:
                node, sources = stack.pop()
                if state.get(id(node)) == "done":
                    continue
                if sources is None:
                    reached.setdefault(id(node.layer), len(reached))
                    state[id(node)] = "open"
                    sources = iter(self._makers(node.inputs))
                    if not node.inputs and (id(node), 0) not in self._given:
                        raise GraphError(
                            f"input {node.layer.name} is needed by the outputs but is not among the inputs"
                        )
                if (source := next(sources, None)) is not None:
                    stack.append((node, sources))
                    if state.get(id(source)) == "open":
                        raise GraphError(f"the graph has a cycle through layer {source.layer.name}")
                    stack.append((source, None))
                else:
                    state[id(node)] = "done"
                    order.append(node)
        return order, reached

    def _makers(self, tensors: Sequence[SymbolicTensor]) -> list[Node]:
        """The nodes that tensors come from.

        One that is given as an input comes from an InputLayer, or from nowhere: what made it is not computed for it.
        """
        return [t.node for t in tensors if not t.node.inputs or (id(t.node), t.index) not in self._given]

    def _keras_order(self) -> list[Layer]:
        node_depth: dict[int, int] = {}
        layer_depth: dict[int, int] = {}
        layers: dict[int, Layer] = {}
        for node in reversed(self.nodes):
            depth = max(node_depth.get(id(node), 0), layer_depth.get(id(node.layer), 0))
            node_depth[id(node)] = layer_depth[id(node.layer)] = depth
            layers[id(node.layer)] = node.layer
            for source in self._makers(node.inputs):
                node_depth[id(source)] = max(depth + 1, node_depth.get(id(source), 0))
        for tensor in self.inputs:  # an input that feeds nothing comes last
            layer = tensor.node.layer
            if id(layer) not in layers and isinstance(layer, InputLayer):
                layers[id(layer)], layer_depth[id(layer)], self._reached[id(layer)] = layer, 0, -1
        return [layers[key] for key in sorted(layers, key=lambda key: (-layer_depth[key], self._reached[key]))]

    def program(self) -> Program:
        """The calls in order, nested models opened up."""
        calls: list[Call] = []
        slots = {(id(tensor.node), tensor.index): index for index, tensor in enumerate(self.inputs)}
        inputs = list(range(len(self.inputs)))
        outputs = self._open(slots, calls, [len(inputs)])
        return Program(calls, inputs, outputs)

    def _open(
        self, slots: dict[tuple[int, int], int], calls: list[Call], counter: list[int], training: bool | None = None
    ) -> list[int]:
        """Append this graph's calls; `slots` holds those of the inputs.  Returns the outputs' slots."""
        for node in self.nodes:
            if not node.inputs:
                continue
            arguments = map_arguments(
                node.arguments,
                lambda v: Slot(slots[id(v.node), v.index]) if isinstance(v, SymbolicTensor) else v,
            )
            mode = node.training if training is None else training
            inner = getattr(node.layer, "graph", None)
            if inner is None:
                produced = list(range(counter[0], counter[0] + len(node.outputs)))
                calls.append(Call(node.layer, arguments, tuple(produced), mode))
                counter[0] += len(produced)
            else:
                sources = Call(node.layer, arguments, ()).sources()
                inner_slots = {(id(t.node), t.index): slot for t, slot in zip(inner.inputs, sources)}
                produced = inner._open(inner_slots, calls, counter, mode)
            for position, slot in enumerate(produced):
                slots.setdefault((id(node), position), slot)  # unless it is given as an input
        return [slots[id(tensor.node), tensor.index] for tensor in self.outputs]


def check_names(layers: list[Layer]) -> None:
    """Raise GraphError where two layers have one name."""
    seen: dict[str, Layer] = {}
    for layer in layers:
        if seen.setdefault(layer.name, layer) is not layer:
            raise GraphError(f"two layers of a model are named {layer.name}; give each its own name")
