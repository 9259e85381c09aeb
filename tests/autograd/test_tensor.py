"""What a tensor is made of."""

import numpy as np
import pytest

from minicnn import MinicnnError, Tensor
from minicnn.errors import DTypeError, ShapeError

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.ones(2, np.float32), np.float32),
        (np.ones(2, np.float64), np.float64),
        (np.ones(2, np.float16), np.float16),
        (np.ones(2, np.uint8), np.float32),
        (np.ones(2, bool), np.float32),
        (np.float32(1), np.float32),
        (np.int64(1), np.float32),
        ([1, 2], np.float32),
        ([1.0, 2.0], np.float64),
        (1.5, np.float64),
    ],
)
def test_dtype(given, dtype):
    tensor = Tensor(given)
    assert tensor.dtype == dtype
    np.testing.assert_array_equal(tensor.numpy(), given)


def test_a_floating_array_is_shared_not_copied():
    array = np.zeros(3, np.float32)
    assert Tensor(array).array is array
    assert np.shares_memory(Tensor(Tensor(array)).numpy(), array)


def test_sizes():
    tensor = Tensor(np.zeros((4, 5)))
    assert (tensor.shape, tensor.ndim, tensor.size, len(tensor)) == ((4, 5), 2, 20, 4)
    assert repr(Tensor([1.0], requires_grad=True)) == "Tensor(array([1.]), requires_grad=True)"
    assert float(Tensor(2.5)) == Tensor(2.5).item() == 2.5


@pytest.mark.parametrize(
    ("given", "error"),
    [([[1], [1, 2]], ShapeError), (["a"], DTypeError), ("a", DTypeError), ([None], DTypeError), ([1j], DTypeError)],
)
def test_what_is_no_array_of_numbers_is_refused(given, error):
    with pytest.raises(error, match="a tensor is made of") as caught:
        Tensor(given)
    assert isinstance(caught.value, MinicnnError)


def test_detach_shares_the_array_and_forgets_the_history():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    cut = y.detach()
    assert cut.array is y.array
    assert not cut.requires_grad
    assert cut.creator is None
    (cut * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3.0, 6.0])  # and not 2 · 3 x
