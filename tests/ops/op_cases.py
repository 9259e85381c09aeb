"""For every operation of minicnn.ops, calls whose gradients are checked: a function of tensors, and their arrays.

Inputs keep away from kinks and ties: values are distinct and at least 1e-3 from 0, 0.5, 3 and 6 where that matters.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from minicnn import ops

Case = tuple[Callable[..., Any], list[np.ndarray]]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal numbers, none within 1e-2 of another's rank: safe for finite differences."""
    generator = np.random.default_rng([seed, *shape])
    ranks = generator.permutation(int(np.prod(shape))).reshape(shape)
    return (ranks + 0.5 - ranks.size / 2) * (4.0 / max(ranks.size, 1)) + 0.004


def positive(*shape: int) -> np.ndarray:
    """Numbers in (0.2, 1.2)."""
    return np.random.default_rng(shape).uniform(0.2, 1.2, shape)


def conv(**options: Any) -> Case:
    groups = options.get("groups", 1)
    arrays = [normal(2, 7, 6, 4), normal(3, 2, 4 // groups, 6, seed=1), normal(6, seed=2)]
    return (lambda x, w, b: ops.conv2d(x, w, b, **options)), arrays


def depthwise(multiplier: int, **options: Any) -> Case:
    arrays = [normal(2, 7, 6, 3), normal(3, 3, 3, multiplier, seed=1), normal(3 * multiplier, seed=2)]
    return (lambda x, w, b: ops.depthwise_conv2d(x, w, b, **options)), arrays


def transposed(**options: Any) -> Case:
    arrays = [normal(2, 4, 3, 3), normal(3, 2, 2, 3, seed=1), normal(2, seed=2)]
    return (lambda x, w, b: ops.conv2d_transpose(x, w, b, **options)), arrays


def pool(function: Callable[..., Any], *arguments: Any, **options: Any) -> Case:
    return (lambda x: function(x, *arguments, **options)), [normal(2, 7, 6, 3)]


def named(name: str, **parameters: Any) -> Case:
    return (lambda x: ops.activation(x, name, **parameters)), [normal(4, 9)]


def dropout(x: Any) -> Any:
    return ops.dropout(x, 0.4, np.random.default_rng(0))


ONE_HOT = np.eye(4)[[0, 2, 3]]

CASES: dict[str, list[Case]] = {
    "activation": [
        *(
            named(name)
            for name in (
                "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras2",
                "tanh", "softplus", "softsign", "swish", "silu", "hard_swish", "hard_silu", "exponential", "mish",
                "softmax", "log_softmax", "linear",
            )
        ),
        named("gelu", approximate=True),
        named("elu", alpha=0.7),
        named("leaky_relu", negative_slope=0.01),
    ],
    "add": [(ops.add, [normal(2, 3, 3, 4), normal(2, 1, 1, 4, seed=1)]), (ops.add, [normal(3, 4), normal(3, 4, seed=1)])],
    "avgpool2d": [pool(ops.avgpool2d, 2), pool(ops.avgpool2d, 3, 2, "same"), pool(ops.avgpool2d, (2, 3), (1, 2), "same")],
    "batchnorm_infer": [
        (lambda x, g, b: ops.batchnorm_infer(x, g, b, *STATISTICS), [normal(2, 3, 3, 4), positive(4), normal(4)]),
        (lambda x: ops.batchnorm_infer(x, None, None, *STATISTICS), [normal(5, 4)]),
    ],
    "batchnorm_train": [
        (lambda x, g, b: ops.batchnorm_train(x, g, b)[0], [normal(2, 3, 3, 4), positive(4), normal(4)]),
        (lambda x, b: ops.batchnorm_train(x, None, b, 1e-5)[0], [normal(6, 4), normal(4)]),
    ],
    "binary_crossentropy": [(lambda p: ops.binary_crossentropy(p, (ONE_HOT + 0.1) / 1.2), [positive(3, 4) / 1.3])],
    "concatenate": [(lambda *t: ops.concatenate(list(t), 1), [normal(2, 3, 4), normal(2, 1, 4, seed=1)])],
    "conv2d": [
        conv(),
        conv(strides=2, padding="same"),
        conv(strides=(3, 2), padding=((1, 0), (2, 1))),
        conv(dilation=2, padding="same"),
        conv(groups=2, padding=1),
        (lambda x, w: ops.conv2d(x, w), [normal(1, 1, 1, 3), normal(1, 1, 3, 2, seed=1)]),
    ],
    "conv2d_transpose": [transposed(), transposed(strides=2, padding="same"), transposed(strides=3, output_padding=1)],
    "cropping2d": [pool(ops.cropping2d, ((1, 0), (2, 1)))],
    "crossentropy": [(lambda p: ops.crossentropy(p, ONE_HOT), [positive(3, 4)])],
    "dense": [(ops.dense, [normal(5, 4), normal(4, 3, seed=1), normal(3)]), (ops.dense, [normal(2, 3, 4), normal(4, 2)])],
    "depthwise_conv2d": [depthwise(1, padding="same"), depthwise(2, strides=2), depthwise(1, dilation=2, padding="same")],
    "dropout": [(dropout, [normal(4, 5)])],
    "flatten": [(ops.flatten, [normal(2, 3, 4)])],
    "global_avgpool2d": [pool(ops.global_avgpool2d), pool(ops.global_avgpool2d, True)],
    "global_maxpool2d": [pool(ops.global_maxpool2d), pool(ops.global_maxpool2d, True)],
    "layernorm": [(ops.layernorm, [normal(3, 2, 5), positive(5), normal(5)]), (lambda x: ops.layernorm(x, None, None), [normal(4, 6)])],
    "maximum": [(ops.maximum, [normal(3, 4), normal(3, 4, seed=1) + 0.013])],
    "maxpool2d": [pool(ops.maxpool2d, 2), pool(ops.maxpool2d, 3, 2, "same"), pool(ops.maxpool2d, (3, 2), (1, 2), "valid")],
    "minimum": [(ops.minimum, [normal(3, 4), normal(3, 4, seed=1) + 0.013])],
    "multiply": [(ops.multiply, [normal(2, 3, 3, 4), normal(2, 1, 1, 4, seed=1)])],
    "permute": [(lambda x: ops.permute(x, (3, 1, 2)), [normal(2, 3, 4, 5)])],
    "prelu": [(ops.prelu, [normal(3, 4, 4, 2), positive(1, 1, 2)]), (ops.prelu, [normal(3, 5), positive(5)])],
    "relu": [(lambda x: ops.relu(x, 1.5, 0.1, 0.25), [normal(4, 9)])],
    "reshape": [(lambda x: ops.reshape(x, (4, -1)), [normal(2, 8, 3)])],
    "sigmoid_crossentropy": [(lambda x: ops.sigmoid_crossentropy(x, ONE_HOT), [normal(3, 4)])],
    "softmax": [(ops.softmax, [normal(3, 4)]), (lambda x: ops.softmax(x, axis=1, log=True), [normal(2, 3, 4)])],
    "softmax_crossentropy": [(lambda x: ops.softmax_crossentropy(x, ONE_HOT), [normal(3, 4)])],
    "upsampling2d": [pool(ops.upsampling2d, (2, 3)), pool(ops.upsampling2d, 2, "bilinear")],
    "zero_padding2d": [pool(ops.zero_padding2d, ((1, 0), (0, 2)))],
}  # fmt: skip

STATISTICS: list[Any] = []  # filled below: constants of the inference-mode cases


def _fill() -> None:
    from minicnn import Tensor

    STATISTICS.extend([Tensor(normal(4, seed=3)), Tensor(positive(4))])


_fill()
