"""The augmentation layers that augment while training: each does its one thing, by its seed."""

import numpy as np
import pytest
from emulator.device import install

from minicnn import Tensor
from minicnn.errors import ArgumentError, ShapeError, UnsupportedError
from minicnn.kernels import device_of
from minicnn.layers import (
    Conv2D,
    Dense,
    Flatten,
    Input,
    RandomBrightness,
    RandomColorJitter,
    RandomContrast,
    RandomErasing,
    RandomFlip,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomRotation,
    RandomSaturation,
    RandomTranslation,
    RandomZoom,
    Rescaling,
)
from minicnn.models import Sequential
from minicnn.seeds import set_random_seed

X = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype(np.float32)

NOTHING = {
    "rotation": RandomRotation(0),
    "translation": RandomTranslation(0, 0),
    "zoom": RandomZoom(0),
    "brightness": RandomBrightness(0),
    "contrast": RandomContrast(0),
    "saturation": RandomSaturation((0.5, 0.5)),
    "hue": RandomHue(0),
    "erasing": RandomErasing(0),
    "colour": RandomColorJitter(),
    "grey": RandomGrayscale(0),
    "invert": RandomInvert(0),
}


def augmented(layer, x=X):
    return layer(x, training=True).numpy()


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_at_zero_strength(name):
    np.testing.assert_allclose(augmented(NOTHING[name]), X, atol=2e-4)
    np.testing.assert_array_equal(NOTHING[name](X).numpy(), X)
    assert augmented(NOTHING[name], X[:0]).shape == (0, 8, 8, 3)


@pytest.mark.parametrize(
    ("mode", "flipped"),
    [("horizontal", X[:, :, ::-1]), ("vertical", X[:, ::-1]), ("horizontal_and_vertical", X[:, ::-1, ::-1])],
)
def test_each_picture_is_flipped_or_not(mode, flipped):
    done = set()
    for seed in range(5):
        for y, x, other in zip(augmented(RandomFlip(mode, seed=seed)), X, flipped):
            assert np.array_equal(y, x) or np.array_equal(y, other)
            done.add(np.array_equal(y, x))
    assert done == {True, False}


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (RandomRotation((0.25, 0.25)), np.rot90(X, axes=(1, 2))),
        (RandomTranslation((0.5, 0.5), (-0.25, -0.25), "constant", fill_value=7.0), None),
        (RandomBrightness((0.1, 0.1)), np.clip(X + 25.5, 0, 255)),
        (RandomSaturation((0, 0)), np.repeat(X.max(-1, keepdims=True), 3, -1)),
        (RandomInvert((1, 1)), 255 - X),
        (RandomGrayscale(1), np.repeat(X @ np.array([[0.2989], [0.587], [0.114]], np.float32), 3, -1)),
        (RandomErasing((1, 1), (1, 1), fill_value=9), np.full_like(X, 9)),
    ],
)
def test_what_is_done(layer, expected):
    y = augmented(layer)
    if expected is None:
        expected = np.full_like(X, 7)
        expected[:, 4:, :6] = X[:, :4, 2:]
    np.testing.assert_allclose(y, expected, atol=1e-2)


def test_a_range_of_values_is_kept_to():
    """The same picture in another range becomes the same, in that range."""
    for layer, options in (
        (RandomBrightness, {"factor": 0.5}),
        (RandomContrast, {"factor": 0.9}),
        (RandomHue, {"factor": 0.9}),
        (RandomSaturation, {"factor": (0.2, 0.9)}),
        (RandomColorJitter, {"brightness_factor": 0.3, "contrast_factor": 0.4, "hue_factor": 0.2}),
        (RandomInvert, {}),
    ):
        bytes_ = augmented(layer(**options, seed=4))
        signed = augmented(layer(**options, seed=4, value_range=(-1, 1)), X / np.float32(127.5) - 1)
        if layer is RandomInvert:  # high - x, as Keras has it
            bytes_ = bytes_ - 127.5 * (bytes_ != X).any((1, 2, 3), keepdims=True)
        np.testing.assert_allclose((signed + 1) * 127.5, bytes_, atol=0.05)
        assert bytes_.min() >= -127.5
        assert bytes_.max() <= 255


