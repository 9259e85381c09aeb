"""Array protocols: others see the same memory, and what they hold stays valid."""

import gc

import numpy as np
import pytest

from minicnn import Parameter, Tensor, from_dlpack

pytestmark = pytest.mark.numpy_only


@pytest.fixture
def array() -> np.ndarray:
    return np.arange(6.0, dtype=np.float32).reshape(2, 3)


def test_asarray_shares_memory(array):
    tensor = Tensor(array)
    for seen in (np.asarray(tensor), np.array(tensor, copy=False), np.from_dlpack(tensor)):
        assert np.shares_memory(seen, array)
        np.testing.assert_array_equal(seen, array)
    copied = np.array(tensor)
    assert not np.shares_memory(copied, array)


def test_array_protocol_converts_and_copies_on_request(array):
    tensor = Tensor(array)
    assert tensor.__array__(np.float64).dtype == np.float64
    assert not np.shares_memory(tensor.__array__(copy=True), array)
    assert np.shares_memory(tensor.__array__(), array)


def test_array_interface_describes_strides(array):
    tensor = Tensor(array[:, ::2])
    interface = tensor.__array_interface__
    assert interface["strides"] == (12, 8)
    assert interface["data"][0] == array.ctypes.data
    np.testing.assert_array_equal(np.asarray(tensor), array[:, ::2])


def test_from_dlpack_shares_memory(array):
    tensor = from_dlpack(array)
    assert isinstance(tensor, Tensor)
    assert np.shares_memory(tensor.array, array)
    assert np.shares_memory(from_dlpack(tensor).array, array)
    assert tensor.__dlpack_device__() == (1, 0)


@pytest.mark.parametrize("look", [np.asarray, np.from_dlpack, Parameter.numpy])
def test_a_view_of_a_parameter_outlives_a_new_assignment(look):
    parameter = Parameter((100,), initializer=lambda shape, dtype: np.full(shape, 3, dtype))
    view = look(parameter)
    assert np.shares_memory(view, parameter.array)
    assert not view.flags.writeable
    parameter.assign(np.zeros(100))
    gc.collect()
    filler = [np.full(100, 7, np.float32) for _ in range(50)]  # takes memory that was freed
    assert (view == 3).all()
    assert filler


def test_torch_shares_memory(array):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    seen = torch.from_dlpack(Tensor(array))
    seen[0, 0] = 42
    assert array[0, 0] == 42
    given = torch.ones(3)
    tensor = from_dlpack(given)
    given[1] = 5
    np.testing.assert_array_equal(tensor.numpy(), [1, 5, 1])
