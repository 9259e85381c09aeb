"""Models that share layers, of which one is moved to a device."""

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install

from minicnn.errors import DeviceError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input
from minicnn.models import Model
from minicnn.optimizers import SGD
from minicnn.seeds import set_random_seed

pytestmark = pytest.mark.cuda_emulated
DEVICE = "cuda-emulated"
X = np.random.default_rng(0).standard_normal((4, 6, 6, 3)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[np.arange(4) % 3]


@pytest.fixture(autouse=True)
def device() -> EmulatedDevice:
    return install()


def whole(optimizer: str | SGD = "adam") -> Model:
    set_random_seed(5)
    image = Input((6, 6, 3))
    maps = BatchNormalization(name="norm")(Conv2D(4, 3, use_bias=False, name="conv")(image))
    model = Model(image, Dense(3, name="dense")(Flatten()(maps)))
    model.compile(optimizer, "mse")
    return model


def all_of(model: Model) -> Model:
    """Another model of the same layers."""
    return Model(model.inputs, model.layers[-1].output)


def part_of(model: Model) -> Model:
    return Model(model.inputs, model.get_layer("norm").output)


def test_a_model_is_where_its_layers_were_moved_to():
    model, twin = whole(), whole()
    other, nested = all_of(model), Model(model.inputs, model(model.inputs[0]))
    for place in (DEVICE, "cpu", DEVICE):
        other.to(place)
        assert (model.device, other.device, nested.device) == (place, place, place)
        np.testing.assert_allclose(model.predict(X), twin.predict(X), rtol=2e-3, atol=1e-5)
        for each in (model, twin):
            each.fit(X, Y, batch_size=2, verbose=0, shuffle=False)
        np.testing.assert_allclose(model.evaluate(X, Y), twin.evaluate(X, Y), rtol=2e-3)
    assert nested.to("cpu").device == model.device == "cpu"


def test_rounded_products_end_where_another_model_takes_the_layers_to_the_cpu():
    model = whole().to(DEVICE)
    model.precision = "float16"
    all_of(model).to("cpu")
    assert model.precision == "float32"
    model.train_on_batch(X, Y)
    assert model.optimizer.loss_scale is None


def test_a_model_of_which_a_part_was_moved_says_so_until_it_is_moved_itself():
    model, twin = whole(), whole()
    part = part_of(model)
    for each in (model, twin):
        each.train_on_batch(X, Y)
    before = [*model.get_weights(), *model.optimizer.state().values()]
    part.to(DEVICE)
    said = (
        rf"model {model.name}: its weights are on several devices, those of layer norm on {DEVICE} and those of layer "
        rf"dense on cpu, .*: call model.to\('{DEVICE}'\) or model.to\('cpu'\)"
    )
    with pytest.raises(DeviceError, match=said):
        model.device  # noqa: B018
    for use in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(DeviceError, match=said):
            use(X, Y)
    with pytest.raises(DeviceError, match=said):
        model.predict(X)
    after = [*model.get_weights(), *model.optimizer.state().values()]
    assert all(np.array_equal(a, b) for a, b in zip(after, before, strict=True))
    assert part.predict(X).shape == (4, 4, 4, 4)
    assert model.to(DEVICE).device == part.device == DEVICE
    for each in (model, twin):
        each.train_on_batch(X, Y)
    np.testing.assert_allclose(model.predict(X), twin.predict(X), rtol=2e-3, atol=1e-5)


def test_plans_of_the_place_that_was_left_are_let_go():
    model = whole()
    other = all_of(model).to(DEVICE)
    model.predict(X)
    (plan,) = model._plans.values()
    other.to("cpu")
    model.predict(X)
    assert plan not in model._plans.values()


@pytest.mark.parametrize(
    "use", [lambda model: model.train_on_batch(X, Y), lambda model: model.optimizer.swap_averages()]
)
def test_an_optimizer_finds_parameters_that_another_model_has_moved(use):
    found = []
    for moved in (False, True):
        model = whole(SGD(0.05, 0.9, use_ema=True))
        model.train_on_batch(X, Y)
        if moved:
            all_of(model).to(DEVICE)
        use(model)
        found.append([*model.get_weights(), *model.optimizer.state().values()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-5)


def test_an_optimizer_that_was_put_aside_while_its_parameters_moved_goes_on():
    model = whole()
    optimizer = model.optimizer
    model.train_on_batch(X, Y)
    model.compile(SGD(), "mse")
    model.to(DEVICE)
    model.compile(optimizer, "mse")
    model.train_on_batch(X, Y)
    assert optimizer.iterations == 2


def test_a_summary_names_the_device_and_the_precision_that_are_not_the_defaults():
    def first_line(model: Model) -> str:
        lines: list[str] = []
        model.summary(print_fn=lines.append)
        return lines[0]

    model = whole()
    model.name = "mine"
    assert first_line(model) == "model mine"
    assert first_line(model.to(DEVICE)) == f"model mine   on {DEVICE}"
    model.precision = "tf32"
    assert first_line(model) == f"model mine   on {DEVICE}, products in tf32"
    part_of(model.to("cpu")).to(DEVICE)
    assert first_line(model) == "model mine   on several devices"
