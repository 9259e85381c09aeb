"""Models that are moved to a device and back: all of it or nothing, by callbacks too; and their copies."""

import copy
import gc
import pickle

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install
from emulator.memory import pool

from minicnn.callbacks import LambdaCallback
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
    layers = [Conv2D(8, 3, use_bias=False), BatchNormalization(), Flatten(), Dense(16, activation="relu"), Dense(3)]
    model = Sequential([Input((6, 6, 3)), *layers])
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    return model


def leave(monkeypatch: pytest.MonkeyPatch, size: int) -> int:
    """Leave so many bytes on the device; what arrays there take now."""
    gc.collect()  # what earlier tests have left would be given back in the middle
    monkeypatch.setattr(pool, "limit", pool.used + size)
    return pool.used


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
    before, used = state(model), leave(monkeypatch, int(share * size_of(model)))
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
    leave(monkeypatch, 64)
    with pytest.raises(DeviceMemoryError):
        Model(body.inputs, tensor)
    assert {weight.device for weight in head.weights} == {"cpu"}
    assert {weight.device for weight in body.weights} == {DEVICE}


def test_a_layer_that_is_added_to_a_moved_model_goes_there_too(device, monkeypatch):
    model = trained().to(DEVICE)
    model.add(Dense(2))
    model.get_weights()
    with monkeypatch.context() as patch:
        leave(patch, 0)
        with pytest.raises(DeviceMemoryError):
            model.predict(X)
    assert model.predict(X).shape == (4, 2)
    assert {weight.device for weight in model.weights} == {DEVICE}


@pytest.mark.parametrize(
    "hook", ["on_train_batch_begin", "on_train_batch_end", "on_epoch_begin", "on_epoch_end", "on_test_batch_begin"]
)
def test_a_callback_may_move_the_model_in_training(device, hook):
    moving, still = trained().to(DEVICE), trained()
    places = []

    def move(*given):
        places.append(moving.to("cpu" if len(places) % 2 == 0 else DEVICE).device)

    found = [
        model.fit(X, Y, 2, 2, 0, callbacks, validation_data=(X, Y), shuffle=False).history
        for model, callbacks in ((moving, LambdaCallback(**{hook: move})), (still, None))
    ]
    assert set(places) == {"cpu", DEVICE}
    for name, values in found[1].items():
        np.testing.assert_allclose(found[0][name], values, rtol=2e-3, err_msg=name)
    for a, b in zip(state(moving), state(still), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-4)


def test_a_callback_may_move_the_model_in_prediction(device):
    model = trained().to(DEVICE)
    expected = trained().predict(X)
    moving = LambdaCallback(on_predict_batch_begin=lambda batch, logs: model.to("cpu" if batch % 2 else DEVICE))
    np.testing.assert_allclose(model.predict(X, batch_size=1, callbacks=moving), expected, rtol=1e-4, atol=1e-5)


def test_arrays_of_a_device_that_the_model_is_not_on_are_refused(device):
    model, x = trained(), device.from_host(X)
    before = state(model)
    said = rf"model {model.name} is on cpu, and got an array on {DEVICE}: call model\.to\('{DEVICE}'\)"
    for use in (model.predict, lambda x: model.fit(x, Y, verbose=0), lambda x: model.evaluate(x, Y)):
        with pytest.raises(DeviceError, match=said):
            use(x)
    with pytest.raises(DeviceError, match=said):
        model.train_on_batch(x, Y)
    assert same(model, before)
    leaving = LambdaCallback(on_train_batch_end=lambda batch, logs: model.to("cpu"))
    with pytest.raises(DeviceError, match=said):
        model.to(DEVICE).fit(x, Y, batch_size=2, verbose=0, callbacks=leaving)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_model_on_a_device_is_on_the_cpu_and_learns_on(device, way):
    model = trained().to(DEVICE)
    model.precision = "tf32"
    made = way(model)
    assert (made.device, made.precision, model.device, model.precision) == ("cpu", "float32", DEVICE, "tf32")
    assert all(np.array_equal(a, b) for a, b in zip(made.get_weights(), model.get_weights(), strict=True))
    made.to(DEVICE).fit(X, Y, verbose=0)
