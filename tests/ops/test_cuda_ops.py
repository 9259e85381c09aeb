"""Every operation on arrays of a GPU, in the emulator, forward and backward, against the same on the CPU."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from emulator.device import install
from op_cases import CASES, Case, distinct, positive

from minicnn import Tensor, losses, ops
from minicnn.autograd import cast
from minicnn.errors import DTypeError, ShapeError
from minicnn.kernels import device_of

pytestmark = pytest.mark.cuda_emulated
NUMBERED = [(name, index) for name, cases in CASES.items() for index in range(len(cases))]
ROUNDING = 1e-5  # of the relative L2 distance between two orders of float32 sums

OPERATORS: dict[str, Case] = {
    "subtract": (lambda a, b: a - b, [distinct(2, 3, 4), distinct(1, 4, seed=1)]),
    "divide": (lambda a, b: a / b, [distinct(2, 3, 4), positive(3, 1)]),
    "number": (lambda a: (2 - a * 3 + 1) / 2, [distinct(5)]),
    "power": (lambda a: a**2.5 + a**0, [positive(3, 4)]),
    "absolute": (abs, [distinct(3, 4)]),
    "matmul": (lambda a, b: a @ b, [distinct(2, 3, 4), distinct(4, 5, seed=1)]),
    "sum": (lambda a: a.sum(axis=(0, 2), keepdims=True), [distinct(2, 3, 4)]),
    "mean": (lambda a: a.mean(), [distinct(2, 3, 4)]),
    "reshape": (lambda a: a.reshape(4, -1), [distinct(2, 3, 4)]),
    "transpose": (lambda a: a.transpose(2, 0, 1), [distinct(2, 3, 4)]),
    "cast": (lambda a: cast(a, "float64"), [distinct(3)]),
    "used twice": (lambda a: a * a + a, [distinct(3, 4)]),
}
CLASSES, ROWS = np.array([2, 0, 1, 2, 1]), positive(5, 3)
LOSSES: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "softmax": (lambda x: losses.SparseCategoricalCrossentropy()(CLASSES, ops.softmax(x)), ROWS),
    "logits": (lambda x: losses.CategoricalCrossentropy(True, 0.1)(np.eye(3)[CLASSES], x), ROWS),
    "probabilities": (lambda p: losses.CategoricalCrossentropy()(np.eye(3)[CLASSES], p), ROWS),
    "binary": (lambda p: losses.BinaryCrossentropy()(np.eye(3)[CLASSES], p), ROWS / 1.3),
    "binary logits": (lambda x: losses.BinaryCrossentropy(True, 0.2)(np.eye(3)[CLASSES], x), ROWS),
    "mse": (lambda y: losses.get("mse")(np.ones((5, 3)), y, sample_weight=np.arange(5)), ROWS),
    "mae": (lambda y: losses.get("mae")(np.ones((5, 3)), y), ROWS),
    "function": (lambda y: losses.get(lambda t, p: ((t - p) ** 4).mean(-1))(np.ones((5, 3)), y), ROWS),
}


def results(function: Callable[..., Any], arrays: list[Any]) -> list[Any]:
    """y and the gradient of each operand, for a dy of many values."""
    tensors = [Tensor(array, requires_grad=True) for array in arrays]
    y = function(*tensors)
    dy = np.random.default_rng(0).uniform(-1, 1, y.shape).astype(np.float32)
    y.backward(dy)
    return [y.array, *(tensor.grad.array for tensor in tensors)]


def agrees(function: Callable[..., Any], arrays: list[np.ndarray]) -> None:
    """The same on the device as on the CPU, in float32."""
    arrays, gpu = [array.astype(np.float32) for array in arrays], install()
    there, here = results(function, [gpu.from_host(array) for array in arrays]), results(function, arrays)
    for found, expected in zip(there, here, strict=True):
        assert device_of(found) == gpu.name
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert np.linalg.norm(gpu.to_host(found) - expected) <= ROUNDING * np.linalg.norm(expected)


@pytest.mark.parametrize(("name", "index"), NUMBERED)
def test_operation_as_on_the_cpu(name: str, index: int):
    agrees(*CASES[name][index])


@pytest.mark.parametrize("name", OPERATORS)
def test_operator_as_on_the_cpu(name: str):
    agrees(*OPERATORS[name])


GRADIENTS: dict[str, Callable[[np.ndarray, Any], Any]] = {
    "array": lambda dy, gpu: dy,
    "float64": lambda dy, gpu: dy.astype(np.float64),
    "lists": lambda dy, gpu: dy.tolist(),
    "tensor": lambda dy, gpu: Tensor(dy),
    "there": lambda dy, gpu: gpu.from_host(dy),
    "tensor there": lambda dy, gpu: Tensor(gpu.from_host(dy)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_backward_takes_its_gradient_from_anywhere(name: str):
    gpu, dy = install(), np.arange(6, dtype=np.float32).reshape(2, 3)
    for leaf in (Tensor(gpu.from_host(dy), requires_grad=True), Tensor(dy, requires_grad=True)):
        (leaf * 2.0).backward(GRADIENTS[name](dy, gpu))
        leaf.backward(GRADIENTS[name](dy, gpu))  # itself the root
        assert leaf.grad is not None
        assert device_of(leaf.grad.array) == device_of(leaf.array)
        np.testing.assert_array_equal(leaf.grad.numpy(), 3 * dy)
    with pytest.raises(ShapeError, match=r"has shape \(3, 2\), the tensor \(2, 3\)"):
        Tensor(gpu.from_host(dy), requires_grad=True).backward(GRADIENTS[name](dy.reshape(3, 2), gpu))


COMPANY: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "sum": lambda x, a: x + a,
    "reflected": lambda x, a: a - x,
    "quotient": lambda x, a: x / a,
    "product": lambda x, a: a @ x,
    "lists": lambda x, a: [1, 2, 3] * x,
    "number": lambda x, a: np.float32(2) * x / 3,
}


@pytest.mark.parametrize("name", COMPANY)
def test_operands_that_are_arrays_may_be_on_the_host_or_on_the_device(name: str):
    gpu, x, a = install(), distinct(3, 3).astype(np.float32), positive(3, 3).astype(np.float32)
    expected = COMPANY[name](Tensor(x), a)
    for operand in (a, gpu.from_host(a)):
        found = COMPANY[name](Tensor(gpu.from_host(x)), operand)
        assert device_of(found.array) == gpu.name
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6)


def test_gradients_of_a_tensor_that_is_used_elsewhere_come_back_to_it():
    gpu, a = install(), positive(3, 4).astype(np.float32)
    here, there = Tensor(a, requires_grad=True), Tensor(gpu.from_host(a), requires_grad=True)
    y = here * 2.0 * there + here
    (y.sum() + here.sum()).backward()
    assert here.grad is not None
    assert there.grad is not None
    assert (device_of(here.grad.array), device_of(there.grad.array)) == ("cpu", gpu.name)
    np.testing.assert_allclose(here.grad.numpy(), 2 * a + 2, rtol=1e-6)
    np.testing.assert_allclose(there.grad.numpy(), 2 * a, rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_as_on_the_cpu(name: str):
    function, predictions = LOSSES[name]
    agrees(function, [predictions])


def test_targets_and_weights_of_a_loss_may_be_on_the_device():
    gpu, loss = install(), losses.get("mse")
    targets, predictions, weights = (array.astype(np.float32) for array in (np.ones((5, 3)), ROWS, np.arange(5)))
    found = loss(gpu.from_host(targets), Tensor(gpu.from_host(predictions)), gpu.from_host(weights))
    assert found.item() == pytest.approx(loss(targets, Tensor(predictions), weights).item(), rel=1e-6)
    rows = ops.softmax_crossentropy(Tensor(gpu.from_host(predictions)), gpu.from_host(targets))
    assert device_of(rows.array) == gpu.name


@pytest.mark.parametrize("name", CASES)
def test_float64_is_refused_in_one_line_where_kernels_of_float32_run(name: str):
    (function, arrays), gpu, refused = CASES[name][0], install(), None
    try:
        results(function, [gpu.from_host(array.astype(np.float64)) for array in arrays])
    except DTypeError as error:  # anything else would come from the depths
        refused = str(error)
    assert refused is None or "float64" in refused.splitlines()[-1]
    assert refused is None or "\n" not in refused
