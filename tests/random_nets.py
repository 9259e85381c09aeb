"""Random functional architectures, small, with weights and statistics that are random too."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minicnn import layers as L
from minicnn.models import Model, Sequential
from minicnn.models.plan import Plan

IMAGE = (6, 5, 3)


def _gate(x: Any) -> Any:
    squeezed = L.GlobalAveragePooling2D(keepdims=True)(x)
    return L.Multiply()([x, L.Conv2D(x.shape[-1], 1, activation="sigmoid")(squeezed)])


def _nested(x: Any) -> Any:
    shape = x.shape[1:]
    inner = Sequential([L.Input(shape), L.Conv2D(2, 3, padding="same"), L.BatchNormalization(), L.ReLU()])
    return Sequential([L.Input(shape), inner, L.Conv2D(3, 1)])(x)


ONE: dict[str, Callable[[Any], Any]] = {
    "conv": lambda x: L.Conv2D(3, 3, padding="same")(x),
    "conv relu": lambda x: L.Conv2D(3, (2, 3), padding="same", use_bias=False, activation="relu")(x),
    "conv stride": lambda x: L.Conv2D(4, 3, strides=2, padding="same")(x),
    "conv gelu": lambda x: L.Conv2D(3, 1, activation="gelu")(x),
    "bn": lambda x: L.BatchNormalization()(x),
    "bn plain": lambda x: L.BatchNormalization(center=False, scale=False)(x),
    "relu": lambda x: L.ReLU()(x),
    "relu6": lambda x: L.ReLU(6.0)(x),
    "leaky": lambda x: L.LeakyReLU(0.2)(x),
    "tanh": lambda x: L.Activation("tanh")(x),
    "softmax": lambda x: L.Softmax(axis=1)(x),
    "depthwise": lambda x: L.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x),
    "separable": lambda x: L.SeparableConv2D(3, 3, padding="same")(x),
    "transposed": lambda x: L.Conv2DTranspose(2, 3, padding="same", use_bias=False)(x),
    "dense": lambda x: L.Dense(4)(x),
    "max pool": lambda x: L.MaxPooling2D(2, 1, "same")(x),
    "average pool": lambda x: L.AveragePooling2D(2, padding="same")(x),
    "pad conv": lambda x: L.Conv2D(3, 3)(L.ZeroPadding2D(((1, 2), (2, 1)))(x)),
    "pad depthwise": lambda x: L.DepthwiseConv2D(2)(L.ZeroPadding2D(((0, 1), (0, 1)))(x)),
    "crop": lambda x: L.Cropping2D(((1, 0), (0, 0)))(x) if x.shape[1] > 1 else x,
    "permute": lambda x: L.Permute((2, 1, 3))(x),
    "reshape": lambda x: L.Reshape((-1, x.shape[1], x.shape[3]))(x),
    "upsample": lambda x: L.UpSampling2D()(x) if x.shape[1] < 6 else x,
    "dropout": lambda x: L.Dropout(0.5)(x),
    "norm": lambda x: L.LayerNormalization()(x),
    "prelu": lambda x: L.PReLU("ones", shared_axes=[1, 2])(x),
    "rescale": lambda x: L.Rescaling(0.5, 0.25)(x),
    "operators": lambda x: 1 - x * 0.5,
    "gate": _gate,
    "nested": _nested,
}
TWO: dict[str, Callable[[list[Any]], Any]] = {
    "add": lambda pair: L.Add()(pair),
    "add operator": lambda pair: pair[0] + pair[1],
    "subtract": lambda pair: L.Subtract()(pair),
    "maximum": lambda pair: L.Maximum()(pair),
    "average": lambda pair: L.Average()(pair),
    "concatenate": lambda pair: L.Concatenate()(pair),
}


@st.composite
def nets(draw: Any, most: int = 8) -> Model:
    """A model of images, with one output or two, for which weights have been drawn."""
    inputs = L.Input(IMAGE)
    tensors = [inputs]
    kinds = [*ONE, *TWO, "shared"]
    shared = [L.Conv2D(3, 1), L.Conv2D(3, 3, padding="same", activation="relu")]
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=most)):
        x = draw(st.sampled_from(tensors[-3:]))
        if kind in ONE:
            tensors.append(ONE[kind](x))
        elif kind == "shared":
            layer = draw(st.sampled_from(shared))
            tensors.append(layer(x) if layer.channels in (None, x.shape[-1]) else L.ReLU()(x))
        else:
            mates = [t for t in tensors if t.shape == x.shape]
            tensors.append(TWO[kind]([x, draw(st.sampled_from(mates))]))
    end = draw(st.sampled_from(["images", "features", "classes"]))
    last = tensors[-1]
    if end == "features":
        last = L.Flatten()(last)
    elif end == "classes":
        last = L.Dense(2, activation="softmax")(L.GlobalAveragePooling2D()(last))
    others = draw(st.lists(st.sampled_from(tensors[1:]), max_size=1))
    model = Model(inputs, [last, *others])
    randomize(model, draw(st.integers(0, 999)))
    return model


def randomize(model: Model, seed: int) -> None:
    """Random weights; variances and scales are positive."""
    generator = np.random.default_rng(seed)
    model.set_weights(
        [
            generator.uniform(0.5, 1.5, w.shape)
            if w.name in ("moving_variance", "variance", "gamma")
            else generator.normal(0, 0 if w.name == "count" else 0.5, w.shape)
            for w in model.weights
        ]
    )


def images(count: int = 3, seed: int = 0) -> np.ndarray:
    """Input of such a model."""
    return np.random.default_rng(seed).standard_normal((count, *IMAGE)).astype(np.float32)


def outputs(value: Any) -> list[np.ndarray]:
    """What predict or a call gave, as a list of arrays."""
    return [np.asarray(v) for v in (value if isinstance(value, list) else [value])]


def plan_of(model: Model) -> Plan:
    """The model as a plan for its inputs' shapes."""
    shapes = [tensor.shape[1:] for tensor in model.inputs]
    return Plan(model.program, shapes, [tensor.dtype for tensor in model.inputs])
