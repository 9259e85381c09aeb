"""ONNX Runtime computes from recurrent layers, their masks and their states what minicnn computes."""

from typing import Any

import numpy as np
import pytest
from onnx_runs import check, run
from random_nets import outputs, randomize

from minicnn import layers as L
from minicnn.models import Model, Sequential
from minicnn.onnx import export, to_onnx

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytestmark = pytest.mark.filterwarnings("default")

RECURRENT_NODES = {"RNN", "LSTM", "GRU"}
RECURRENT = [L.SimpleRNN, L.LSTM, L.GRU]
STATES = {L.SimpleRNN: 1, L.LSTM: 2, L.GRU: 1}


@pytest.mark.parametrize("activation", ["tanh", "relu", "hard_sigmoid", "linear", "elu", "swish", "softmax"])
@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_layers_with_any_activation(kind, activation, tmp_path):
    x = L.Input((None, 3))
    gated: Any = (
        {} if kind is L.SimpleRNN else {"recurrent_activation": "softsign" if activation == "tanh" else activation}
    )
    model = Model(x, kind(4, activation=activation, **gated, return_sequences=True)(x))
    randomize(model, 3)
    check(model, tmp_path / "a.onnx", (2,), (5,))
    native = {node.op_type for node in to_onnx(model).graph.node} & RECURRENT_NODES
    assert bool(native) == (activation not in ("swish", "softmax"))


@pytest.mark.parametrize("activation", ["tanh", "swish"])
@pytest.mark.parametrize("kind", RECURRENT)
def test_states_that_are_given_and_taken(kind, activation, tmp_path):
    x, *states = [L.Input((5, 3)), *(L.Input((4,)) for _ in range(STATES[kind]))]
    options: Any = {"return_state": True, "activation": activation}
    y, *ends = kind(4, **options)(x, initial_state=states)
    both = L.Bidirectional(kind(4, **options, return_sequences=True))(x, initial_state=[*ends, *states])
    model = Model([x, *states], [y, *ends, *both])
    randomize(model, 4)
    check(model, tmp_path / "a.onnx", (3,))


def masked(kind: type, words: bool, **options: Any) -> Model:
    """A recurrent layer, and other layers that hand on or heed the mask of their sequences."""
    if words:
        x = L.Input((6,))
        y = L.Embedding(5, 3, mask_zero=True)(x)
    else:
        x = L.Input((6, 3))
        y = L.Masking(2.0)(x)
    y = L.Dense(3)(L.Dropout(0.5)(y))
    z = L.Add()([y, L.TimeDistributed(L.Dense(3))(y)])
    steps = kind(4, return_sequences=True, return_state=True, **options)(z)
    ends = [*steps, kind(2, go_backwards=True, **options)(steps[0]), L.GlobalAveragePooling1D()(y)]
    ends += [L.Bidirectional(kind(3, return_sequences=True), mode)(y) for mode in ("concat", "ave")]
    ends += L.Bidirectional(kind(3), None)(ends[-1])
    ends.append(kind(2)(L.Concatenate(axis=1)([y, L.Conv1D(3, 2)(y)])))  # which ends the mask: all steps count
    return Model(x, [*ends, L.GlobalAveragePooling1D()(L.Conv1D(2, 2)(y))])


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("kind", RECURRENT)
def test_masks(kind, words, zero, tmp_path):
    """Steps are left out at the begin, in the middle and at the end."""
    model = masked(kind, words, zero_output_for_mask=zero)
    randomize(model, 5)
    x = np.array([[0, 0, 1, 2, 3, 4], [1, 0, 2, 0, 3, 0], [4, 3, 2, 1, 0, 0], [1, 2, 3, 4, 1, 2]], np.float32)
    if not words:
        x = np.where(x[..., None] == 0, 2, np.random.default_rng(0).normal(size=(4, 6, 3))).astype(np.float32)
    export(model, tmp_path / "a.onnx")
    for found, wanted in zip(run(tmp_path / "a.onnx", x), outputs(model.predict(x)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def test_masks_of_layers_with_states(tmp_path):
    """As a Keras 2 file has them; and a mask that is inside of what each step is."""
    x, h = L.Input((6, 3)), L.Input((4,))
    layer = L.GRU(4, return_sequences=True)
    layer.masks_with_states = True
    words = L.TimeDistributed(L.GRU(2))(L.Embedding(9, 3, mask_zero=True)(L.Reshape((6, 3))(x)))
    model = Model([x, h], [layer(L.Masking(0.0)(x), initial_state=h), words])
    randomize(model, 6)
    x = np.random.default_rng(0).integers(0, 2, (5, 6, 3)).astype(np.float32)
    h = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    export(model, tmp_path / "a.onnx")
    for found, wanted in zip(run(tmp_path / "a.onnx", [x, h]), outputs(model.predict([x, h])), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_a_model_for_every_step(tmp_path):
    inner = Sequential([L.Input((6, 6, 2)), L.Conv2D(3, 3), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D()])
    x = L.Input((None, 6, 6, 2))
    y = L.TimeDistributed(inner)(x)
    z = L.LSTM(3)(L.TimeDistributed(L.GlobalAveragePooling2D())(y))
    model = Model(x, [y, z, L.ConvLSTM2D(2, 3, strides=2, return_sequences=True)(x)])
    randomize(model, 7)
    check(model, tmp_path / "a.onnx", (2,), (4,))
