"""What benchmarks.gpu tells PyTorch of precision, on one that refuses what PyTorch 2.9 to 2.11 refuse."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from benchmark_cases import module


class Backend:
    """TF32 by two names, the older of which cannot be read once the newer one has been set to something else."""

    __slots__ = ("_new", "_old")

    def __init__(self):
        self._old, self._new = False, "none"

    @property
    def allow_tf32(self) -> bool:
        if self._old != (self._new == "tf32"):
            raise RuntimeError("you have used mix of the legacy and new APIs")
        return self._old

    @allow_tf32.setter
    def allow_tf32(self, rounded: bool) -> None:
        self._old, self._new = rounded, "tf32" if rounded else "ieee"

    @property
    def fp32_precision(self) -> str:
        return self._new

    @fp32_precision.setter
    def fp32_precision(self, name: str) -> None:
        self._new = name


def fake_torch() -> Any:
    cudnn, matmul = Backend(), Backend()
    backends = SimpleNamespace(
        fp32_precision="none",
        cuda=SimpleNamespace(matmul=matmul),
        cudnn=SimpleNamespace(benchmark=False, conv=cudnn, allow_tf32=False),
    )
    return SimpleNamespace(backends=backends, no_grad=nullcontext)


@pytest.mark.parametrize("name", ["tf32", "float32", "bfloat16"])
def test_the_precision_can_be_read_by_either_name(name):
    torch = fake_torch()
    side = module("gpu.pytorch").Torch(torch, None, "cuda")
    for before in ("tf32", "float32"):
        with side.precision(before):
            pass
        with side.precision(name):
            assert side.settings() == {"matmul_tf32": name == "tf32", "convolution_tf32": name == "tf32"}
            assert torch.backends.cuda.matmul.fp32_precision == ("tf32" if name == "tf32" else "ieee")
    assert side.settings("default")["compiled"] == "default"
