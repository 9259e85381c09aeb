"""Parameters: lazy, read-only, and versioned at every write."""

import contextlib

import numpy as np
import pytest

from minicnn import Parameter
from minicnn.errors import ShapeError

pytestmark = pytest.mark.numpy_only


class Counting:
    """An initializer that counts how often it is asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, shape, dtype):
        self.calls += 1
        return np.ones(shape, dtype)


def test_the_initializer_runs_when_the_numbers_are_first_looked_at():
    initializer = Counting()
    parameter = Parameter((2, 3), initializer=initializer, name="kernel")
    assert (parameter.shape, parameter.dtype, parameter.size, parameter.ndim) == ((2, 3), np.float32, 6, 2)
    assert initializer.calls == 0
    assert parameter.numpy().sum() == parameter.array.sum() == 6
    assert initializer.calls == 1
    assert parameter.version == 0


@pytest.mark.parametrize("write", ["assign", "adopt"])
def test_the_initializer_never_runs_when_the_numbers_are_given(write):
    initializer = Counting()
    parameter = Parameter((3,), initializer=initializer)
    getattr(parameter, write)(np.arange(3.0))
    np.testing.assert_array_equal(parameter.numpy(), [0, 1, 2])
    assert initializer.calls == 0


def test_every_write_raises_the_version():
    parameter = Parameter((2,))
    parameter.numpy()
    versions = [parameter.version]
    parameter.assign([1, 2])
    versions.append(parameter.version)
    parameter.adopt(np.ones(2, np.float32))
    versions.append(parameter.version)
    with parameter.update() as array:
        array += 1
    versions.append(parameter.version)
    with contextlib.suppress(ZeroDivisionError), parameter.update() as array:
        array += 1
        raise ZeroDivisionError
    versions.append(parameter.version)
    assert versions == sorted(set(versions))
    np.testing.assert_array_equal(parameter.numpy(), [3, 3])


def test_numbers_are_read_only_outside_update():
    parameter = Parameter((2,))
    with pytest.raises(ValueError, match="read-only"):
        parameter.numpy()[0] = 1
    with parameter.update() as array:
        array[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        parameter.numpy()[0] = 2
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 2
    assert parameter.numpy()[0] == 1


def test_assign_copies_and_casts():
    parameter, given = Parameter((2,)), np.array([1.0, 2.0])
    parameter.assign(given)
    given[0] = 9
    assert parameter.dtype == parameter.numpy().dtype == np.float32
    np.testing.assert_array_equal(parameter.numpy(), [1, 2])
    assert given.flags.writeable


def test_adopt_takes_the_array_itself():
    parameter, given = Parameter((2,)), np.ones(2, np.float32)
    parameter.adopt(given)
    assert parameter.array is given
    assert not given.flags.writeable


@pytest.mark.parametrize("write", ["assign", "adopt"])
def test_another_shape_is_refused_and_changes_nothing(write):
    parameter = Parameter((2,), name="bias")
    parameter.assign([1, 2])
    version = parameter.version
    with pytest.raises(ShapeError, match=r"^bias: expected values of shape \(2,\), got \(3,\)$"):
        getattr(parameter, write)(np.zeros(3))
    assert parameter.version == version
    np.testing.assert_array_equal(parameter.numpy(), [1, 2])


def test_requires_grad_is_the_trainable_flag_of_the_moment():
    parameter = Parameter((1,), initializer=np.ones)
    parameter.trainable = False
    assert not (parameter * 2).requires_grad
    parameter.trainable = True
    (parameter * 2).sum().backward()
    assert parameter.grad.item() == 2


@pytest.mark.parametrize("write", ["assign", "adopt"])
def test_one_number_without_axes(write):
    parameter = Parameter(())
    getattr(parameter, write)(np.array(3))
    assert parameter.numpy().shape == ()
    assert (parameter.numpy(), parameter.size) == (3, 1)
