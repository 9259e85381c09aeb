"""What is brought to a device once, for all threads, is there before a thread with a stream of its own can read it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install

from minicnn.autograd import Parameter
from minicnn.kernels import _arrays
from minicnn.layers import Dense, Input, Rescaling, Softmax
from minicnn.models import Sequential
from minicnn.ops.resize import _weights, _weights_there
from minicnn.optimizers import SGD

pytestmark = pytest.mark.cuda_emulated
WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def device(monkeypatch) -> EmulatedDevice:
    """A device that keeps what is brought to it until it is waited for."""
    made = install()
    made.begun = []
    from_host = EmulatedDevice.from_host

    def brings(device, array):
        device.begun.append(from_host(device, array))
        return device.begun[-1]

    monkeypatch.setattr(EmulatedDevice, "from_host", brings)
    monkeypatch.setattr(EmulatedDevice, "wait", lambda device: device.begun.clear())
    _arrays._filled_there.cache_clear()
    _weights_there.cache_clear()
    return made


def moved(device: EmulatedDevice) -> list[Any]:
    parameter = Parameter(WEIGHTS.shape)
    parameter.assign(WEIGHTS)
    parameter.to(device.name)
    return [parameter.array]


def assigned(device: EmulatedDevice) -> list[Any]:
    parameter = Parameter(WEIGHTS.shape)
    parameter.to(device.name)
    parameter.assign(WEIGHTS)
    return [parameter.array]


def state_of_an_optimizer(device: EmulatedDevice) -> list[Any]:
    parameter, optimizer = Parameter(WEIGHTS.shape), SGD(0.1, momentum=0.9)
    optimizer.apply_gradients([(WEIGHTS, parameter)])
    parameter.to(device.name)
    optimizer.follow()
    return [array for slot in optimizer._slots.values() for array in slot.arrays.values()]


def gamma_that_is_not_there(device: EmulatedDevice) -> list[Any]:
    return [_arrays.filled(1, (3,), device.xp.empty((2, 3), np.float32))]


def weights_of_a_resize(device: EmulatedDevice) -> list[Any]:
    like, options = device.xp.empty((1, 4, 5, 2), np.float32), {"method": "bilinear", "antialias": False}
    return list(_weights(like.shape, like, size=(3, 2), **options))


def constants_of_a_plan(device: EmulatedDevice) -> list[Any]:
    layers = [Input((3,)), Softmax(), Rescaling(2.0), Dense(2)]
    model = Sequential(layers).to(device.name)
    model.predict(device.xp.ones((2, 3), np.float32))
    (plan,) = model._plans.values()
    return [value for item in plan.instructions for value in item.inputs if hasattr(value, "minicnn_device")]


@pytest.mark.parametrize(
    "keep",
    [
        moved,
        assigned,
        state_of_an_optimizer,
        gamma_that_is_not_there,
        weights_of_a_resize,
        constants_of_a_plan,
    ],
)
def test_it_is_waited_for(device, keep: Callable[[EmulatedDevice], list[Any]]):
    kept = keep(device)
    assert kept
    assert not [array for array in kept for begun in device.begun if array is begun]
