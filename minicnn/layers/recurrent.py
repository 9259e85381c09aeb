"""Recurrent layers: SimpleRNN, LSTM, GRU.  The equations of a step are in minicnn/ops/recurrent.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from minicnn import ops
from minicnn.arguments import number, switch, whole_number
from minicnn.autograd import Tensor
from minicnn.errors import ShapeError, UnsupportedError
from minicnn.seeds import new_seed

from .activations import activation_name
from .convolution import add_parameter, set_parameter_options
from .initializers import Initializer
from .layer import Layer
from .symbolic import Shape

SWITCHES = ("use_bias", "return_sequences", "return_state", "go_backwards", "stateful", "unroll")


class WithStates(Layer):
    """Base of the layers that take, beside sequences, the states that they begin with: a list [x, h, ...]."""

    supports_masking = True
    masks_with_states: bool = False  # Keras 3 lets no mask into a call that is given states, Keras 2 does

    def __call__(self, *arguments: Any, initial_state: Any = None, training: bool | None = None) -> Any:
        """The output for sequences; the states that they begin with follow them in a list, or are `initial_state`."""
        tensors = list(_leaves([arguments, initial_state]))
        return super().__call__(tensors[0] if len(tensors) == 1 else tensors, training=training)

    @staticmethod
    def split_arguments(arguments: tuple[Any, ...]) -> tuple[list[Any], dict[str, Any]]:
        """(positional, by keyword) arguments of a call, as Keras 3 writes them."""
        x, *initial = _leaves(arguments)
        return [x], {"initial_state": initial} if initial else {}


class Recurrent(WithStates):
    """Base of the recurrent layers: x (N,T,C) to y (N,units), or (N,T,units) with return_sequences.

    With return_state the states after the last step follow, (N,units) each.  `initial_state` holds the states before
    the first step, zeros where it is not given.  Steps that the mask of x leaves out change nothing; their outputs are
    those before, or 0 with `zero_output_for_mask`.  `go_backwards` takes the steps from the last on, and gives them in
    that order.  `unroll` changes nothing here.

    While training, `dropout` leaves out channels of x and `recurrent_dropout` of h in its products, the same at every
    step of a sample (Gal & Ghahramani, "A Theoretically Grounded Application of Dropout in RNNs", 2016).
    """

    input_rank = 3
    weights_group = "cell"
    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1
    use_bias: bool
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    bias_initializer: Initializer
    bias_regularizer: Any
    bias_constraint: Any

    def _keep(self, options: dict[str, Any]) -> None:
        """Take over the arguments that all recurrent layers have."""
        owner = f"layer {self.name}"
        self.units = whole_number(owner, "units", options["units"], 1)
        self.activation = activation_name(options["activation"], self.name)
        for name in SWITCHES:
            setattr(self, name, switch(owner, name, options[name]))
        self.zero_output_for_mask = switch(owner, "zero_output_for_mask", options["zero_output_for_mask"])
        if self.stateful:
            raise UnsupportedError(
                f"{owner}: stateful=True, states that live from one batch to the next, is not supported by minicnn; "
                "give them with initial_state and take them with return_state"
            )
        for role in ("kernel", "recurrent", "bias"):
            kinds = (options[f"{role}_{kind}"] for kind in ("initializer", "regularizer", "constraint"))
            set_parameter_options(self, role, *kinds)
        self.dropout = number(owner, "dropout", options["dropout"], "[0, 1)")
        self.recurrent_dropout = number(owner, "recurrent_dropout", options["recurrent_dropout"], "[0, 1)")
        self.seed = None if options["seed"] is None else whole_number(owner, "seed", options["seed"], 0)
        self._generator = np.random.default_rng(new_seed() if self.seed is None else self.seed)

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        return not (self.dropout or self.recurrent_dropout)

    def build(self, input_shape: Any) -> None:
        shape = sequences_shape(input_shape)
        width = self.gates * self.units
        self.kernel = add_parameter(self, "kernel", (self.known_channels(shape), width))
        self.recurrent_kernel = add_parameter(self, "recurrent", (self.units, width), "recurrent_kernel")
        self.bias = self._add_bias() if self.use_bias else None
        self.built = True

    def _add_bias(self) -> Any:
        return add_parameter(self, "bias", (self.gates * self.units,))

    def check_input(self, shape: Any) -> None:
        if isinstance(shape, list):
            sequences, *states = self.inner_shape(shape)
            for state in states:
                expected = self._state_shape(sequences)[1:]
                if len(states) != self.states or tuple(state[1:]) != expected:
                    raise ShapeError(
                        f"layer {self.name} ({type(self).__name__}) takes {self.states} initial states of shape "
                        f"{expected}; got shapes {[tuple(state[1:]) for state in states]}"
                    )
        super().check_input(sequences_shape(shape))

    def call(self, inputs: Any, training: bool) -> Any:
        x, *initial = inputs if isinstance(inputs, list) else [inputs]
        mask = x.mask if self.masks_with_states or not initial else None
        if self.go_backwards:
            x, mask = ops.reverse(x), None if mask is None else ops.reverse(mask)
        dropout = None
        if training and self.dropout:
            x = ops.dropout(x, self.dropout, self._generator, (None, 1, *[None] * (x.ndim - 2)))
        if training and self.recurrent_dropout:
            dropout = ops.dropout(self._ones(x), self.recurrent_dropout, self._generator)
        states = self._states(x, initial or [None] * self.states, mask=mask, dropout=dropout)
        sequence = states if self.states == 1 else ops.pick(states, (..., slice(self.units)))
        if mask is not None and self.zero_output_for_mask:
            sequence = ops.masked(sequence, mask)
        elif mask is not None and initial:
            sequence = ops.masked(sequence, ops.seen(mask))  # before the first step that counts, Keras gives zeros
        output = sequence if self.return_sequences else ops.pick(sequence, (slice(None), -1))
        if not self.return_state:
            return output
        ends = (slice(k * self.units, (k + 1) * self.units) for k in range(self.states))
        return [output, *(ops.pick(states, (slice(None), -1, ..., end)) for end in ends)]

    def _ones(self, x: Tensor) -> Tensor:
        """Ones in the shape of a state, made of x, so that a plan makes them for every batch."""
        shape: Any = self._state_shape(x.shape)[1:]
        one = ops.unlike(ops.pick(x, (slice(None), *[0] * (x.ndim - 2), slice(1))), np.nan)
        return ops.reshape(one, (1,) * len(shape)) * Tensor(np.ones(shape, x.dtype))

    def _states(self, x: Tensor, initial: list[Any], **masks: Any) -> Tensor:
        """All states after every step, side by side: (N,T,states units)."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = sequences_shape(input_shape)
        state = self._state_shape(shape)
        output = (*shape[:2], *state[1:]) if self.return_sequences else state
        return [output, *[state] * self.states] if self.return_state else output

    def _state_shape(self, shape: Shape) -> Shape:
        """The shape of a state, for sequences of a shape."""
        return (shape[0], self.units)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        own = mask[0] if isinstance(mask, list) else mask
        own = own if self.return_sequences else None
        return [own, *[None] * self.states] if self.return_state else own


