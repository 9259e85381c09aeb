"""Freezing: what is frozen keeps its bits, its features are kept without changing anything, and flags count at once."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn import kernels, optimizers
from minicnn import layers as L
from minicnn.callbacks import Callback
from minicnn.data import ArrayDataset
from minicnn.models import Model, Sequential, features
from minicnn.utils import set_random_seed

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]
X = np.random.default_rng(0).standard_normal((10, 6, 6, 2)).astype(np.float32)
Y = np.arange(10) % 3
NAMES = ("conv1", "bn1", "conv2", "bn2", "head")


def net() -> Model:
    set_random_seed(3)
    x = L.Input((6, 6, 2))
    y = L.ReLU()(L.BatchNormalization(name="bn1")(L.Conv2D(3, 3, padding="same", name="conv1")(x)))
    z = L.BatchNormalization(name="bn2")(L.Conv2D(3, 3, padding="same", name="conv2")(y))
    y = L.Dropout(0.25)(L.GlobalAveragePooling2D()(L.Add()([y, z])))
    model = Model(x, L.Dense(3, activation="softmax", name="head")(y))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def freeze(model: Model, names: Any) -> None:
    for name in names:
        model.get_layer(name).trainable = False


@settings(max_examples=30)
@given(
    frozen=st.sets(st.sampled_from(NAMES), max_size=4),
    optimizer=st.sampled_from(
        [
            optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
            optimizers.RMSprop(0.1, momentum=0.5, centered=True),
            optimizers.Adam(0.1, amsgrad=True, clipnorm=1.0),
            optimizers.AdamW(0.1, weight_decay=0.1),
            optimizers.Adagrad(0.1),
        ]
    ),
    batch_size=st.sampled_from([3, 10]),
)
def test_frozen_weights_keep_their_bits(frozen, optimizer, batch_size):
    model = net()
    model.compile(type(optimizer).from_config(optimizer.get_config()), "sparse_categorical_crossentropy")
    freeze(model, frozen)
    before = {weight: weight.numpy().copy() for weight in model.weights}
    versions = {weight: weight.version for weight in model.weights}
    model.fit(X, Y, epochs=2, batch_size=batch_size, verbose=0)
    for name in NAMES:
        for weight in model.get_layer(name).weights:
            same = np.array_equal(weight.numpy(), before[weight])
            assert same == (name in frozen), f"{name} {weight.name}"
            assert name not in frozen or weight.version == versions[weight]


def fitted(monkeypatch, keep: bool, frozen: Any, **options: Any) -> Model:
    with monkeypatch.context() as patch:
        if not keep:
            patch.setattr(features.FeatureStore, "get", lambda store, split, batch, x: split.features(x))
        model = net()
        freeze(model, frozen)
        set_random_seed(9)
        model.fit(X, Y, epochs=3, batch_size=4, verbose=0, validation_data=(X, Y), **options)
    return model


@pytest.mark.parametrize("frozen", [["conv1"], ["conv1", "bn1"], ["conv1", "bn1", "conv2", "bn2"], ["bn1", "conv2"]])
def test_keeping_features_changes_no_bit(monkeypatch, frozen):
    kept, computed = (fitted(monkeypatch, keep, frozen) for keep in (True, False))
    for a, b in zip(kept.get_weights(), computed.get_weights()):
        np.testing.assert_array_equal(a, b)


def count_convolutions(model: Model, *data: Any, **options: Any) -> int:
    with kernels.record() as calls:
        model.fit(*data, verbose=0, batch_size=5, **options)
    return sum(call[0] == "conv2d" and call[1] == "forward" for call in calls)


@pytest.mark.parametrize("data", [(X, Y), (ArrayDataset(X, Y),)])
def test_the_frozen_prefix_runs_once_a_sample(data):
    model = net()
    freeze(model, ["conv1", "bn1", "conv2", "bn2"])
    one, five = (count_convolutions(model, *data, epochs=epochs) for epochs in (1, 5))
    assert one == five


@pytest.mark.parametrize("change", ["set_weights", "unfreeze"])
def test_kept_features_are_computed_anew_when_they_would_be_wrong(change):
    class Change(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            layer = self.model.get_layer("conv1")
            if epoch == 1 and change == "set_weights":
                layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
            elif epoch == 1:
                layer.trainable = True

    def run(keep: bool) -> Model:
        return fitted(pytest.MonkeyPatch(), keep, ["conv1", "bn1", "conv2", "bn2"], callbacks=[Change()])

    kept, computed = run(True), run(False)
    for a, b in zip(kept.get_weights(), computed.get_weights()):
        np.testing.assert_array_equal(a, b)
    start = net().get_layer("conv1").get_weights()[0]
    assert (kept.get_layer("conv1").get_weights()[0] != start).any()


def test_flags_count_from_the_next_step():
    changes = []

    class Toggle(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.get_layer("head").trainable = batch % 2 == 0
            self.before = self.model.get_layer("head").get_weights()[0]

        def on_train_batch_end(self, batch, logs=None):
            changes.append(bool((self.model.get_layer("head").get_weights()[0] != self.before).any()))

    net().fit(X, Y, batch_size=2, verbose=0, callbacks=[Toggle()])
    assert changes == [True, False, True, False, True]


def test_a_base_called_in_inference_mode_trains_without_moving_statistics():
    base = Sequential([L.Input((6, 6, 2)), L.Conv2D(3, 3), L.BatchNormalization(name="n")])
    x = L.Input((6, 6, 2))
    model = Model(x, L.Dense(3, "softmax")(L.GlobalAveragePooling2D()(base(x, training=False))))
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = base.get_weights()
    model.fit(X, Y, verbose=0)
    moved = [bool((a != b).any()) for a, b in zip(base.get_weights(), before)]
    assert moved == [True, True, True, True, False, False]  # kernel, bias, gamma, beta; not the statistics


@pytest.mark.parametrize("kind", [L.Dropout(0.5), L.BatchNormalization(center=False, scale=False)])
def test_what_acts_otherwise_in_training_is_not_part_of_the_frozen_prefix(kind):
    conv = L.Conv2D(3, 3)
    model = Sequential([L.Input((6, 6, 2)), conv, kind, L.Flatten(), L.Dense(3)])
    conv.trainable = False
    prefix, rest = model.program.split()
    assert [call.layer for call in prefix.calls] == [conv]
    assert rest.calls[0].layer is kind
    kind.trainable = False
    prefix, _ = model.program.split()
    assert len(prefix.calls) == (1 if isinstance(kind, L.Dropout) else 3)


def test_a_frozen_layer_behind_a_trained_one_passes_gradients():
    model = Sequential(
        [L.Input((6, 6, 2)), L.Conv2D(3, 3, name="a"), L.Conv2D(3, 3, name="b"), L.Flatten(), L.Dense(3)]
    )
    model.compile("sgd", "mse")
    model.get_layer("b").trainable = False
    before = model.get_layer("a").get_weights()[0]
    model.fit(X, np.eye(3)[Y], verbose=0)
    assert (model.get_layer("a").get_weights()[0] != before).any()


def test_training_after_unfreezing_equals_training_unfrozen():
    def run(freeze_first: bool) -> list[np.ndarray]:
        model = net()
        if freeze_first:
            model.trainable = False
            model.trainable = True
        set_random_seed(4)
        model.fit(X, Y, verbose=0)
        return model.get_weights()

    for a, b in zip(run(True), run(False)):
        np.testing.assert_array_equal(a, b)
