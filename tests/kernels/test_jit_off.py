"""With NUMBA_DISABLE_JIT=1 kernels are the plain Python functions they are written as, and can be stepped through."""

import os
import subprocess
import sys
import types

import pytest

from minicnn import kernels

pytest.importorskip("numba")

PROGRAM = """
import inspect
import numpy as np
from minicnn import kernels
from minicnn.kernels import _jit, conv2d, dense, maxpool2d

def double(x):
    return 2 * x

assert _jit.jit(double) is double and not _jit.kernels

seen = []
x = np.random.default_rng(0).standard_normal((1, 5, 5, 3), np.float32)
w = np.random.default_rng(1).standard_normal((3, 3, 3, 4), np.float32)
expected = conv2d.forward(x, w, rung="reference")
for rung in kernels.rungs("conv2d"):
    found = conv2d.forward(x, w, rung=rung)
    assert np.allclose(found, expected, atol=1e-5), rung
    seen.append(rung)
np.testing.assert_allclose(dense.forward(x, w[0, 0], rung="v1_direct"), x @ w[0, 0], atol=1e-5)
y = maxpool2d.forward(x, 2)
assert maxpool2d.backward(x, y, np.ones_like(y), 2).sum() == y.size

from minicnn.kernels.conv2d import cpu_direct
assert inspect.isfunction(cpu_direct._correlate)
print(*seen)
"""


@pytest.mark.no_jit
def test_every_rung_of_a_convolution_runs_as_plain_python(tmp_path):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "MINICNN_CACHE": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == kernels.rungs("conv2d")
    assert list(tmp_path.iterdir()) == [], "nothing is compiled, so nothing is kept"


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled here")
def test_a_compiled_kernel_keeps_its_plain_twin():
    from minicnn.kernels import _jit

    for spec in kernels.specs():
        assert isinstance(spec.fn, types.FunctionType)
    assert _jit.kernels
    for compiled in _jit.kernels:
        assert isinstance(getattr(compiled, "py_func", None), types.FunctionType)
