"""Every operation's gradient against finite differences, and every operation on an empty batch."""

import numpy as np
import pytest
from minicnn import Tensor, gradcheck, ops
from op_cases import CASES

NUMBERED = [(name, index) for name, cases in CASES.items() for index in range(len(cases))]


def test_every_operation_has_cases():
    assert CASES.keys() == ops.OPS.keys()


@pytest.mark.numpy_only
@pytest.mark.parametrize(("name", "index"), NUMBERED)
def test_gradient(name: str, index: int):
    function, arrays = CASES[name][index]
    assert gradcheck(function, [Tensor(array, requires_grad=True) for array in arrays])


@pytest.mark.numpy_only
@pytest.mark.parametrize(("name", "index"), NUMBERED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_keeps_the_dtype(name: str, index: int, dtype: type):
    function, arrays = CASES[name][index]
    if name in ("batchnorm_infer",) and dtype is np.float32:
        pytest.skip("its constants are float64")
    assert function(*(Tensor(array.astype(dtype)) for array in arrays)).dtype == dtype


@pytest.mark.parametrize("name", ["conv2d", "depthwise_conv2d", "conv2d_transpose", "dense", "maxpool2d", "avgpool2d"])
def test_empty_batch(name: str):
    function, arrays = CASES[name][0]
    x, *rest = (Tensor(array.astype(np.float32), requires_grad=True) for array in arrays)
    full = function(x, *rest)
    empty = Tensor(x.array[:0], requires_grad=True)
    y = function(empty, *rest)
    assert y.shape == (0, *full.shape[1:])
    y.backward(np.zeros(y.shape, np.float32))
    assert empty.grad is not None
    assert empty.grad.shape == empty.shape
    for weight in rest:
        assert weight.grad is not None
        assert not weight.grad.numpy().any()


def test_a_frozen_weight_gets_no_gradient():
    x, w = Tensor(np.ones((1, 4, 4, 2)), requires_grad=True), Tensor(np.ones((3, 3, 2, 2)))
    ops.conv2d(x, w).sum().backward()
    assert w.grad is None
    assert x.grad is not None
