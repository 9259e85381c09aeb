"""Models on a device: what they predict and learn there, how they get there and back.

In the emulator always; `pytest -m gpu` asks the same of a GPU.
"""

import numpy as np
import pytest
from emulator.device import NAME, install

from minicnn import Tensor, kernels
from minicnn.errors import ArgumentError, DeviceError, UnsupportedError
from minicnn.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    Multiply,
    Rescaling,
    UpSampling2D,
    ZeroPadding2D,
)
from minicnn.models import Model, Sequential, load_model
from minicnn.models.features import FeatureStore, SplitProgram
from minicnn.models.plan import Plan
from minicnn.optimizers import SGD
from minicnn.seeds import set_random_seed

DEVICES = [pytest.param(NAME, marks=pytest.mark.cuda_emulated), pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.fixture(params=DEVICES)
def device(request) -> kernels.Device:
    return install() if request.param == NAME else kernels.device(request.param)


def images(count: int = 6, size: int = 8) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, size, size, 3)).astype(np.float32)


def classes(count: int = 6) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[np.arange(count) % 3]


def small() -> Model:
    """A network with every kind of layer that networks for images are made of."""
    set_random_seed(7)
    x = image = Input((8, 8, 3))
    x = Rescaling(0.5, offset=-0.1)(x)
    x = ZeroPadding2D(1)(x)
    x = Conv2D(8, 3, use_bias=False)(x)
    x = y = Activation("relu")(BatchNormalization()(x))
    x = DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    x = BatchNormalization()(Conv2D(8, 1)(x))
    x = Activation("relu")(Add()([x, y]))
    gate = Dense(8, activation="sigmoid")(GlobalAveragePooling2D(keepdims=True)(x))
    x = Multiply()([x, gate])
    x = Concatenate()([MaxPooling2D()(x), AveragePooling2D()(x)])
    x = Conv2DTranspose(4, 3, strides=2, padding="same", activation="swish")(x)
    x = UpSampling2D()(MaxPooling2D()(x))
    x = Dropout(0.25)(Flatten()(x))
    return Model(image, Dense(3, activation="softmax")(x))


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_predictions_are_those_of_the_cpu(device, monkeypatch):
    model = small()
    expected, captured, capture = model.predict(images()), [], device.capture
    monkeypatch.setattr(device, "capture", lambda work: captured.append(capture(work)) or captured[-1])
    assert model.to(device.name) is model
    for run in range(3):  # operation by operation, captured, and launched again
        with kernels.record() as calls:
            found = model.predict(images())
        assert type(found) is np.ndarray
        assert distance(found, expected) < 1e-5
        assert {op for op, *_ in calls} > {"conv2d", "dense", "maxpool2d"}
        assert len(captured) == min(run, 1)
    assert distance(model.predict(images(), batch_size=4), expected) < 1e-5
    np.testing.assert_array_equal(model.to("cpu").predict(images()), expected)


def test_predictions_follow_the_weights(device):
    model = small().to(device.name)
    for _ in range(3):
        model.predict(images())
        model.set_weights([weight * 0.9 + 0.01 for weight in model.get_weights()])
        expected = np.array(model(Tensor(images()), training=False).numpy())
        assert distance(model.predict(images()), expected) < 1e-5


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw", "adagrad"])
def test_training_learns_what_it_learns_on_the_cpu(device, optimizer):
    histories, weights = [], []
    for place in ("cpu", device.name):
        model = small()
        model.compile(optimizer, "categorical_crossentropy", ["accuracy"])
        model.to(place)
        set_random_seed(1)
        history = model.fit(images(), classes(), batch_size=4, epochs=2, validation_data=(images(), classes()))
        histories.append(history.history)
        weights.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=2e-3, err_msg=name)
    assert distance(weights[1], weights[0]) < 2e-3


def test_penalties_and_constraints_are_those_of_the_cpu(device):
    found = []
    for place in ("cpu", device.name):
        set_random_seed(7)
        convolution = Conv2D(4, 3, kernel_regularizer="l1_l2", kernel_constraint="max_norm")
        model = Sequential([Input((8, 8, 3)), convolution, Flatten(), Dense(3, "softmax", bias_regularizer="l2")])
        model.compile("sgd", "categorical_crossentropy")
        losses = model.to(place).fit(images(), classes(), epochs=3, shuffle=False, verbose=0).history["loss"]
        found.append(np.concatenate([losses, *(w.ravel() for w in model.get_weights())]))
    assert distance(found[1], found[0]) < 1e-5


