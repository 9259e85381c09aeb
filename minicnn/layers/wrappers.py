"""Layers around layers: Bidirectional, TimeDistributed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minicnn import ops
from minicnn.arguments import one_of
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError, UnsupportedError

from .layer import Layer
from .recurrent import Recurrent, WithStates, sequences_shape
from .symbolic import Shape

MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda a, b: ops.concatenate([a, b]),
    "sum": ops.add,
    "mul": ops.multiply,
    "ave": lambda a, b: ops.add(a, b) * 0.5,
}


class Wrapper(Layer):
    """Base of the layers that hold others, which `INNER` arguments give."""

    supports_masking = True
    INNER: ClassVar[tuple[str, ...]] = ("layer",)

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        return all(layer.deterministic for layer in self.inner_layers)

    def _checked(self, layer: Any) -> Layer:
        if not isinstance(layer, Layer):
            raise ArgumentError(f"layer {self.name} ({type(self).__name__}) is put around a layer; got {layer!r}")
        return layer

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        inner = {key: _layer_of(config[key]) for key in cls.INNER if isinstance(config.get(key), dict)}
        return super().from_config({**config, **inner})


def _layer_of(entry: dict[str, Any]) -> Layer:
    """The layer of an entry as `Layer.to_entry` gives it."""
    from . import CLASSES

    kind = entry.get("class_name")
    if kind not in CLASSES:
        raise UnsupportedError(f"a layer is a {kind}, which minicnn does not have; it has {', '.join(sorted(CLASSES))}")
    return CLASSES[kind].from_config(entry["config"])


class Bidirectional(WithStates, Wrapper):
    """y = merge(layer(x), layer'(x backwards)), two recurrent layers with weights of their own.

    `merge_mode` is "concat", "sum", "mul", "ave", or None for both outputs.  The second layer is a copy of the first
    that goes backwards, or `backward_layer`.  Initial states are those of the first layer, then those of the second.

    Source: Schuster & Paliwal, "Bidirectional Recurrent Neural Networks", 1997.

    >>> from minicnn.layers import LSTM, Bidirectional, Input
    >>> Bidirectional(LSTM(4))(Input((10, 3))).shape
    (None, 8)
    """

    INNER = ("layer", "backward_layer")
    parts: ClassVar[dict[str, str]] = {"forward_layer": "forward_layer", "backward_layer": "backward_layer"}

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", backward_layer: Layer | None = None, **options: Any
    ):
        super().__init__(**options)
        self.forward_layer = self._copy(layer, "forward")
        self.backward_layer = self._copy(layer, "backward", go_backwards=True)
        if backward_layer is not None:
            self.backward_layer = self._recurrent(backward_layer)
        self.merge_mode = one_of(f"layer {self.name}", "merge_mode", merge_mode, [*MERGES, None])
        ways = {inner.go_backwards for inner in self.inner_layers}
        kinds = {(inner.return_sequences, inner.return_state, inner.units) for inner in self.inner_layers}
        if len(ways) == 1 or len(kinds) > 1:
            raise ArgumentError(
                f"layer {self.name}: the two layers must go in opposite directions and be alike in return_sequences, "
                "return_state and units"
            )
        for inner in self.inner_layers:
            inner.zero_output_for_mask = inner.return_sequences
        if not self.trainable:
            self.trainable = False

    def _recurrent(self, layer: Any) -> Recurrent:
        if not isinstance(self._checked(layer), Recurrent):
            raise UnsupportedError(
                f"layer {self.name} is a Bidirectional around {layer.name}, a {type(layer).__name__}; minicnn takes "
                "SimpleRNN, LSTM and GRU"
            )
        return layer

    def _copy(self, layer: Any, way: str, **changes: Any) -> Recurrent:
        config = self._recurrent(layer).get_config()
        name = f"{way}_{layer.name.removeprefix(f'{way}_')}"
        return type(layer).from_config({**config, "name": name, **changes})  # type: ignore[return-value]

    @property
    def layer(self) -> Recurrent:
        """The layer that goes forward."""
        return self.forward_layer

    @property
    def inner_layers(self) -> list[Recurrent]:  # type: ignore[override]
        return [self.forward_layer, self.backward_layer]

    def build(self, input_shape: Any) -> None:
        for inner in self.inner_layers:
            inner.masks_with_states = self.masks_with_states
            if not inner.built:
                inner.build(sequences_shape(input_shape))
        self.built = True

    def check_input(self, shape: Any) -> None:
        sequences, *states = shape if isinstance(shape, list) else [shape]
        if len(states) % 2:
            raise ShapeError(
                f"layer {self.name} (Bidirectional): {len(states)} initial states are not two equal halves"
            )
        half = len(states) // 2
        for inner, own in zip(self.inner_layers, (states[:half], states[half:])):
            inner.check_input([sequences, *own] if own else sequences)

    def call(self, inputs: Any, training: bool) -> Any:
        x, *initial = inputs if isinstance(inputs, list) else [inputs]
        half = len(initial) // 2
        forward = self.forward_layer(x, initial[:half], training=training)
        backward = self.backward_layer(x, initial[half:], training=training)
        (y, *states), (y_back, *states_back) = (r if isinstance(r, list) else [r] for r in (forward, backward))
        if self.forward_layer.return_sequences:
            y_back = ops.reverse(y_back)
        outputs = [y, y_back] if self.merge_mode is None else [MERGES[self.merge_mode](y, y_back)]
        outputs += [*states, *states_back]
        return outputs if len(outputs) > 1 else outputs[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        found = self.forward_layer.compute_output_shape(input_shape)
        shape, *states = found if isinstance(found, list) else [found]
        wide = (*shape[:-1], 2 * shape[-1]) if self.merge_mode == "concat" else shape
        outputs = [shape, shape] if self.merge_mode is None else [wide]
        outputs += 2 * states
        return outputs if len(outputs) > 1 else outputs[0]

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        own = mask[0] if isinstance(mask, list) else mask
        own = own if self.forward_layer.return_sequences else None
        states = 2 * self.forward_layer.states if self.forward_layer.return_state else 0
        return [*[own] * (1 + (self.merge_mode is None)), *[None] * states]


class TimeDistributed(Wrapper):
    """y[n,t] = layer(x[n,t]): one layer, or model, for every step of x (N,T,...).

    >>> from minicnn.layers import Conv2D, Input, TimeDistributed
    >>> TimeDistributed(Conv2D(4, 3))(Input((10, 8, 8, 3))).shape
    (None, 10, 6, 6, 4)
    """

    parts: ClassVar[dict[str, str]] = {"layer": "layer"}

    def __init__(self, layer: Any, **options: Any):
        super().__init__(**options)
        self.layer = self._checked(layer)
        if not self.trainable:
            self.trainable = False

    def check_input(self, shape: Any) -> None:
        super().check_input(shape)
        if len(shape) < 3:
            raise ShapeError(
                f"layer {self.name} (TimeDistributed) takes inputs (N,T,...) of 3 axes or more; got {shape}"
            )
        if shape[1] == 0:
            raise ShapeError(f"layer {self.name} (TimeDistributed) takes sequences of one step or more; got {shape}")

    def build(self, input_shape: Shape) -> None:
        self.layer.check_input(_step_shape(input_shape))
        if not self.layer.built:
            self.layer.build(_step_shape(input_shape))
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        """All steps at once, as samples; each by itself where samples of a batch are not independent in training."""
        if training and not self.layer.deterministic:
            steps = [self.layer(ops.pick(x, (slice(None), t)), training=True) for t in range(x.shape[1])]
            return ops.concatenate([ops.reshape(y, (1, *y.shape[1:])) for y in steps], axis=1)
        samples = ops.fold_time(x)
        if x.mask is not None and x.mask.ndim > 2:
            samples.mask = ops.fold_time(x.mask)
        return ops.unfold_time(self.layer(samples, training=training), x.shape[1])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = self.layer.compute_output_shape(_step_shape(input_shape))
        if isinstance(shape, list):
            raise UnsupportedError(f"layer {self.name} (TimeDistributed): {self.layer.name} has several outputs")
        return (input_shape[0], input_shape[1], *shape[1:])


def _step_shape(shape: Shape) -> Shape:
    """The shape of one step of sequences, batch axis included."""
    return (shape[0], *shape[2:])
