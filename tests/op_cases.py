"""For every operation of minicnn.ops, calls whose gradients are checked: a function of tensors, and their arrays.

Inputs keep away from kinks and ties, where a difference quotient says nothing about the gradient.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minicnn import Tensor, ops

Case = tuple[Callable[..., Any], list[np.ndarray]]


def distinct(*shape: int, seed: int = 0, reach: float = 2.0) -> np.ndarray:
    """Evenly spaced numbers between -reach and reach in random order: no two are equal, none is near 0."""
    count = int(np.prod(shape))
    ranks = np.random.default_rng([seed, *shape]).permutation(count).reshape(shape)
    return (ranks + 0.5 - count / 2) * (2 * reach / count) + 0.004


def positive(*shape: int) -> np.ndarray:
    """Numbers in (0.2, 1.2)."""
    return np.random.default_rng(shape).uniform(0.2, 1.2, shape)


def conv(filters: int = 6, **options: Any) -> Case:
    groups = options.get("groups", 1)
    arrays = [distinct(2, 7, 6, 4), distinct(3, 2, 4 // groups, filters, seed=1), distinct(filters, seed=2)]
    return (lambda x, w, b: ops.conv2d(x, w, b, **options)), arrays


def depthwise(multiplier: int, **options: Any) -> Case:
    arrays = [distinct(2, 7, 6, 3), distinct(3, 3, 3, multiplier, seed=1), distinct(3 * multiplier, seed=2)]
    return (lambda x, w, b: ops.depthwise_conv2d(x, w, b, **options)), arrays


def transposed(**options: Any) -> Case:
    arrays = [distinct(2, 4, 3, 3), distinct(3, 2, 2, 3, seed=1), distinct(2, seed=2)]
    return (lambda x, w, b: ops.conv2d_transpose(x, w, b, **options)), arrays


def transposed_volume(**options: Any) -> Case:
    arrays = [distinct(2, 4, 2, 3, 2), distinct(3, 3, 2, 3, 2, seed=1), distinct(3, seed=2)]
    return (lambda x, w, b: ops.conv3d_transpose(x, w, b, **options)), arrays


def pool(function: Callable[..., Any], *arguments: Any, **options: Any) -> Case:
    return (lambda x: function(x, *arguments, **options)), [distinct(2, 7, 6, 3)]


def row(function: Callable[..., Any], *arguments: Any, **options: Any) -> Case:
    return (lambda x: function(x, *arguments, **options)), [distinct(2, 7, 3)]


def conv_row(**options: Any) -> Case:
    arrays = [distinct(2, 7, 4), distinct(3, 4 // options.get("groups", 1), 6, seed=1), distinct(6, seed=2)]
    return (lambda x, w, b: ops.conv1d(x, w, b, **options)), arrays


def depthwise_row(**options: Any) -> Case:
    arrays = [distinct(2, 7, 3), distinct(3, 3, 2, seed=1), distinct(6, seed=2)]
    return (lambda x, w, b: ops.depthwise_conv1d(x, w, b, **options)), arrays


def transposed_row(**options: Any) -> Case:
    arrays = [distinct(2, 4, 3), distinct(3, 2, 3, seed=1), distinct(2, seed=2)]
    return (lambda x, w, b: ops.conv1d_transpose(x, w, b, **options)), arrays


def volume(function: Callable[..., Any], *arguments: Any, **options: Any) -> Case:
    return (lambda x: function(x, *arguments, **options)), [distinct(2, 5, 4, 3, 2)]


def conv_volume(**options: Any) -> Case:
    arrays = [distinct(1, 4, 5, 4, 2), distinct(2, 3, 2, 2 // options.get("groups", 1), 4, seed=1), distinct(4, seed=2)]
    return (lambda x, w, b: ops.conv3d(x, w, b, **options)), arrays


def named(name: str, **parameters: Any) -> Case:
    return (lambda x: ops.activation(x, name, **parameters)), [distinct(4, 9, reach=7.0)]


def dropout(noise_shape: Any = None) -> Case:
    def function(x: Any) -> Any:
        return ops.dropout(x, 0.4, np.random.default_rng(0), noise_shape)

    return function, [distinct(4, 5)]


def alpha_dropout(noise_shape: Any = None) -> Case:
    def function(x: Any) -> Any:
        return ops.alpha_dropout(x, 0.4, np.random.default_rng(0), noise_shape)

    return function, [distinct(4, 5)]


def noise(relative: bool) -> Case:
    return (lambda x: ops.noise(x, 0.3, np.random.default_rng(0), relative)), [distinct(4, 5)]


def infer(x: Any, *gamma_beta: Any, activation: str | None = None) -> Any:
    """Inference mode with constant statistics of x's dtype."""
    gamma, beta = gamma_beta or (None, None)
    mean, variance = (Tensor(array.astype(x.dtype)) for array in (distinct(4, seed=3), positive(4)))
    return ops.batchnorm_infer(x, gamma, beta, mean, variance, activation=activation)