def test_a_gradient_on_another_device_is_refused_before_a_parameter_changes(device):
    model = Sequential([Input((3,)), Dense(2)]).to(device.name)
    kernel, bias = model.trainable_weights
    before, ones = kernel.numpy(), [np.ones(weight.shape, np.float32) for weight in (kernel, bias)]
    with pytest.raises(DeviceError, match=f"gradient of 'bias' is on cpu, the parameter on {device.name}"):
        SGD(0.1).apply_gradients([(device.from_host(ones[0]), kernel), (ones[1], bias)])
    assert np.array_equal(kernel.numpy(), before)


def test_an_optimizer_moves_with_its_model_and_goes_on(device):
    found = []
    for moved in (False, True):
        model = small()
        model.compile("adam", "categorical_crossentropy")
        for step in range(4):
            if moved:
                model.to(device.name if step % 2 else "cpu")
            set_random_seed(step)
            model.train_on_batch(images(), classes())
        found.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    assert distance(*found) < 2e-3


def test_the_frozen_part_of_a_model_is_a_plan_there_too(device):
    model = small()
    for layer in model.layers[:6]:
        layer.trainable = False
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_weights()
    model.to(device.name).fit(images(), classes(), epochs=2)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
    assert any(changed)
    assert not any(changed[: len([w for layer in model.layers[:6] for w in layer.weights])])


def test_features_of_arrays_of_the_device_are_kept_on_the_host(device):
    weights = []
    for move in (np.asarray, device.from_host):
        model = small()
        for layer in model.layers[:6]:
            layer.trainable = False
        model.compile("sgd", "categorical_crossentropy")
        model.to(device.name).fit(move(images()), classes(), epochs=3, batch_size=4, shuffle=False, verbose=0)
        weights.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    assert np.array_equal(*weights)


def test_features_change_no_bit_by_being_kept(device):
    """What follows them and has no weights computes where they are."""
    x, y, weights = device.from_host(images()), classes(), []
    for data in ((x, y), ([(x[:3], y[:3]), (x[3:], y[3:])],)):
        set_random_seed(7)
        layers = [Conv2D(8, 3, trainable=False), Dropout(0.3), Activation("swish"), GlobalAveragePooling2D(), Dense(3)]
        model = Sequential([Input((8, 8, 3)), *layers]).to(device.name)
        model.compile("sgd", "mse")
        model.fit(*data, epochs=3, batch_size=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_statistics_of_arrays_of_the_host_are_kept_on_the_device(device):
    """Without gamma and beta nothing brings the images there."""
    found = []
    for place in ("cpu", device.name):
        set_random_seed(7)
        model = Sequential([Input((8, 8, 3)), BatchNormalization(center=False, scale=False), Flatten(), Dense(3)])
        model.compile("sgd", "mse")
        model.to(place).train_on_batch(images(), classes())
        found.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    assert distance(found[1], found[0]) < 1e-5


def test_a_single_step_keeps_no_features(device, monkeypatch):
    model = small()  # whose first layers have no weights: the same every time
    model.compile("sgd", "categorical_crossentropy")
    kept = []
    monkeypatch.setattr(FeatureStore, "_begin", lambda *of: kept.append(of))
    model.to(device.name).train_on_batch(device.from_host(images()), classes())
    assert not kept


def test_arrays_of_the_device_go_in_and_come_out(device):
    model = small()
    expected = model.predict(images())
    found = model.to(device.name).predict(device.from_host(images()))
    assert kernels.device_of(found) == device.name
    assert distance(kernels.to_host(found), expected) < 1e-5
    called = model(Tensor(device.from_host(images())), training=False)
    assert kernels.device_of(called.array) == device.name
    assert distance(called.numpy(), expected) < 1e-5
    np.testing.assert_array_equal(model(device.from_host(images())).numpy(), called.numpy())


@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model.predict(x),
        lambda model, x: model.evaluate(x, classes()),
        lambda model, x: model.fit(x, classes(), verbose=0),
        lambda model, x: model.fit(images(), classes(), validation_data=(x, classes()), verbose=0),
        lambda model, x: model.train_on_batch(x, classes()),
        lambda model, x: model(x),
        lambda model, x: model(Tensor(x), training=True),
    ],
    ids=["predict", "evaluate", "fit", "validation", "train_on_batch", "call", "call on a tensor"],
)
def test_arrays_of_a_device_are_refused_by_a_model_of_the_host(device, use):
    model = small()
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_weights()
    with pytest.raises(DeviceError, match=f"is on cpu, and got an array on {device.name}: call model.to"):
        use(model, device.from_host(images()))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_file_says_nothing_of_the_device(device, tmp_path):
    model = small()
    expected = model.predict(images())
    model.to(device.name).save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert again.device == "cpu"
    np.testing.assert_array_equal(again.predict(images()), expected)


