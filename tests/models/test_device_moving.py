"""A model that cannot be moved to a device, or back, is what it was: all of it moves, or nothing."""

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install
from emulator.memory import pool

from minicnn.errors import DeviceError, DeviceMemoryError, MinicnnError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input
from minicnn.models import Model, Sequential
from minicnn.seeds import set_random_seed

pytestmark = pytest.mark.cuda_emulated
DEVICE = "cuda-emulated"
X = np.random.default_rng(0).standard_normal((4, 6, 6, 3)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[np.arange(4) % 3]


@pytest.fixture
def device() -> EmulatedDevice:
    return install()


def trained() -> Sequential:
    """A model with an optimizer that has state."""
    set_random_seed(5)
    layers = [Conv2D(8, 3), BatchNormalization(), Flatten(), Dense(16, activation="relu"), Dense(3)]
    model = Sequential([Input((6, 6, 3)), *layers])
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    return model


def size_of(model: Model) -> int:
    return sum(weight.array.nbytes for weight in model.weights)


def state(model: Model) -> list[np.ndarray]:
    """The weights, and what the optimizer keeps of them."""
    return [*model.get_weights(), *model.optimizer.state().values()]


def same(model: Model, before: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(state(model), before, strict=True))


@pytest.mark.parametrize("share", [0.5, 1.5], ids=["weights", "the optimizer's state"])
def test_a_model_for_which_a_device_has_too_little_memory_stays_where_it_is(device, monkeypatch, share):
    model, twin = trained(), trained()
    before, used = state(model), pool.used
    monkeypatch.setattr(pool, "limit", used + int(share * size_of(model)))
    with pytest.raises(DeviceMemoryError, match=rf"model {model.name}: the memory that {DEVICE} has left") as error:
        model.to(DEVICE)
    assert "\n" not in str(error.value)
    del error
    assert model.device == "cpu"
    assert {weight.device for weight in model.weights} == {"cpu"}
    assert pool.used == used
    assert same(model, before)
    assert model.train_on_batch(X, Y) == twin.train_on_batch(X, Y)
    assert same(model, state(twin))


@pytest.mark.parametrize("fine", [3, 13], ids=["weights", "the optimizer's state"])
@pytest.mark.parametrize("kind", [MemoryError, DeviceError])
def test_a_model_that_cannot_come_back_stays_on_the_device(device, monkeypatch, fine, kind):
    model = trained().to(DEVICE)
    before = state(model)
    copies = iter(range(fine))

    def to_host(array):
        if next(copies, None) is None:
            raise kind("no more")
        return array.get()

    with monkeypatch.context() as patch:
        patch.setattr(device, "to_host", to_host)
        with pytest.raises(MinicnnError, match="no more"):
            model.to("cpu")
    assert model.device == DEVICE
    assert {weight.device for weight in model.weights} == {DEVICE}
    assert same(model, before)
    model.train_on_batch(X, Y)
    assert model.to("cpu").device == "cpu"


def test_a_model_of_moved_layers_is_made_whole_or_not_at_all(device, monkeypatch):
    body = trained().to(DEVICE)
    head = Dense(500)
    tensor = head(body.layers[-2].output)
    head.get_weights()  # which draws them: weights that nobody has looked at take no memory
    monkeypatch.setattr(pool, "limit", pool.used + 64)
    with pytest.raises(DeviceMemoryError):
        Model(body.inputs, tensor)
    assert {weight.device for weight in head.weights} == {"cpu"}
    assert {weight.device for weight in body.weights} == {DEVICE}


def test_a_layer_that_is_added_to_a_moved_model_goes_there_too(device, monkeypatch):
    model = trained().to(DEVICE)
    model.add(Dense(2))
    model.get_weights()
    with monkeypatch.context() as patch:
        patch.setattr(pool, "limit", pool.used)
        with pytest.raises(DeviceMemoryError):
            model.predict(X)
    assert model.predict(X).shape == (4, 2)
    assert {weight.device for weight in model.weights} == {DEVICE}
