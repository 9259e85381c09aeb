"""Windowed operations and dense against Keras in float64: outputs and every gradient, on the rungs written in NumPy."""

from typing import Any

import pytest
from oracles import assert_golden, golden_ops

from minicnn.kernels import (
    avgpool2d,
    channel_sum,
    conv2d_transpose,
    dense,
    depthwise_conv2d,
    global_avgpool2d,
    global_maxpool2d,
    maxpool2d,
)

pytestmark = pytest.mark.numpy_only


def options(case: dict[str, Any], *names: str) -> dict[str, Any]:
    """Arguments of a case, lists made tuples."""
    return {name: tuple(case[name]) if isinstance(case[name], list) else case[name] for name in names}


def dense_results(case, t, rung):
    return {
        "y": dense.forward(t["x"], t["w"], t.get("b"), rung=rung),
        "dx": dense.backward_input(t["dy"], t["w"], rung=rung),
        "dw": dense.backward_weights(t["x"], t["dy"], rung=rung),
        "db": channel_sum.forward(t["dy"]),
    }


def convolution_results(op, t, rung, **window):
    return {
        "y": op.forward(t["x"], t["w"], t.get("b"), **window, rung=rung),
        "dx": op.backward_input(t["dy"], t["w"], t["x"].shape, **window, rung=rung),
        "dw": op.backward_weights(t["x"], t["dy"], t["w"].shape, **window, rung=rung),
        "db": channel_sum.forward(t["dy"]),
    }


def depthwise_results(case, t, rung):
    return convolution_results(depthwise_conv2d, t, rung, **options(case, "strides", "padding", "dilation"))


def transpose_results(case, t, rung):
    return convolution_results(conv2d_transpose, t, rung, **options(case, "strides", "padding", "output_padding"))


def maxpool_results(case, t, rung):
    window = {"pool_size": options(case, "pool")["pool"], **options(case, "strides", "padding")}
    y = maxpool2d.forward(t["x"], **window, rung=rung)
    return {"y": y, "dx": maxpool2d.backward(t["x"], y, t["dy"], **window, rung=rung)}


def avgpool_results(case, t, rung):
    window = {"pool_size": options(case, "pool")["pool"], **options(case, "strides", "padding")}
    y = avgpool2d.forward(t["x"], **window, rung=rung)
    return {"y": y, "dx": avgpool2d.backward(t["dy"], t["x"].shape, **window, rung=rung)}


def global_maxpool_results(case, t, rung):
    y = global_maxpool2d.forward(t["x"], case["keepdims"], rung=rung)
    return {"y": y, "dx": global_maxpool2d.backward(t["x"], y, t["dy"], rung=rung)}


def global_avgpool_results(case, t, rung):
    y = global_avgpool2d.forward(t["x"], case["keepdims"], rung=rung)
    return {"y": y, "dx": global_avgpool2d.backward(t["dy"], t["x"].shape, rung=rung)}


RESULTS = {
    "avg_pool2d": (avgpool_results, "v2_taps"),
    "conv2d_transpose": (transpose_results, "v2_im2col"),
    "dense": (dense_results, "v2_blas"),
    "depthwise_conv2d": (depthwise_results, "v2_taps"),
    "global_avg_pool2d": (global_avgpool_results, "v2_reduce"),
    "global_max_pool2d": (global_maxpool_results, "v2_reduce"),
    "max_pool2d": (maxpool_results, "v2_taps"),
}


@pytest.mark.parametrize(("case", "arrays"), golden_ops(*RESULTS), ids=lambda value: value.get("name", ""))
def test_float64_agrees_with_keras(case, arrays):
    results, numpy_rung = RESULTS[case["op"]]
    for rung in ("reference", numpy_rung):
        found = results(case, arrays, rung)
        fields = {"y", "dx", "dw", "db"} & arrays.keys()
        assert {"y", "dx"} <= fields
        for field in fields:
            assert_golden(found[field], arrays[field], case)