def test_a_model_of_moved_layers_is_where_they_are(device):
    body = small().to(device.name)
    head = Model(body.inputs, Dense(2)(body.layers[-3].output))
    assert head.device == device.name
    assert {weight.device for weight in head.weights} == {device.name}


def test_a_model_that_is_built_by_its_first_data_is_built_there(device):
    model = Sequential([Conv2D(4, 3), Flatten(), Dense(2)]).to(device.name)
    model.predict(images())
    assert {kernels.device_of(weight.array) for weight in model.weights} == {device.name}


def test_what_cannot_be_done_is_refused_and_the_model_stays_as_it_was(device):
    model = small()
    with pytest.raises(ArgumentError, match="there is no device 'gpu'"):
        model.to("gpu")
    wide = Sequential([Input((4,), dtype="float64"), Dense(2, dtype="float64")])
    with pytest.raises(UnsupportedError, match="float32"):
        wide.to(device.name)
    assert (model.device, wide.device) == ("cpu", "cpu")


@pytest.mark.parametrize("precision", kernels.PRECISIONS[1:])
def test_rounded_products_learn_about_the_same(device, precision):
    found = []
    for chosen in ("float32", precision):
        model = small().to(device.name)
        model.precision = chosen
        model.compile("sgd", "categorical_crossentropy")
        set_random_seed(1)
        model.fit(images(), classes(), batch_size=4, epochs=2)
        found.append(np.concatenate([model.predict(images()).ravel(), *(w.ravel() for w in model.get_weights())]))
    assert distance(*found) < 5e-2


def test_a_step_whose_gradients_overflow_under_float16_is_left_out(device):
    model = small().to(device.name)
    model.precision = "float16"
    model.compile("sgd", "categorical_crossentropy")
    model.optimizer.scale_loss(True)
    model.optimizer.loss_scale.value = 2.0**128  # more than float32 holds
    before = [weight.numpy() for weight in model.trainable_weights]
    model.train_on_batch(images(), classes())
    assert model.optimizer.iterations == 0
    assert model.optimizer.loss_scale.value == 2.0**127
    assert all(np.array_equal(a, weight.numpy()) for a, weight in zip(before, model.trainable_weights))
    model.optimizer.loss_scale.value = 2.0**10
    model.train_on_batch(images(), classes())
    assert model.optimizer.iterations == 1


def test_precision_is_of_a_gpu(device):
    model = small()
    with pytest.raises(UnsupportedError, match=r"model\.to\('cuda'\)"):
        model.precision = "bfloat16"
    model.precision = np.dtype("float32")  # which is equal to its name
    assert type(model.precision) is str
    model.to(device.name).precision = "bfloat16"
    assert model.to("cpu").precision == "float32"
    with pytest.raises(ArgumentError, match="precision"):
        model.precision = "float8"


def test_a_sample_of_the_last_batch_gets_the_bits_of_a_whole_one(device):
    """A long sum over few pixels is cut into more parts where there are fewer images."""
    model = Sequential([Input((16, 16, 256)), Conv2D(8, 1)]).to(device.name)
    x = np.random.default_rng(0).standard_normal((100, 16, 16, 256)).astype(np.float32)
    found = model.predict(x, batch_size=70)
    np.testing.assert_array_equal(found[70:], model.predict(np.concatenate([x[70:], x[:40]]), batch_size=70)[:30])
    split = SplitProgram(model.program, [x.shape[1:]], [x.dtype], device.name)
    split.plan = Plan(model.program, [x.shape[1:]], [x.dtype], device=device.name)
    np.testing.assert_array_equal(split.features([x[:70]])[0][:3], split.features([x[:3]])[0])