def of_kept(x: Any, gamma: Any, beta: Any, **options: Any) -> Any:
    """By the statistics of the steps that a constant mask keeps."""
    return ops.batchnorm_of_kept(x, Tensor(STEPS[: len(x)].astype(x.dtype)), gamma, beta, **options)[0]


def look_up(w: Any) -> Any:
    """Rows of a table, some of them twice."""
    return ops.embedding(Tensor(np.array([[0.0, 2.0, 2.0], [1.0, 0.0, 2.0]], w.dtype)), w)


STEPS = np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 1, 0, 0]])  # of three sequences, those that count


def recurrent(name: str, gates: int, states: int = 0, bias: bool = False, masked: bool = False, **options: Any) -> Case:
    """x, w, then a bias and initial states; a mask and a dropout mask are no operands that have gradients."""
    units = 2
    arrays = [distinct(3, 5, gates * units), distinct(units, gates * units, seed=1)]
    arrays += [distinct(gates * units, seed=2)] * bias + [distinct(3, units, seed=3 + k) for k in range(states)]

    def function(x: Any, w: Any, *rest: Any) -> Any:
        names = ["b"] * bias + ["h", "c"][:states]
        given = dict(zip(names, rest)) | options
        if masked:
            given["mask"] = Tensor(STEPS.astype(x.dtype))
            given["dropout"] = Tensor(np.array([[2, 0], [0, 2], [2, 2]]).astype(x.dtype))
        return getattr(ops, name)(x, w, **given)

    return function, arrays


ONE_HOT = np.eye(4)[[0, 2, 3]]

