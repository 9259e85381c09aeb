"""Joining, for training: a relu that alone takes the result of a normalisation or a sum is done in its operation.

So it needs no pass over memory of its own, forward or backward, and no array.  Prediction plans join more, and in what
was traced (plan/fuse.py); here it is calls of layers, since layers have state that training changes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from minicnn.layers import Activation, Add, BatchNormalization, Layer, ReLU

from .graph import Call, Program
from .plan.fuse import NOT_NEGATIVE


def join_activations(program: Program) -> Program:
    """The same outputs, and the same changes of layers, in fewer operations."""
    users = Counter(source for call in program.calls for source in call.sources())
    users.update(program.outputs)
    calls: list[Call] = []
    makers: dict[int, int] = {}  # of values that an activation may join: where in `calls` the call is
    for call in program.calls:
        source = call.sources()[0]
        name = _activation(call.layer)
        if name is not None and source in makers and users[source] == 1:
            at = makers[source]
            calls[at] = replace(calls[at], outputs=call.outputs, activation=name)
            continue
        if _takes_activation(call):
            makers[call.outputs[0]] = len(calls)
        calls.append(call)
    return Program(calls, program.inputs, program.outputs)


def _activation(layer: Layer) -> str | None:
    """The name of a layer that is a relu and nothing else; of subclasses nobody knows what else they do."""
    if type(layer) is ReLU:
        return layer.known_name
    if type(layer) is Activation and layer.activation in NOT_NEGATIVE:
        return str(layer.activation)
    return None


def _takes_activation(call: Call) -> bool:
    """Whether the operation of a call can end with one."""
    return type(call.layer) is BatchNormalization or (type(call.layer) is Add and len(call.sources()) == 2)
