"""Operations against float64 results of Keras: outputs and every gradient."""

import json
from typing import Any

import numpy as np
import pytest

from minicnn import Tensor, ops

TOLERANCE = 1e-10
POOLS = {"max_pool2d": ops.maxpool2d, "avg_pool2d": ops.avgpool2d}
GLOBAL = {"global_avg_pool2d": ops.global_avgpool2d, "global_max_pool2d": ops.global_maxpool2d}


@pytest.fixture(scope="module")
def cases(golden) -> dict[str, tuple[dict[str, Any], dict[str, np.ndarray]]]:
    with np.load(golden / "ops.npz") as file:
        arrays = {key: file[key] for key in file.files}
    found = {}
    for case in json.loads(arrays["cases"].tobytes()):
        prefix = case["name"] + "|"
        found[case["name"]] = (case, {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)})
    return found


def tuples(value: Any) -> Any:
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def forward(case: dict[str, Any], t: dict[str, Tensor]) -> Tensor:
    op, x = case["op"], t["x"]
    window = {key: tuples(case[key]) for key in ("strides", "padding", "dilation", "groups") if key in case}
    if op == "separable_conv2d":
        return ops.conv2d(ops.depthwise_conv2d(x, t["wd"], None, **window), t["wp"], t.get("b"))
    if op == "conv2d_transpose":
        return ops.conv2d_transpose(x, t["w"], t.get("b"), output_padding=case["output_padding"], **window)
    if op in ("conv2d", "depthwise_conv2d"):
        return ops.OPS[op](x, t["w"], t.get("b"), **window)
    if op == "dense":
        return ops.dense(x, t["w"], t.get("b"))
    if op in POOLS:
        return POOLS[op](x, tuples(case["pool"]), **window)
    if op in GLOBAL:
        return GLOBAL[op](x, case["keepdims"])
    if op == "activation":
        return ops.activation(x, case["activation"])
    arguments = {
        "upsampling2d": ("size", "interpolation"),
        "zero_padding2d": ("padding",),
        "cropping2d": ("cropping",),
        "relu_layer": ("max_value", "negative_slope", "threshold"),
    }[op]
    name = "relu" if op == "relu_layer" else op
    return ops.OPS[name](x, **{key: tuples(case[key]) for key in arguments if key in case})


@pytest.mark.numpy_only
@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("conv2d", 30),
        ("depthwise_conv2d", 12),
        ("separable_conv2d", 5),
        ("conv2d_transpose", 12),
        ("dense", 3),
        ("max_pool2d", 14),
        ("avg_pool2d", 12),
        ("global_avg_pool2d", 2),
        ("global_max_pool2d", 2),
        ("upsampling2d", 4),
        ("zero_padding2d", 4),
        ("cropping2d", 3),
        ("activation", 19),
        ("relu_layer", 3),
    ],
)
def test_agrees_with_keras(cases, kind: str, least: int):
    chosen = [(case, arrays) for case, arrays in cases.values() if case["op"] == kind]
    assert len(chosen) >= least
    for case, arrays in chosen:
        tensors = {k: Tensor(v, requires_grad=True) for k, v in arrays.items() if k in ("x", "w", "wd", "wp", "b")}
        y = forward(case, tensors)
        y.backward(arrays["dy"])
        found = {"y": y.numpy()} | {f"d{name}": tensor.grad.numpy() for name, tensor in tensors.items()}
        for name, value in found.items():
            error = np.linalg.norm(value - arrays[name]) / (np.linalg.norm(arrays[name]) or 1)
            close = error <= TOLERANCE or np.abs(value - arrays[name]).max() <= case.get("atol", 0)
            assert close, f"{case['name']} {name}: relative error {error:.1e}"
