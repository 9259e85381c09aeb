"""Recurrent layers: ONNX's own where it has them, else a loop over the steps with the equations written out.

ONNX has no masks but for the ends of sequences, and few activations.  The loop, ONNX's Scan, has the equations of
minicnn/ops/recurrent.py on channels first, so that they hold for images too; gates lie side by side along axis 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .activations import SIMPLE, activation
from .graph import Graph, Value
from .windows import channels_first, convolved

KINDS = {"SimpleRNN": "RNN", "LSTM": "LSTM", "GRU": "GRU"}
GATES = {"SimpleRNN": [0], "LSTM": [0, 3, 1, 2], "GRU": [0, 1, 2]}  # ONNX's order, by Keras' numbers
FUNCTIONS = {  # of those that ONNX's layers take
    **{name: SIMPLE[name] for name in ("relu", "sigmoid", "tanh", "softplus", "softsign", "hard_sigmoid", "elu")},
    "linear": ("Affine", {"alpha": 1.0, "beta": 0.0}),
}
FROM_THE_END = np.iinfo(np.int64).min


def recurrent(graph: Graph, layer: Any, x: Value, *initial: Value) -> list[Value]:
    """The output of a recurrent layer, and its states where it returns them."""
    handed_on, mask = x.mask, x.mask if layer.masks_with_states or not initial else None
    x = graph.last(x)
    if layer.go_backwards:
        x, mask = reverse(graph, x), None if mask is None else reverse(graph, mask)
    if mask is None and type(layer).__name__ in KINDS and all(name in FUNCTIONS for name in _functions(layer)):
        sequence, ends = _native(graph, layer, x, initial)
    else:
        sequence, ends = _loop(graph, layer, x, mask, initial)
    end = ends[0]
    if mask is not None and (layer.zero_output_for_mask or initial):
        sequence = _masked(graph, sequence, mask, layer.zero_output_for_mask)
        end = Value(graph.node("Gather", sequence.name, graph.constant(-1, np.int64), axis=1), end.rank, end.first)
    if sequence.rank == 5:
        sequence = graph.apply("Transpose", sequence, perm=[0, 1, 3, 4, 2])
    output = replace(sequence, mask=handed_on) if layer.return_sequences else end
    return [output, *(ends if layer.return_state else [])]


def reverse(graph: Graph, x: Value) -> Value:
    """The steps in the opposite order."""
    names = [graph.integers(number) for number in (-1, FROM_THE_END, 1, -1)]
    return graph.apply("Slice", x, *names)


def _functions(layer: Any) -> list[str]:
    """The activations in ONNX's order."""
    gate = [layer.recurrent_activation] if layer.gates > 1 else []
    return [*gate, *[layer.activation] * (2 if layer.gates == 4 else 1)]


def _native(graph: Graph, layer: Any, x: Value, initial: tuple[Value, ...]) -> tuple[Value, list[Value]]:
    """(outputs (N,T,U) of all steps, states (N,U) after the last), by ONNX's own layer, of sequences (T,N,C)."""
    kind, units = type(layer).__name__, layer.units
    columns = np.concatenate([np.arange(units) + gate * units for gate in GATES[kind]])
    bias = np.zeros((2, len(columns)), np.float32)  # of the product of the inputs, and of that of the states
    if layer.bias is not None:
        rows = np.atleast_2d(layer.bias.numpy())
        bias[: len(rows)] = rows[:, columns]
    arrays = [layer.kernel.numpy().T[columns], layer.recurrent_kernel.numpy().T[columns], bias.ravel()]
    begin = [graph.node("Unsqueeze", state.name, graph.integers(0)) for state in initial]
    inputs = [graph.constant(array[None]) for array in arrays] + (["", *begin] if begin else [])
    steps = graph.node("Transpose", x.name, perm=[1, 0, 2])
    y, *ends = graph.several(KINDS[kind], 1 + layer.states, steps, *inputs, **_options(layer))
    sequence = graph.node("Transpose", graph.node("Squeeze", y, graph.integers(1)), perm=[1, 0, 2])
    return Value(sequence, 3), [Value(graph.node("Squeeze", end, graph.integers(0)), 2) for end in ends]


def _options(layer: Any) -> dict[str, Any]:
    """The attributes of ONNX's own layer."""
    functions = [FUNCTIONS[name] for name in _functions(layer)]
    options: dict[str, Any] = {"hidden_size": layer.units, "activations": [name for name, _ in functions]}
    for number in ("alpha", "beta"):
        values = [given[number] for _, given in functions if number in given]
        options |= {f"activation_{number}": values} if values else {}
    return options | ({"linear_before_reset": int(layer.reset_after)} if type(layer).__name__ == "GRU" else {})


def _loop(
    graph: Graph, layer: Any, x: Value, mask: Value | None, initial: tuple[Value, ...]
) -> tuple[Value, list[Value]]:
    """As `_native`, by Scan; what is of images is (N,T,U,H,W) and (N,U,H,W)."""
    gates = _gates(graph, layer, x)
    begin = [graph.first(state).name for state in initial] or [_zeros(graph, layer, gates)] * layer.states
    scanned = [gates.name] + ([] if mask is None else [_over_steps(graph, mask, gates)])
    along = {"scan_input_axes": [1] * len(scanned), "scan_output_axes": [1], "num_scan_inputs": len(scanned)}
    body = _body(graph, layer, gates.rank - 1, len(scanned) > 1)
    *ends, sequence = graph.several("Scan", layer.states + 1, *begin, *scanned, body=body, **along)
    return Value(sequence, gates.rank), [Value(name, gates.rank - 1, gates.rank > 3) for name in ends]