CASES: dict[str, list[Case]] = {
    "activation": [
        *(
            named(name)
            for name in (
                "relu",
                "relu6",
                "leaky_relu",
                "elu",
                "celu",
                "selu",
                "gelu",
                "sigmoid",
                "hard_sigmoid",
                "hard_sigmoid_keras2",
                "hard_shrink",
                "hard_tanh",
                "log_sigmoid",
                "soft_shrink",
                "sparse_plus",
                "sparse_sigmoid",
                "squareplus",
                "tanh_shrink",
                "tanh",
                "softplus",
                "softsign",
                "swish",
                "silu",
                "hard_swish",
                "hard_silu",
                "exponential",
                "mish",
                "softmax",
                "log_softmax",
                "linear",
            )
        ),
        named("gelu", approximate=True),
        named("elu", alpha=0.7),
        named("leaky_relu", negative_slope=0.01),
    ],
    "add": [
        (ops.add, [distinct(2, 3, 3, 4), distinct(2, 1, 1, 4, seed=1)]),
        (ops.add, [distinct(3, 4), distinct(3, 4, seed=1)]),
        (lambda a, b: ops.add(a, b, "relu"), [distinct(2, 3, 3, 4), distinct(2, 1, 1, 4, seed=1)]),
    ],
    "alpha_dropout": [alpha_dropout(), alpha_dropout((None, 1))],
    "avgpool1d": [row(ops.avgpool1d), row(ops.avgpool1d, 3, 2, "same")],
    "avgpool2d": [
        pool(ops.avgpool2d, 2),
        pool(ops.avgpool2d, 3, 2, "same"),
        pool(ops.avgpool2d, (2, 3), (1, 2), "same"),
    ],
    "avgpool3d": [volume(ops.avgpool3d), volume(ops.avgpool3d, (3, 2, 2), (2, 1, 2), "same")],
    "batch_dot": [
        (lambda a, b: ops.batch_dot(a, b, (2, 1)), [distinct(2, 3, 4), distinct(2, 4, 5, seed=1)]),
        (lambda a, b: ops.batch_dot(a, b, (1, 3)), [distinct(2, 3, 4), distinct(2, 2, 2, 3, seed=1)]),
        (lambda a, b: ops.batch_dot(a, b, (1, 1)), [distinct(2, 3), distinct(2, 3, seed=1)]),
    ],
    "batchnorm_infer": [
        (infer, [distinct(2, 3, 3, 4), positive(4), distinct(4)]),
        (infer, [distinct(5, 4)]),
        (partial(infer, activation="relu"), [distinct(2, 3, 3, 4), positive(4), distinct(4)]),
    ],
    "batchnorm_of_kept": [
        (lambda x, g, b: of_kept(x, g, b), [distinct(3, 5, 4), positive(4), distinct(4)]),
        (lambda x, b: of_kept(x, None, b, axis=1), [distinct(3, 5, 2), distinct(5)]),
    ],
    "batchnorm_train": [
        (lambda x, g, b: ops.batchnorm_train(x, g, b)[0], [distinct(2, 3, 3, 4), positive(4), distinct(4)]),
        (lambda x, b: ops.batchnorm_train(x, None, b, 1e-5)[0], [distinct(6, 4), distinct(4)]),
        *(
            (
                lambda x, g, b, f=f: ops.batchnorm_train(6 * x, 6 * g, b, 1e-3, f)[0],
                [distinct(7, 4), positive(4), distinct(4)],
            )
            for f in ("relu", "relu6")
        ),
    ],
    "binary_crossentropy": [(lambda p: ops.binary_crossentropy(p, (ONE_HOT + 0.1) / 1.2), [positive(3, 4) / 1.3])],
    "concatenate": [(lambda *t: ops.concatenate(list(t), 1), [distinct(2, 3, 4), distinct(2, 1, 4, seed=1)])],
    "constant_padding2d": [pool(ops.constant_padding2d, ((1, 0), (0, 2)), 0.5)],
    "conv1d": [
        conv_row(),
        conv_row(strides=2, padding="same"),
        conv_row(dilation=2, padding="causal", activation="tanh"),
        conv_row(groups=2, padding=(2, 1), activation="swish"),
    ],
    "conv1d_transpose": [
        transposed_row(),
        transposed_row(strides=2, padding="same", activation="relu"),
        transposed_row(strides=3, output_padding=1),
    ],
    "conv2d": [
        conv(),
        conv(strides=2, padding="same"),
        conv(strides=(3, 2), padding=((1, 0), (2, 1))),
        conv(dilation=2, padding="same"),
        conv(groups=2, padding=1),
        conv(8, groups=4, padding="same", strides=2, activation="tanh"),
        conv(padding="same", activation="relu"),
        conv(activation="tanh"),
        conv(activation="swish"),
        (lambda x, w: ops.conv2d(x, w), [distinct(1, 1, 1, 3), distinct(1, 1, 3, 2, seed=1)]),
    ],
    "conv2d_transpose": [
        transposed(),
        transposed(strides=2, padding="same"),
        transposed(strides=3, output_padding=1),
        transposed(activation="relu6"),
    ],
    "conv3d_transpose": [
        transposed_volume(strides=(2, 1, 3), padding="same", activation="tanh"),
        transposed_volume(strides=(1, 2, 2), output_padding=(0, 1, 0)),
        transposed_volume(dilation=(2, 1, 2)),
    ],
    "conv3d": [
        conv_volume(),
        conv_volume(strides=(2, 1, 2), padding="same", activation="tanh"),
        conv_volume(dilation=(3, 2, 1), padding="same", groups=2),
        conv_volume(activation="swish"),
    ],
    "cropping1d": [row(ops.cropping1d, (1, 2))],
    "cropping2d": [pool(ops.cropping2d, ((1, 0), (2, 1)))],
    "cropping3d": [volume(ops.cropping3d, ((1, 0), (2, 1), (0, 1)))],
    "crossentropy": [(lambda p: ops.crossentropy(p, ONE_HOT), [positive(3, 4)])],
    "dense": [
        (ops.dense, [distinct(5, 4), distinct(4, 3, seed=1), distinct(3)]),
        (ops.dense, [distinct(2, 3, 4), distinct(4, 2)]),
        (lambda *t: ops.dense(*t, activation="sigmoid"), [distinct(5, 4), distinct(4, 3, seed=1), distinct(3)]),
    ],
    "depthwise_conv1d": [
        depthwise_row(),
        depthwise_row(strides=2, padding="same"),
        depthwise_row(dilation=2, activation="elu"),
    ],
    "depthwise_conv2d": [
        depthwise(1, padding="same"),
        depthwise(2, strides=2),
        depthwise(1, dilation=2, padding="same"),
        depthwise(1, activation="elu"),
    ],
    "dropout": [dropout(), dropout((None, 1))],
    "embedding": [(look_up, [distinct(3, 4)])],
    "flatten": [(ops.flatten, [distinct(2, 3, 4)])],
    "fold_time": [(ops.fold_time, [distinct(2, 3, 4)])],
    "global_avgpool1d": [row(ops.global_avgpool1d), row(ops.global_avgpool1d, True)],
    "global_avgpool2d": [pool(ops.global_avgpool2d), pool(ops.global_avgpool2d, True)],
    "global_avgpool3d": [volume(ops.global_avgpool3d), volume(ops.global_avgpool3d, True)],
    "global_maxpool1d": [row(ops.global_maxpool1d), row(ops.global_maxpool1d, True)],
    "global_maxpool2d": [pool(ops.global_maxpool2d), pool(ops.global_maxpool2d, True)],
    "global_maxpool3d": [volume(ops.global_maxpool3d), volume(ops.global_maxpool3d, True)],
    "groupnorm": [
        (lambda x, g, b: ops.groupnorm(x, g, b, 2), [distinct(2, 3, 2, 4), positive(4), distinct(4)]),
        (lambda x: ops.groupnorm(x, None, None, 4, 1e-5), [distinct(2, 3, 4)]),
        (lambda x, b: ops.groupnorm(x, None, b, 2), [distinct(3, 6), distinct(6)]),
    ],
    "gru": [
        recurrent("gru", 3),
        recurrent("gru", 3, states=1, bias=True),
        recurrent("gru", 3, states=1, bias=True, masked=True),
        recurrent("gru", 3, states=1, masked=True, reset_after=False, activation="softplus"),
        recurrent("gru", 3, reset_after=False),
    ],
    "layernorm": [
        (ops.layernorm, [distinct(3, 2, 5), positive(5), distinct(5)]),
        (lambda x: ops.layernorm(x, None, None), [distinct(4, 6)]),
    ],
    "lstm": [
        recurrent("lstm", 4),
        recurrent("lstm", 4, states=2, masked=True),
        recurrent("lstm", 4, activation="swish", recurrent_activation="softmax"),
        (ops.lstm, [distinct(2, 3, 3, 2, 8), distinct(2, 3, 2, 8, seed=1), distinct(2, 3, 2, 2, seed=2)]),
    ],
    "masked": [
        (lambda x: ops.masked(x, Tensor(STEPS[: len(x)].astype(x.dtype))), [distinct(3, 5, 2)]),
        (lambda x: ops.masked(x, Tensor(STEPS[: len(x)].astype(x.dtype))), [distinct(3, 5)]),
    ],
    "maximum": [(ops.maximum, [distinct(3, 4), distinct(3, 4, seed=1) + 0.013])],
    "maxpool1d": [row(ops.maxpool1d), row(ops.maxpool1d, 3, 2, "same")],
    "maxpool2d": [
        pool(ops.maxpool2d, 2),
        pool(ops.maxpool2d, 3, 2, "same"),
        pool(ops.maxpool2d, (3, 2), (1, 2), "valid"),
    ],
    "maxpool3d": [volume(ops.maxpool3d), volume(ops.maxpool3d, (3, 2, 2), (2, 1, 2), "same")],
    "minimum": [(ops.minimum, [distinct(3, 4), distinct(3, 4, seed=1) + 0.013])],
    "multiply": [(ops.multiply, [distinct(2, 3, 3, 4), distinct(2, 1, 1, 4, seed=1)])],
    "noise": [noise(False), noise(True)],
    "permute": [(lambda x: ops.permute(x, (3, 1, 2)), [distinct(2, 3, 4, 5)])],
    "pick": [
        (lambda x: ops.pick(x, (slice(None), -1)), [distinct(3, 4, 2)]),
        (lambda x: ops.pick(x, (..., slice(1, 3))), [distinct(3, 4)]),
    ],
    "prelu": [(ops.prelu, [distinct(3, 4, 4, 2), positive(1, 1, 2)]), (ops.prelu, [distinct(3, 5), positive(5)])],
    "relu": [(lambda x: ops.relu(x, 1.5, 0.1, 0.25), [distinct(4, 9)])],
    "repeat_vector": [(lambda x: ops.repeat_vector(x, 3), [distinct(4, 5)])],
    "reshape": [(lambda x: ops.reshape(x, (4, -1)), [distinct(2, 8, 3)])],
    "resize": [
        pool(ops.resize, (4, 9)),
        pool(ops.resize, (3, 2), "bicubic"),
        pool(ops.resize, (4, 3), "lanczos3", True),
        pool(ops.resize, (9, 4), "nearest"),
    ],
    "surround": [(lambda x: ops.surround(x, [(1, 0), (0, 2)], 3.0), [distinct(2, 3, 2)])],
    "spread": [
        (lambda x: ops.spread(x, (2, 3)), [distinct(2, 3, 2, 2)]),
        (lambda w: ops.spread(w, (2, 1), first=0), [distinct(3, 2, 2)]),
    ],
    "largest": [
        (lambda x: ops.largest(x, 1), [distinct(2, 3, 2)]),
        (lambda x: ops.largest(x, (1, -1), keepdims=True), [distinct(2, 3, 2)]),
    ],
    "log": [(ops.log, [positive(2, 3)])],
    "reverse": [(ops.reverse, [distinct(2, 3, 4)])],
    "reverse_gradient": [(lambda x: ops.reverse_gradient(x, -1.0), [distinct(3, 4)])],  # reversed twice: the true one
    "sigmoid_crossentropy": [(lambda x: ops.sigmoid_crossentropy(x, ONE_HOT), [distinct(3, 4)])],
    "simple_rnn": [
        recurrent("simple_rnn", 1),
        recurrent("simple_rnn", 1, states=1, masked=True),
        recurrent("simple_rnn", 1, activation="linear"),
    ],
    "softmax": [(ops.softmax, [distinct(3, 4)]), (lambda x: ops.softmax(x, axis=1, log=True), [distinct(2, 3, 4)])],
    "softmax_crossentropy": [
        (lambda x: ops.softmax_crossentropy(x, ONE_HOT), [distinct(3, 4)]),
        (lambda x: ops.softmax_crossentropy(x, ONE_HOT[:, None]), [distinct(3, 1, 4)]),
    ],
    "unfold_time": [(lambda x: ops.unfold_time(x, 3), [distinct(6, 4)])],
    "unit_norm": [
        (lambda x: ops.unit_norm(x, (1,)), [distinct(3, 4)]),
        (lambda x: ops.unit_norm(x, (1, 3), 1e3), [distinct(2, 3, 2, 4)]),
    ],
    "upsampling1d": [row(ops.upsampling1d, 3)],
    "upsampling2d": [pool(ops.upsampling2d, (2, 3)), pool(ops.upsampling2d, 2, "bilinear")],
    "upsampling3d": [volume(ops.upsampling3d, (1, 2, 3))],
    "zero_padding1d": [row(ops.zero_padding1d, (1, 2))],
    "zero_padding2d": [pool(ops.zero_padding2d, ((1, 0), (0, 2)))],
    "zero_padding3d": [volume(ops.zero_padding3d, ((1, 0), (0, 2), (1, 1)))],
}
