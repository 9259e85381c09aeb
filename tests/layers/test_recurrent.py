"""Recurrent layers, their wrappers and masks: numbers and gradients are Keras 3's, and misuse is refused."""

import json
from typing import Any

import numpy as np
import pytest

from minicnn import Tensor
from minicnn import layers as L
from minicnn.errors import ArgumentError, ShapeError, UnsupportedError
from minicnn.models import Model, Sequential, model_from_config, model_from_json

pytestmark = pytest.mark.numpy_only


@pytest.fixture(scope="module")
def recorded(golden) -> dict[str, Any]:
    configs = json.loads((golden / "recurrent" / "keras3.json").read_text())
    with np.load(golden / "recurrent" / "keras3.npz") as file:
        arrays = dict(file)
    return {"configs": configs, "arrays": arrays}


def group(recorded: dict[str, Any], case: str, name: str) -> list[np.ndarray]:
    """The arrays of a case that have a letter."""
    arrays = recorded["arrays"]
    count = sum(key.startswith(f"{case}/{name}") for key in arrays)
    return [arrays[f"{case}/{name}{i}"] for i in range(count)]


def near(found: Any, expected: np.ndarray, tolerance: float = 1e-5) -> None:
    assert np.shape(found) == expected.shape
    assert np.linalg.norm(found - expected) <= tolerance * max(np.linalg.norm(expected), 1e-3)