def _gates(graph: Graph, layer: Any, x: Value) -> Value:
    """What the inputs give to all gates: (N,T,G), or of images (N,T,G,H,W)."""
    if x.rank == 3:
        y = graph.apply("MatMul", x, graph.constant(layer.kernel.numpy()))
        return y if layer.bias is None else graph.apply("Add", y, graph.constant(np.atleast_2d(layer.bias.numpy())[0]))
    images = graph.node("Reshape", x.name, graph.sizes([-1], graph.node("Shape", x.name, start=2)))
    y = convolved(graph, layer, Value(images, 4), channels_first(layer.kernel), layer.bias).name
    sizes = graph.sizes(graph.node("Shape", x.name, end=2), graph.node("Shape", y, start=1))
    return Value(graph.node("Reshape", y, sizes), 5)


def _zeros(graph: Graph, layer: Any, gates: Value) -> str:
    """A state to begin with."""
    count, sides = graph.node("Shape", gates.name, end=1), graph.node("Shape", gates.name, start=3)
    return graph.node("ConstantOfShape", graph.sizes(count, [layer.units], sides))


def _masked(graph: Graph, sequence: Value, mask: Value, zero: bool) -> Value:
    """Zeros at the steps that are left out, or at those before the first that counts."""
    counts = mask.name
    if not zero:
        counts = graph.node("CumSum", counts, graph.constant(1, np.int64))
        counts = graph.node("Min", counts, graph.constant(1.0))
    return graph.apply("Mul", sequence, _over_steps(graph, replace(mask, name=counts), sequence))


def _over_steps(graph: Graph, mask: Value, x: Value) -> str:
    """The mask (N,T) with an axis for each of x (N,T,...)."""
    return graph.node("Unsqueeze", mask.name, graph.integers(*range(mask.rank, x.rank)))


def _body(graph: Graph, layer: Any, rank: int, masked: bool) -> Any:
    """One step: the states before, x (N,G) or (N,G,H,W) and whether it counts, to the states after and the output."""
    from onnx import TensorProto, helper  # pyright: ignore

    body = graph.within()
    states = [Value(f"{body.layer}/state.{number}", rank, rank > 2) for number in range(layer.states)]
    x, counts = Value(f"{body.layer}/x", rank, rank > 2), f"{body.layer}/counts"
    after = _step(body, layer, x, states)
    if masked:
        kept = body.cast(counts, "BOOL")
        after = [Value(body.node("Where", kept, new.name, old.name), rank) for new, old in zip(after, states)]
    outputs = [*(state.name for state in after), body.node("Identity", after[0].name)]
    inputs = [*(state.name for state in states), x.name, *([counts] if masked else [])]
    taken, given = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names] for names in (inputs, outputs)
    )
    graph.size += body.size
    return helper.make_graph(body.nodes, body.layer, taken, given, body.weights)


def _step(body: Graph, layer: Any, x: Value, states: list[Value]) -> list[Value]:
    """The states after a step."""
    if layer.gates == 4:
        return _lstm(body, layer, x, *states)
    if layer.gates == 3:
        return _gru(body, layer, x, *states)
    return [activation(body, _joined(body, "Add", x, _product(body, layer, states[0])), layer.activation)]


def _lstm(body: Graph, layer: Any, x: Value, h: Value, c: Value) -> list[Value]:
    i, f, g, o = _parts(body, _joined(body, "Add", x, _product(body, layer, h)), 4)
    i, f, o = (activation(body, z, layer.recurrent_activation) for z in (i, f, o))
    kept, new = _joined(body, "Mul", f, c), _joined(body, "Mul", i, activation(body, g, layer.activation))
    c = _joined(body, "Add", kept, new)
    return [_joined(body, "Mul", o, activation(body, c, layer.activation)), c]


def _gru(body: Graph, layer: Any, x: Value, h: Value) -> list[Value]:
    units = layer.units
    x_z, x_r, x_g = _parts(body, x, 3)
    m_z, m_r = _parts(body, _product(body, layer, h, 0, 2 * units), 2)
    z, r = (
        activation(body, _joined(body, "Add", a, m), layer.recurrent_activation) for a, m in ((x_z, m_z), (x_r, m_r))
    )
    if layer.reset_after:
        m_g = _joined(body, "Mul", r, _product(body, layer, h, 2 * units))
    else:
        m_g = _product(body, layer, _joined(body, "Mul", r, h), 2 * units)
    g = activation(body, _joined(body, "Add", x_g, m_g), layer.activation)
    change = _joined(body, "Mul", z, _joined(body, "Sub", h, g))  # z h + (1 - z) g = g + z (h - g)
    return [_joined(body, "Add", g, change)]


def _product(body: Graph, layer: Any, h: Value, start: int = 0, stop: int | None = None) -> Value:
    """h U for some gates, with the bias that is of this product."""
    if h.rank == 4:
        kernel = body.constant(channels_first(layer.recurrent_kernel))
        return body.apply("Conv", h, kernel, auto_pad="SAME_UPPER")
    y = body.apply("MatMul", h, body.constant(layer.recurrent_kernel.numpy()[:, start:stop]))
    if layer.bias is None or layer.bias.numpy().ndim == 1:
        return y
    return body.apply("Add", y, body.constant(layer.bias.numpy()[1, start:stop]))


def _parts(body: Graph, z: Value, count: int) -> list[Value]:
    """The gates, which lie side by side along axis 1."""
    return [Value(name, z.rank, z.first) for name in body.several("Split", count, z.name, axis=1)]


def _joined(body: Graph, kind: str, a: Value, b: Value) -> Value:
    return body.apply(kind, a, b.name)
