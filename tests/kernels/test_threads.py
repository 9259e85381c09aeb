"""Kernels give the same bits for any number of threads, on shapes large enough to be shared out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minicnn import kernels
from minicnn.kernels import _threads as threads


def normal(*shape: int) -> np.ndarray:
    """Random numbers that depend on the shape alone."""
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


def convolution(op: Any, x: np.ndarray, w: np.ndarray, **window: Any) -> Callable[[], list[np.ndarray]]:
    """All three directions of an operation with weights."""

    def results():
        bias = normal(op.forward(x[:0], w, **window).shape[-1])
        y = op.forward(x, w, bias, **window)
        dy = normal(*y.shape)
        return [y, op.backward_input(dy, w, x.shape, **window), op.backward_weights(x, dy, w.shape, **window)]

    return results


def dense(x: np.ndarray, w: np.ndarray) -> list[np.ndarray]:
    op, dy = kernels.dense, normal(len(x), w.shape[1])
    return [op.forward(x, w), op.backward_input(dy, w), op.backward_weights(x, dy)]


def maxpool(x: np.ndarray, **window: Any) -> list[np.ndarray]:
    y = kernels.maxpool2d.forward(x, **window)
    return [y, kernels.maxpool2d.backward(x, y, normal(*y.shape), **window)]


def avgpool(x: np.ndarray, **window: Any) -> list[np.ndarray]:
    y = kernels.avgpool2d.forward(x, **window)
    return [y, kernels.avgpool2d.backward(normal(*y.shape), x.shape, **window)]


def global_pools(x: np.ndarray) -> list[np.ndarray]:
    y = kernels.global_maxpool2d.forward(x)
    return [y, kernels.global_avgpool2d.forward(x), kernels.global_maxpool2d.backward(x, y, normal(*y.shape))]


def together(outputs: Any) -> np.ndarray:
    """All outputs of one call, in one array."""
    return np.concatenate([output.ravel() for output in outputs])


def activations(x: np.ndarray) -> list[np.ndarray]:
    op, y = kernels.activation, kernels.activation.forward(x, "relu")
    return [y, op.forward(x, "swish"), op.backward(x, y, x, "relu"), op.backward(x, y, x, "gelu")]


def batchnorm(x: np.ndarray) -> list[np.ndarray]:
    op, gamma = kernels.batchnorm, normal(x.shape[-1])
    y, mean, variance, inverse_std = op.forward_train(x, gamma, gamma)
    return [
        together([y, mean, variance]),
        together(op.backward_train(x, x, gamma, mean, inverse_std)),
        together(op.backward_infer(x, x, gamma, mean, variance, 1e-3)),
    ]


def layernorm(x: np.ndarray) -> list[np.ndarray]:
    op, gamma = kernels.layernorm, normal(x.shape[-1])
    y, mean, inverse_std = op.forward(x, gamma, gamma)
    return [y, together(op.backward(x, x, gamma, mean, inverse_std))]


def prelu(x: np.ndarray, alpha: np.ndarray) -> list[np.ndarray]:
    return [kernels.prelu.forward(x, alpha), together(kernels.prelu.backward(x, alpha, x))]


def softmax(x: np.ndarray) -> list[np.ndarray]:
    y, targets = kernels.softmax.forward(x), np.abs(x)
    loss, p = kernels.softmax_crossentropy.forward(x, targets)
    dx = kernels.softmax_crossentropy.backward(p, targets, loss)
    return [y, kernels.softmax.backward(y, x), together([loss, p]), dx]


def upsample(x: np.ndarray, interpolation: str) -> list[np.ndarray]:
    y = kernels.upsample2d.forward(x, 2, interpolation)
    return [y, kernels.upsample2d.backward(y, 2, interpolation)]


WINDOW = {"strides": 2, "padding": "same"}
CASES = {
    "channel_sum": lambda: [kernels.channel_sum.forward(normal(700_001, 3))],
    "channel_sum-wide": lambda: [kernels.channel_sum.forward(normal(1003, 517))],
    "dense-few-rows": lambda: dense(normal(3, 1030), normal(1030, 517)),
    "dense": lambda: dense(normal(67, 331), normal(331, 517)),
    "conv2d": convolution(kernels.conv2d, normal(2, 23, 21, 24), normal(3, 3, 24, 40), **WINDOW),
    "conv2d-pointwise": convolution(kernels.conv2d, normal(2, 23, 21, 70), normal(1, 1, 70, 75)),
    "conv2d_transpose": convolution(kernels.conv2d_transpose, normal(2, 23, 21, 24), normal(3, 3, 40, 24), **WINDOW),
    "depthwise": convolution(kernels.depthwise_conv2d, normal(3, 47, 45, 37), normal(3, 3, 37, 1), padding="same"),
    "depthwise-strided": convolution(
        kernels.depthwise_conv2d, normal(3, 47, 95, 37), normal(3, 3, 37, 2), strides=(1, 2)
    ),
    "maxpool2d": lambda: maxpool(normal(2, 67, 71, 37), pool_size=3, **WINDOW),
    "avgpool2d": lambda: avgpool(normal(2, 67, 71, 37), pool_size=3, **WINDOW),
    "global_pools": lambda: global_pools(normal(5, 41, 43, 53)),
    "activation": lambda: activations(normal(1_700_003)),
    "batchnorm": lambda: batchnorm(normal(25_003, 67)),
    "layernorm": lambda: layernorm(normal(6_007, 131)),
    "prelu": lambda: prelu(normal(5, 71, 73, 67), normal(1, 73, 1)),
    "softmax": lambda: softmax(normal(4_003, 131)),
    "upsample2d-nearest": lambda: upsample(normal(3, 101, 103, 67), "nearest"),
    "upsample2d-bilinear": lambda: upsample(normal(3, 101, 103, 67), "bilinear"),
    "elementwise": lambda: [kernels.elementwise.add(normal(1_700_003), normal(1))],
}


@pytest.fixture
def shared_jobs(monkeypatch):
    """A list that grows with every kernel call that is shared out among threads."""
    jobs = []
    step = threads._step

    def counted(blocks: int, work: float, least: float, count: int) -> int:
        taken = step(blocks, work, least, count)
        jobs.extend([count] * (taken > 0))
        return taken

    monkeypatch.setattr(threads, "_step", counted)
    before = kernels.get_num_threads()
    yield jobs
    kernels.set_num_threads(before)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_same_bits_for_any_number_of_threads(case, shared_jobs):
    kernels.set_num_threads(1)
    expected = case()
    assert not shared_jobs
    for count in (2, 3):
        kernels.set_num_threads(count)
        found = case()
        assert shared_jobs.count(count) >= len(expected)
        assert all(a.tobytes() == b.tobytes() for a, b in zip(found, expected))
