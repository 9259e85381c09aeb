"""What the emulator is tested with is CUDA: the compiler for GPUs takes the same files."""

from pathlib import Path

import pytest

from minicnn.kernels._gpu.nvrtc import compile_cubin
from minicnn.kernels._gpu.source import signatures

from .launching import KERNELS

pytestmark = pytest.mark.cuda_compile


@pytest.mark.parametrize("source", sorted(KERNELS.glob("*.cu")), ids=lambda path: path.stem)
def test_file_compiles_for_a_gpu(source: Path):
    assert compile_cubin(source, "sm_80").resources.keys() == signatures(source).keys()
