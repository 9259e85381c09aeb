"""A loss that is not finite ends fit, which says where, and leaves the weights of before; so do weights."""

import warnings

import numpy as np
import pytest
from training_cases import OPTIONS, X, Y, make, same

from minicnn import ops, training
from minicnn.callbacks import BackupAndRestore, Callback, LambdaCallback, TerminateOnNaN
from minicnn.errors import DivergedError, MinicnnError
from minicnn.layers import Activation, BatchNormalization, Dense, Flatten, Input
from minicnn.models import Model, Sequential
from minicnn.optimizers import SGD
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only


def huge():
    """A model whose first dense layer overflows in the second step, with a normalisation after it."""
    layers = [Flatten(), Dense(4, name="first"), BatchNormalization(name="norm"), Dense(3, name="last")]
    model = Sequential([Input((5, 5, 2)), *layers, Activation("softmax")])
    model.compile(SGD(0.1), "sparse_categorical_crossentropy", ["accuracy"])
    return model


class Overflow(Callback):
    """Makes the weights of a layer huge before a step."""

    def __init__(self, layer="first", step=1):
        super().__init__()
        self.layer, self.step, self.before = layer, step, None

    def on_train_batch_begin(self, batch, logs=None):
        if batch == self.step:
            weight = self.model.get_layer(self.layer).weights[0]
            weight.assign(np.full(weight.shape, 3e38, np.float32))
            self.before = self.model.get_weights()


def test_the_step_the_layer_and_the_last_checkpoint_are_named(tmp_path):
    model, overflow = huge(), Overflow()
    with np.errstate(all="ignore"), pytest.raises(DivergedError) as caught:
        model.fit(X, Y, callbacks=[overflow, BackupAndRestore(tmp_path, 1)], **OPTIONS)
    said = str(caught.value)
    checkpoint = tmp_path / "epoch00000-step000001.safetensors"
    assert said.startswith(
        "fit: in step 2 of epoch 1 the loss is nan: the first layer whose output is not finite is first ("
    )
    assert f"the model keeps the weights of before this step; the last good checkpoint is {checkpoint}; begin" in said
    assert "\n" not in said
    assert all((a == b).all() for a, b in zip(model.get_weights(), overflow.before)), "moving statistics too"
    assert training.load_weights(model, tmp_path) == checkpoint
    assert np.isfinite(model.predict(X)).all()
    assert isinstance(caught.value, MinicnnError)


def test_without_checkpoints():
    with np.errstate(all="ignore"), pytest.raises(DivergedError, match=r"before this step; begin anew"):
        huge().fit(X, Y, callbacks=Overflow(), **OPTIONS)


def test_weights_that_are_not_finite_are_named():
    model = huge()
    weight = model.get_layer("last").weights[0]
    weight.assign(np.full(weight.shape, np.nan))
    with pytest.raises(DivergedError, match=r"step 1 .* is last \(Dense\), whose kernel is not finite"):
        model.fit(X, Y, **OPTIONS)
    with pytest.raises(DivergedError, match=r"^the loss is nan: the first layer .* is last \(Dense\)"):
        model.train_on_batch(X, Y)


def test_a_frozen_layer_is_named_too():
    model = huge()
    model.get_layer("first").trainable = False
    with np.errstate(all="ignore"), pytest.raises(DivergedError, match=r"not finite is first \(Dense\)"):
        model.fit(X, Y, callbacks=Overflow(step=0), **OPTIONS)


def test_a_loss_that_is_not_finite_by_itself():
    model = make()
    model.compile("sgd", lambda y_true, y_pred: ops.activation(y_pred * 1e30, "exponential"))
    with (
        np.errstate(all="ignore"),
        pytest.raises(DivergedError, match="inf, though the outputs of all layers are finite"),
    ):
        model.fit(X, np.zeros((22, 3), np.float32), **{**OPTIONS, "validation_data": None})


def test_a_gradient_that_is_not_finite_is_seen_at_the_end_of_the_epoch():
    x = Input((50,))
    y = Dense(4, name="below")(x)
    middle = Dense(4, name="middle")
    y = Dense(3, name="above", activation="softmax")(middle(y))
    model = Model(x, y)

    model.compile(SGD(0.1, clipnorm=1.0), "sparse_categorical_crossentropy")
    middle.weights[0].regularizer = Endless()
    with np.errstate(all="ignore"), pytest.raises(DivergedError, match=r"in epoch 1 the kernel of layer middle became"):
        model.fit(X.reshape(22, 50), Y, epochs=1, batch_size=22, verbose=0)


class Endless:
    """A regularizer with a finite penalty and an infinite gradient."""

    def penalty(self, weight):
        return 0.0

    def gradient(self, weight):
        return np.full(weight.shape, np.inf, weight.dtype)


def test_terminate_on_nan_ends_training_without_an_error(tmp_path, capsys):
    model, ended = huge(), []
    end = LambdaCallback(on_train_end=lambda logs: ended.append(dict(logs)))
    backup = BackupAndRestore(tmp_path, 1)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.fit(
            X, Y, callbacks=[Overflow(), TerminateOnNaN(), backup, end], **{**OPTIONS, "validation_data": None}
        )
    assert history.epoch == [0]
    assert np.isnan(history.history["loss"][0])
    assert np.isnan(ended[0]["loss"])
    printed = capsys.readouterr()
    assert printed.out == "Batch 1: the loss is nan; training stops\n"
    assert "the first layer whose output is not finite is first (Dense)" in printed.err
    assert [path.name for path in sorted(tmp_path.glob("*.safetensors"))] == ["epoch00000-step000001.safetensors"]


def test_in_the_first_step_of_all(capsys):
    with np.errstate(all="ignore"):
        history = huge().fit(
            X, Y, callbacks=[Overflow(step=0), TerminateOnNaN()], **{**OPTIONS, "validation_data": None}
        )
    assert np.isnan(history.history["loss"][0])


def test_a_checkpoint_that_is_not_finite_is_never_written(tmp_path):
    class Spoil(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                weight = self.model.get_layer("norm").weights[2]
                weight.assign(np.full(weight.shape, np.inf))

    with pytest.raises(
        DivergedError, match=r"after 0 epochs and 3 steps the moving_mean of layer norm is not finite"
    ) as caught:
        huge().fit(X, Y, callbacks=[Spoil(), BackupAndRestore(tmp_path, 1)], **OPTIONS)
    assert "the last good one is" in str(caught.value)
    assert len(list(tmp_path.glob("*.safetensors"))) == 2


def test_training_goes_on_from_the_last_good_checkpoint(tmp_path):
    expected = huge_seeded()
    expected.fit(X, Y, **OPTIONS)
    model = huge_seeded()
    with np.errstate(all="ignore"), pytest.raises(DivergedError):
        model.fit(X, Y, callbacks=[Overflow(step=4), BackupAndRestore(tmp_path, 2)], **OPTIONS)
    model = huge_seeded()
    model.fit(X, Y, callbacks=[BackupAndRestore(tmp_path, 2)], **OPTIONS)
    assert same(model, expected)


def huge_seeded():
    set_random_seed(3)
    return huge()


def test_numbers_whose_squares_overflow_are_finite():
    assert training.all_finite(np.full(9, 1e30, np.float32))
    assert training.all_finite(np.arange(3))
    assert training.all_finite(np.zeros(0, np.float32))
    for bad in (np.nan, np.inf, -np.inf):
        assert not training.all_finite(np.array([[1.0, bad]], np.float32))
