"""A program of its own: every rung on register tiles, compiled for the CPU that NUMBA_CPU_NAME and _FEATURES name.

Raises where a result is further from the float64 one than its rung may be; prints, as JSON, the tile's shape and what
machine code became of it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from rung_cases import assert_close, cases_of

from minicnn import kernels
from minicnn.errors import UnsupportedError
from minicnn.kernels import _host, _jit

CONVOLUTIONS: list[tuple[int, int, dict[str, Any]]] = [  # taps, channels of a group, options
    (3, 64, {"padding": "same"}),
    (3, 19, {"strides": 2}),
    (1, 19, {}),
    (3, 19, {"groups": 2}),
]


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32).astype(np.float64)


def case(x: np.ndarray, w: np.ndarray, y_shape: tuple[int, ...], **others: Any) -> dict[str, Any]:
    """A case as `kernel_cases` draws them."""
    results = {name: normal(*y_shape) for name in ("residual", "dy")}
    return {"x": x, "w": w, "bias": normal(y_shape[-1]), **results, "activation": "relu", "add": True, **others}


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """(operation, case): whole tiles, tiles over an edge, channels that are no multiple of a vector."""
    for taps, channels, options in CONVOLUTIONS:
        options = {"groups": 1, **options}
        x, w = normal(2, 6, 17, channels * options["groups"]), normal(taps, taps, channels, 70)
        y = kernels.conv2d.forward(x, w, **options)
        yield "conv2d", case(x, w, y.shape, options=options)
    for taps, strides in ((3, 1), (5, 2)):
        options = {"strides": strides, "padding": "same"}
        x, w = normal(2, 6, 17, 39), normal(taps, taps, 39, 1)
        y = kernels.depthwise_conv2d.forward(x, w, **options)
        yield "depthwise_conv2d", case(x, w, y.shape, options=options)
    for rows in (3, 40):
        for stored in ({}, {"storage": "bfloat16"}, {"storage": "int8"}):
            yield "dense", case(normal(rows, 150), normal(150, 70), (rows, 70), **stored)


def check(spec: kernels.KernelSpec, case: dict[str, Any]) -> None:
    """The float32 result of a rung is near the float64 one."""
    module = cases_of(spec)
    try:
        found = module.run(case, np.float32, spec.rung, spec.direction)
    except UnsupportedError:
        return
    assert_close(found, module.run(case, np.float64, None, spec.direction), case, spec)


def machine_code() -> dict[str, int]:
    """How many instructions of all kernels that have run name each class of registers, and how many are fused."""
    text = "\n".join(code for kernel in _jit.kernels for code in kernel.inspect_asm().values())
    return {name: len(re.findall(rf"^.*{name}", text, re.MULTILINE)) for name in ("zmm", "ymm", "xmm", "vfmadd")}


def main() -> None:
    for op, case in cases():
        for spec in kernels.specs():
            if spec.op == op and spec.needs_numba and spec.rung != "v1_direct":
                check(spec, case)
    print(json.dumps({"tile": _host.TILE, "fused": _host.FUSED, "code": machine_code()}))


if __name__ == "__main__":
    main()
