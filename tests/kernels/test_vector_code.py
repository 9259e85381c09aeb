"""The optimizers' loops are compiled to vector instructions: element by element they take 3 to 8 times as long."""

import inspect
import re

import pytest

numba = pytest.importorskip("numba", reason="compiled code is Numba's")

_jit = pytest.importorskip("minicnn.kernels._jit")
cpu = pytest.importorskip("minicnn.kernels.optimizer_step.cpu")

pytestmark = pytest.mark.skipif(_jit.JIT_OFF, reason="with the JIT off nothing is compiled")
STEPS = ("_sgd", "_momentum", "_nesterov", "_rmsprop", "_adam", "_adagrad")


def vector_stores(kernel) -> int:
    """How many instructions of a kernel's compiled form store several numbers at once."""
    names = list(inspect.signature(kernel.py_func).parameters)
    arrays = names.index("rate") - 2
    floats = (numba.float32[::1],) * arrays + (numba.float32,) * (len(names) - 2 - arrays)
    compiled = numba.njit(nogil=True, fastmath={"contract"}, error_model="numpy", boundscheck=False)(kernel.py_func)
    compiled.compile((numba.intp, numba.intp, *floats))
    return len(re.findall(r"store <(?:4|8|16) x float>", compiled.inspect_llvm(compiled.signatures[0])))


@pytest.mark.parametrize("step", STEPS)
def test_a_step_stores_vectors(step):
    assert vector_stores(getattr(cpu, step)) > 0
