"""Every operation's gradient against finite differences, its dtype, and every operation on an empty batch."""

import numpy as np
import pytest
from op_cases import CASES

from minicnn import Tensor, gradcheck, kernels, ops

NUMBERED = [(name, index) for name, cases in CASES.items() for index in range(len(cases))]
WITH_TARGETS = ("binary_crossentropy", "crossentropy", "sigmoid_crossentropy", "softmax_crossentropy")


def test_every_operation_has_cases():
    assert CASES.keys() == ops.OPS.keys()


@pytest.mark.numpy_only
@pytest.mark.parametrize(("name", "index"), NUMBERED)
def test_gradient(name: str, index: int):
    function, arrays = CASES[name][index]
    assert gradcheck(function, [Tensor(array, requires_grad=True) for array in arrays])


@pytest.mark.no_jit
@pytest.mark.numpy_only
@pytest.mark.parametrize(("name", "index"), NUMBERED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_and_gradients_keep_the_dtype(name: str, index: int, dtype: type):
    function, arrays = CASES[name][index]
    tensors = [Tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    y = function(*tensors)
    y.backward(np.ones(y.shape, dtype))
    assert y.dtype == dtype
    assert [(t.grad.dtype, t.grad.shape) for t in tensors] == [(dtype, t.shape) for t in tensors]


@pytest.mark.numpy_only
@pytest.mark.parametrize(("name", "index"), NUMBERED)
def test_a_gradient_lies_in_memory_of_its_own(name: str, index: int):
    function, arrays = CASES[name][index]
    tensors = [Tensor(array.astype(np.float32), requires_grad=True) for array in arrays]
    y = function(*tensors)
    dy = np.ones(y.shape, np.float32)
    y.backward(dy)
    others = [dy, y.array, *(t.array for t in tensors)]
    for tensor in tensors:
        gradient = tensor.grad.numpy()
        assert not any(np.may_share_memory(gradient, other) for other in others)
        others.append(gradient)


@pytest.mark.no_jit
@pytest.mark.parametrize("name", [name for name in CASES if name not in (*WITH_TARGETS, "embedding")])
def test_empty_batch(name: str):
    function, arrays = CASES[name][0]
    count = len(arrays[0])
    per_sample = [len(array) == count and array.ndim == arrays[0].ndim for array in arrays]
    full = [Tensor(array.astype(np.float32)) for array in arrays]
    empty = [
        Tensor(array.astype(np.float32)[:0] if cut else array.astype(np.float32), requires_grad=True)
        for array, cut in zip(arrays, per_sample)
    ]
    y = function(*empty)
    assert y.shape == (0, *function(*full).shape[1:])
    y.backward(np.zeros(y.shape, np.float32))
    for tensor in empty:
        assert tensor.grad.shape == tensor.shape
        assert not tensor.grad.numpy().any()


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_what_is_frozen_gets_no_gradient(frozen: int):
    function, arrays = CASES["conv2d"][0]
    tensors = [Tensor(array, requires_grad=index != frozen) for index, array in enumerate(arrays)]
    total = function(*tensors).sum()
    with kernels.record() as calls:
        total.backward()
    assert [tensor.grad is None for tensor in tensors] == [index == frozen for index in range(3)]
    ran = {call[:2] for call in calls}
    assert len(ran) == 2
    assert [("conv2d", "backward_input"), ("conv2d", "backward_weights"), ("channel_sum", "forward")][frozen] not in ran
