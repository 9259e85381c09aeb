"""What a rung does can be captured where it says so: run again, it works on what the arrays hold then."""

from functools import partial

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import UnsupportedError
from minicnn.kernels import conv2d, dense, depthwise_conv2d, elementwise
from minicnn.kernels._warmup import examples

pytest.importorskip("numba")
FORWARD = ("forward", "forward_infer", *elementwise.FORWARD)
SPECS = [spec for spec in kernels.specs("cpu") if spec.replays and spec.direction in FORWARD]
SHAPED = {"conv2d": (3, 3, 4, 35), "depthwise_conv2d": (3, 3, 4, 4), "dense": (4, 35)}


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


def with_epilogue(op: str, activation: str):
    """A call with a bias, a residual and an activation."""
    x, w = normal(2, 5, 7, 4), normal(*SHAPED[op])
    module = {"conv2d": conv2d, "depthwise_conv2d": depthwise_conv2d, "dense": dense}[op]
    options = {} if op == "dense" else {"padding": "same"}
    channels = 16 if op == "depthwise_conv2d" else 35
    return partial(
        module.forward, x, w, normal(channels), residual=normal(2, 5, 7, channels), activation=activation, **options
    )


def calls_of(spec: kernels.KernelSpec):
    calls = examples(normal)[spec.op, spec.direction]
    if spec.op in SHAPED:
        calls += [with_epilogue(spec.op, activation) for activation in ("relu6", "swish")]
    return calls


def arrays(result) -> tuple[np.ndarray, ...]:
    return result if isinstance(result, tuple) else (result,)


def test_operands_that_are_repeated_along_many_axes_cannot_be_captured():
    call = partial(elementwise.add, normal(2, 1, 3, 1, 2), normal(1, 2, 1, 2, 1))
    with kernels.capture(), pytest.raises(UnsupportedError, match="cannot be captured"):
        call()
    np.testing.assert_array_equal(call(), call(rung="reference"))


@pytest.mark.no_jit
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.op}-{spec.direction}-{spec.rung}")
def test_captured_calls_see_new_inputs(spec):
    replayed, calls = 0, calls_of(spec)
    for call in calls:
        x = call.args[0]
        try:
            with kernels.capture() as jobs:
                y = call(rung=spec.rung)
        except UnsupportedError:
            continue
        for factor in (1, -2):
            x *= factor
            jobs.run()
            for found, expected in zip(arrays(y), arrays(call(rung=spec.rung)), strict=True):
                np.testing.assert_array_equal(found, expected)
        replayed += 1
    some = any(kind in spec.rung for kind in ("winograd", "columns", "v4_tiled"))  # v4: float32 alone
    assert replayed == len(calls) or (some and replayed > 0)


def test_rungs_in_numpy_do_not_say_that_they_can_be_captured():
    with kernels.capture(), pytest.raises(UnsupportedError, match="v2_im2col cannot be captured"):
        conv2d.forward(normal(1, 4, 4, 2), normal(1, 1, 2, 3), rung="v2_im2col")
    assert all(spec.needs_numba for spec in kernels.specs("cpu") if spec.replays)