def test_each_picture_has_a_draw_of_its_own_which_the_seed_decides():
    layer = RandomBrightness(0.2, seed=3)
    first, second = augmented(layer, np.full_like(X, 128)), augmented(layer, np.full_like(X, 128))
    assert len(np.unique(first)) == len(first)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, augmented(RandomBrightness(0.2, seed=3), np.full_like(X, 128)))


def test_channels_first():
    layer = RandomTranslation(0.5, 0.25, seed=1, data_format="channels_first")
    expected = augmented(RandomTranslation(0.5, 0.25, seed=1))
    np.testing.assert_array_equal(augmented(layer, X.transpose(0, 3, 1, 2)), expected.transpose(0, 3, 1, 2))


def test_noise_fills_a_rectangle():
    y = augmented(RandomErasing((1, 1), (0.2, 0.2), seed=1))
    for one, x in zip(y, X):
        changed = (one != x).any(-1)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert 3 <= len(rows) <= 4
        assert 3 <= len(columns) <= 4
    assert y.min() >= 0
    assert y.max() <= 255


def test_a_model_trains_behind_it_and_predicts_without():
    model = Sequential(
        [Input((8, 8, 3)), RandomFlip(seed=1), RandomRotation(0.1, seed=2), Conv2D(2, 3), Flatten(), Dense(2)]
    )
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X / 255, np.zeros((6, 2)), verbose=0, epochs=1)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    plain = Sequential([Input((8, 8, 3)), *model.layers[2:]])
    np.testing.assert_array_equal(model.predict(X, verbose=0), plain.predict(X, verbose=0))


def test_refusals():
    with pytest.raises(UnsupportedError, match=r"layer f \(RandomFlip\) has no gradient: put it before"):
        RandomFlip(name="f")(Tensor(X, requires_grad=True), training=True)
    with pytest.raises(ShapeError, match=r"layer f \(RandomFlip\) augments images \(N,H,W,C\); got \(8, 8, 3\)"):
        RandomFlip(name="f")(X[0], training=True)
    with pytest.raises(ArgumentError, match="layer f: mode must be one of 'horizontal', 'vertical'"):
        RandomFlip("sideways", name="f")(X, training=True)
    with pytest.raises(ArgumentError, match=r"layer b: factor must be a number in \[0, 1\]; it is 3"):
        RandomBrightness(3, name="b")(X, training=True)
    with pytest.raises(ShapeError, match=r"layer g \(RandomGrayscale\) takes three channels; got 1"):
        RandomGrayscale(1, name="g")(X[..., :1], training=True)


@pytest.mark.cuda_emulated
@pytest.mark.parametrize("seed", range(3))
def test_pictures_of_a_device_are_changed_as_those_of_the_host_and_stay_there(seed):
    gpu = install()
    for make in (
        lambda: RandomFlip(seed=seed),
        lambda: RandomRotation(0.2, seed=seed),
        lambda: RandomContrast(0.5, seed=seed),
        lambda: RandomErasing(seed=seed),
        lambda: RandomZoom(0.3, data_format="channels_first", seed=seed),
    ):
        x = np.moveaxis(X, -1, 1).copy() if make().arguments.get("data_format") else X
        found = make()(Tensor(gpu.from_host(x)), training=True)
        assert device_of(found.array) == gpu.name
        np.testing.assert_array_equal(found.numpy(), augmented(make(), x))


@pytest.mark.cuda_emulated
def test_a_model_with_augmentation_learns_on_a_device_what_it_learns_on_the_cpu():
    gpu, found = install(), []
    for place, move in (("cpu", np.asarray), (gpu.name, np.asarray), (gpu.name, gpu.from_host)):
        set_random_seed(2)
        layers = [Input((8, 8, 3)), RandomFlip(), RandomRotation(0.1), RandomBrightness(0.2), RandomContrast(0.3)]
        model = Sequential([*layers, Rescaling(1 / 255), Conv2D(4, 3, activation="relu"), Flatten(), Dense(2)])
        model.compile("sgd", "mse")
        history = model.to(place).fit(move(X), np.eye(2)[[0, 1, 0, 1, 0, 1]], batch_size=4, epochs=3, verbose=0)
        found.append([*history.history["loss"], *np.concatenate([w.ravel() for w in model.get_weights()])])
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-4, atol=1e-6)
    assert len({*found[0][:3]}) == 3