CASES = [
    "simple_rnn", "simple_rnn_relu", "lstm", "lstm_all", "lstm_activations", "lstm_softmax", "gru", "gru_before",
    "gru_no_bias", "masked_simple_rnn", "masked_lstm", "masked_lstm_backwards", "masked_gru", "masked_gru_zeros",
    "lstm_states", "gru_states", "masked_lstm_states", "masked_rnn_states", "both_concat", "both_sum", "both_mul",
    "both_ave", "both_none", "both_own", "both_states", "masked_both", "masked_both_last", "each_dense", "each_conv",
    "each_flatten", "each_lstm", "each_norm", "conv_lstm", "both_conv_lstm", "cell", "words", "masks", "video",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_outputs_and_gradients_are_those_of_keras(recorded, case):
    model = model_from_config(recorded["configs"][case])
    model.set_weights(group(recorded, case, "w"))
    inputs, outputs = group(recorded, case, "x"), group(recorded, case, "y")
    found = model.predict(inputs)
    for y, expected in zip(found if isinstance(found, list) else [found], outputs, strict=True):
        near(y, expected)
    tensors = [Tensor(x, requires_grad=True) for x in inputs]
    result = model(tensors if len(tensors) > 1 else tensors[0], training=False)
    results = result if isinstance(result, list) else [result]
    sums = [(y * Tensor(g)).sum() for y, g in zip(results, group(recorded, case, "g"), strict=True)]
    total = sums[0]
    for part in sums[1:]:
        total = total + part
    total.backward()
    for source, expected in zip([*tensors, *model.trainable_weights], group(recorded, case, "d"), strict=True):
        near(np.zeros(source.shape) if source.grad is None else source.grad.numpy(), expected, 1e-4)


def test_every_case_is_recorded(recorded):
    assert list(recorded["configs"]) == CASES


@pytest.mark.parametrize("case", ["both_own", "masks", "video", "lstm_states", "each_lstm"])
def test_a_config_that_was_written_is_read_again(recorded, case):
    model = model_from_config(recorded["configs"][case])
    model.set_weights(group(recorded, case, "w"))
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    inputs = group(recorded, case, "x")
    np.testing.assert_array_equal(again.predict(inputs), model.predict(inputs))


def sequences(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("make", [L.SimpleRNN, L.LSTM, L.GRU])
def test_dropout_is_the_same_at_every_step_and_acts_in_training_alone(make):
    x = np.broadcast_to(sequences(4, 1, 8), (4, 6, 8)).copy()
    layer = make(8, dropout=0.5, return_sequences=True, recurrent_initializer="zeros", seed=1)
    if make is L.LSTM:
        layer.build(x.shape)
        layer.set_weights([w * (np.arange(32) // 8 != 1) if w.ndim == 1 else w for w in layer.get_weights()])
    assert not layer.deterministic
    still = layer(x)
    moved = layer(x, training=True).numpy()
    np.testing.assert_array_equal(layer(x).numpy(), still.numpy())
    assert np.abs(moved - still.numpy()).max() > 0.01
    if make is L.SimpleRNN:  # without a recurrent product, equal inputs with equal masks give equal outputs
        np.testing.assert_array_equal(moved, np.broadcast_to(moved[:, :1], moved.shape))
    again = make(8, dropout=0.5, return_sequences=True, recurrent_initializer="zeros", seed=1)
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x, training=True).numpy(), moved)


@pytest.mark.parametrize("make", [L.SimpleRNN, L.LSTM, L.GRU])
def test_recurrent_dropout_leaves_the_first_step_alone(make):
    x, layer = sequences(4, 5, 3), make(8, recurrent_dropout=0.5, return_sequences=True)
    still, moved = layer(x).numpy(), layer(x, training=True).numpy()
    np.testing.assert_allclose(moved[:, 0], still[:, 0], rtol=1e-6)
    assert np.abs(moved[:, 1:] - still[:, 1:]).max() > 0.01


@pytest.mark.parametrize("make", [L.GRU, lambda *args, **options: L.ConvLSTM2D(*args, 2, strides=2, **options)])
def test_recurrent_dropout_that_a_call_asks_for_is_drawn_for_each_prediction(make):
    x = L.Input((3, 4) if make is L.GRU else (3, 5, 4, 2))
    model = Model(x, make(8, recurrent_dropout=0.5, seed=1)(x, training=True))
    data = np.ones((4, *x.shape[1:]), np.float32)
    first, second = model.predict(data), model.predict(data)
    assert first.shape == (4, *model.output_shape[1:])
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_the_forget_gate_begins_open():
    layer = L.LSTM(2)
    layer.build((None, 4, 3))
    assert layer.get_weights()[2].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    layer = L.LSTM(2, unit_forget_bias=False)
    layer.build((None, 4, 3))
    assert not layer.get_weights()[2].any()


def test_freezing_a_wrapper_freezes_what_it_holds():
    layer = L.Bidirectional(L.LSTM(2))
    layer(sequences(1, 3, 2))
    layer.trainable = False
    assert not layer.trainable_weights
    assert len(layer.non_trainable_weights) == 6
    assert not L.TimeDistributed(L.Dense(2), trainable=False).layer.trainable


def test_batch_statistics_in_a_wrapper_are_those_of_each_step():
    x = sequences(6, 3, 4)
    layer = L.TimeDistributed(L.BatchNormalization(momentum=0.5))
    y = layer(x, training=True).numpy()
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-5)
    moving = np.zeros(4)
    for t in range(3):
        moving = 0.5 * moving + 0.5 * x[:, t].mean(axis=0)
    np.testing.assert_allclose(layer.layer.get_weights()[2], moving, rtol=1e-4)


def test_training_learns_which_step_counts():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((64, 6, 2)).astype(np.float32)
    y = (x[:, 0, 0] > 0).astype(np.float32)[:, None]
    model = Sequential([L.Input((6, 2)), L.Masking(), L.Bidirectional(L.GRU(6)), L.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.optimizer.learning_rate = 0.02
    before = model.evaluate(x, y)
    model.fit(x, y, epochs=12, verbose=0)
    assert model.evaluate(x, y) < 0.6 * before


def test_a_frozen_part_that_makes_masks_does_not_lose_them_in_training():
    x = sequences(8, 5, 3)
    x[:, 2:] = 0
    inputs = L.Input((5, 3))
    rows = L.Dense(3, use_bias=False, trainable=False)(L.Masking()(inputs))
    model = Model(inputs, L.Dense(1)(L.LSTM(4)(rows)))
    model.compile("sgd", "mse")
    y = model.predict(x)
    assert model.train_on_batch(x, y)[0] <= 1e-12


def masked_sequences() -> np.ndarray:
    x = sequences(2, 5, 3)
    x[0, 3:], x[1, 0] = 0, 0
    return x


def test_outputs_of_both_ways_are_0_where_nothing_counts():
    x = masked_sequences()
    y = L.Bidirectional(L.LSTM(2, return_sequences=True))(L.Masking()(x)).numpy()
    assert ((y == 0).all(axis=-1) == (x == 0).all(axis=-1)).all()


def test_masks_go_as_far_as_the_layers_let_them():
    x = L.Masking()(masked_sequences())
    kept = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]]
    for layer in (L.Dense(2), L.Dropout(0.5), L.LayerNormalization(), L.GRU(2, return_sequences=True), L.ReLU()):
        assert layer(x).mask.numpy().tolist() == kept
    for layer in (L.Flatten(), L.Reshape((5, 3)), L.GRU(2)):
        assert layer(x).mask is None
    output, state = L.GRU(2, return_sequences=True, return_state=True)(x)
    assert (output.mask.numpy().tolist(), state.mask) == (kept, None)


def test_masks_of_several_inputs_are_joined():
    one, plain = masked_sequences(), sequences(2, 5, 3)
    other = one[:, ::-1].copy()
    a, b = L.Masking()(one), L.Masking()(other)
    either = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
    assert L.Add()([a, b]).mask.numpy().tolist() == L.Concatenate()([a, b]).mask.numpy().tolist() == either
    assert L.Add()([a, plain]).mask is None
    joined = L.Concatenate(axis=1)([a, Tensor(plain)]).mask.numpy().tolist()
    assert joined == [[1, 1, 1, 0, 0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: L.LSTM(3, stateful=True, name="l"), UnsupportedError, "layer l: stateful=True.*initial_state"),
        (lambda: L.GRU(0), ArgumentError, "units"),
        (lambda: L.GRU(3, dropout=1.5), ArgumentError, "dropout"),
        (lambda: L.LSTM(3, recurrent_activation="rulu"), ArgumentError, "rulu"),
        (lambda: L.LSTM(3, name="l")(L.Input((8,))), ShapeError, r"layer l \(LSTM\) takes inputs of 3 axes"),
        (lambda: L.LSTM(3, name="l")(L.Input((5, None))), ShapeError, "layer l: the number of channels must be known"),
        (
            lambda: L.LSTM(3, name="l")(L.Input((5, 2)), initial_state=[L.Input((3,))]),
            ShapeError,
            r"layer l \(LSTM\) takes 2 initial states of shape \(3,\); got shapes \[\(3,\)\]",
        ),
        (lambda: L.GRU(3, name="g")(L.Input((5, 2)), initial_state=L.Input((4,))), ShapeError, "1 initial states"),
        (lambda: L.Bidirectional(L.Dense(3), name="b"), UnsupportedError, "layer b .*Dense; minicnn takes SimpleRNN"),
        (lambda: L.Bidirectional(3), ArgumentError, "is put around a layer; got 3"),
        (lambda: L.Bidirectional(L.LSTM(3), merge_mode="max"), ArgumentError, "merge_mode"),
        (lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3)), ArgumentError, "opposite directions"),
        (lambda: L.Bidirectional(L.LSTM(3, go_backwards=True)), ArgumentError, "opposite directions"),
        (
            lambda: L.Bidirectional(L.LSTM(3))(L.Input((5, 2)), initial_state=[L.Input((3,))]),
            ShapeError,
            "1 initial states are not two equal halves",
        ),
        (lambda: L.TimeDistributed(L.Dense(3))(L.Input((5,))), ShapeError, "3 axes or more"),
        (lambda: L.TimeDistributed("dense"), ArgumentError, "is put around a layer; got 'dense'"),
        (lambda: L.TimeDistributed(L.Conv2D(2, 3))(L.Input((5, 8))), ShapeError, "4 axes"),
    ],
)
def test_misuse_is_refused(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