def sequences_shape(shape: Any) -> Shape:
    """The shape of the sequences, where shapes of initial states may follow."""
    return shape[0] if isinstance(shape, list) else shape


def _leaves(value: Any) -> Iterator[Any]:
    """The tensors in nested lists."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield value


class SimpleRNN(Recurrent):
    """h[t] = activation(x[t] @ kernel + h[t-1] @ recurrent_kernel + bias)

    >>> from minicnn.layers import Input, SimpleRNN
    >>> SimpleRNN(4, return_sequences=True)(Input((10, 3))).shape
    (None, 10, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        zero_output_for_mask: bool = False,
        **options: Any,
    ):
        super().__init__(**options)
        self._keep(locals())

    def _states(self, x: Tensor, initial: list[Any], **masks: Any) -> Tensor:
        x, (h,) = ops.dense(x, self.kernel, self.bias), initial
        return ops.simple_rnn(x, self.recurrent_kernel, h, **masks, activation=self.activation)


class LSTM(Recurrent):
    """Long short-term memory, with a forget gate; the states are h and c.

    kernel (C,4 units), recurrent_kernel (units,4 units), bias (4 units): gates in the order input, forget, cell,
    output.

    >>> from minicnn.layers import Input, LSTM
    >>> [y.shape for y in LSTM(4, return_state=True)(Input((10, 3)))]
    [(None, 4), (None, 4), (None, 4)]
    """

    gates, states = 4, 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        *,
        zero_output_for_mask: bool = False,
        **options: Any,
    ):
        super().__init__(**options)
        self._keep(locals())
        self.recurrent_activation = activation_name(recurrent_activation, self.name)
        self.unit_forget_bias = switch(f"layer {self.name}", "unit_forget_bias", unit_forget_bias)

    def _add_bias(self) -> Any:
        begin = _OpenForgetGate(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer
        return self.add_weight("bias", (4 * self.units,), begin, True, self.bias_regularizer, self.bias_constraint)

    def _states(self, x: Tensor, initial: list[Any], **masks: Any) -> Tensor:
        h, c = initial
        masks |= {"activation": self.activation, "recurrent_activation": self.recurrent_activation}
        return ops.lstm(self._gates(x), self.recurrent_kernel, h, c, **masks)

    def _gates(self, x: Tensor) -> Tensor:
        """What the inputs give to all gates: (N,T,4 units)."""
        return ops.dense(x, self.kernel, self.bias)


class _OpenForgetGate(Initializer):
    """The bias of an LSTM whose forget gate begins at 1: it remembers until it learns to forget.

    Source: Jozefowicz et al., "An Empirical Exploration of Recurrent Network Architectures", 2015.
    """

    def __init__(self, others: Initializer):
        self._others = others

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        bias = self._others(shape, dtype)
        units = shape[0] // 4
        bias[units : 2 * units] = 1
        return bias


class GRU(Recurrent):
    """Gated recurrent unit.

    kernel (C,3 units), recurrent_kernel (units,3 units), gates in the order update, reset, candidate.  With
    `reset_after`, bias (2,3 units) holds that of the input and that of the recurrent product, else it is (3 units,).

    >>> from minicnn.layers import GRU, Input
    >>> GRU(4)(Input((10, 3))).shape
    (None, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        *,
        zero_output_for_mask: bool = False,
        **options: Any,
    ):
        super().__init__(**options)
        self._keep(locals())
        self.recurrent_activation = activation_name(recurrent_activation, self.name)
        self.reset_after = switch(f"layer {self.name}", "reset_after", reset_after)

    def _add_bias(self) -> Any:
        return add_parameter(self, "bias", (2, 3 * self.units) if self.reset_after else (3 * self.units,))

    def _states(self, x: Tensor, initial: list[Any], **masks: Any) -> Tensor:
        bias, recurrent_bias = self.bias, None
        if bias is not None and self.reset_after:
            bias, recurrent_bias = (ops.pick(bias, row) for row in (0, 1))
        x, (h,) = ops.dense(x, self.kernel, bias), initial
        masks |= {"activation": self.activation, "recurrent_activation": self.recurrent_activation}
        return ops.gru(x, self.recurrent_kernel, recurrent_bias, h, **masks, reset_after=self.reset_after)
