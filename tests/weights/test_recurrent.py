"""Recurrent weights as Keras 1 and CuDNN layers stored them arrive as kernel, recurrent_kernel, bias."""

import h5py
import numpy as np
import pytest

from minicnn.layers import GRU, LSTM, Bidirectional, Dense, Input, SimpleRNN, TimeDistributed
from minicnn.models import Sequential
from minicnn.weights import open_weights
from minicnn.weights.contents import contents

UNITS, CHANNELS = 3, 2
SHAPES = {"W": (CHANNELS, UNITS), "U": (UNITS, UNITS), "b": (UNITS,)}


def write(path, layers, **attributes):
    """A legacy weights file: {layer: {weight name: array}}."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        file.attrs.update(attributes)
        for layer, arrays in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in arrays]
            for name, array in arrays.items():
                group[name] = array


def gates(stem, order, seed=0, ending=""):
    """The arrays of single gates as Keras 1 had them, gate by gate."""
    generator = np.random.default_rng(seed)
    names = [(f"{stem}_{role}_{gate}{ending}", SHAPES[role]) for gate in order for role in SHAPES]
    return {name: generator.standard_normal(shape).astype("f4") for name, shape in names}


def joined(arrays, order):
    stored = {name.removesuffix(":0")[-3:]: array for name, array in arrays.items()}
    return [np.concatenate([stored[f"{role}_{gate}"] for gate in order], axis=-1) for role in SHAPES]


@pytest.mark.parametrize("ending", ["", ":0", "_1:0"])
@pytest.mark.parametrize(
    ("layer", "stored", "today"),
    [(LSTM, "icfo", "ifco"), (lambda u, name: GRU(u, reset_after=False, name=name), "zrh", "zrh")],
)
def test_gates_of_keras_1_lie_side_by_side(tmp_path, layer, stored, today, ending):
    model = Sequential([Input((4, CHANNELS)), layer(UNITS, name="rnn_1")])
    arrays = gates("rnn_1", stored, ending=ending)
    write(tmp_path / "w.h5", {"rnn_1": arrays}, keras_version="1.2.2")
    model.load_weights(tmp_path / "w.h5")
    plain = {name.replace("_1:0", ":0") if ending == "_1:0" else name: array for name, array in arrays.items()}
    for found, expected in zip(model.get_weights(), joined(plain, today), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_both_ways_in_keras_1(tmp_path):
    model = Sequential([Input((4, CHANNELS)), Bidirectional(LSTM(UNITS, name="lstm_1"), name="bidirectional_1")])
    ways = [gates(f"{way}_lstm_1", "icfo", seed) for seed, way in enumerate(("forward", "backward"))]
    write(tmp_path / "w.h5", {"bidirectional_1": ways[0] | ways[1]})
    model.load_weights(tmp_path / "w.h5")
    expected = joined(ways[0], "ifco") + joined(ways[1], "ifco")
    for found, array in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, array)


def test_simple_rnn_and_wrapped_dense_of_keras_1(tmp_path):
    layers = [SimpleRNN(UNITS, return_sequences=True, name="s"), TimeDistributed(Dense(2, name="dense_1"), name="t")]
    model = Sequential([Input((4, CHANNELS)), *layers])
    generator = np.random.default_rng(0)
    first = {f"s_{role}": generator.standard_normal(shape).astype("f4") for role, shape in SHAPES.items()}
    second = {"t_W": generator.standard_normal((UNITS, 2)).astype("f4"), "t_b": np.ones(2, "f4")}
    write(tmp_path / "w.h5", {"s": first, "t": second})
    model.load_weights(tmp_path / "w.h5")
    for found, array in zip(model.get_weights(), [*first.values(), *second.values()], strict=True):
        np.testing.assert_array_equal(found, array)


def test_gates_that_are_not_all_there_are_left_as_they_are(tmp_path):
    arrays = gates("rnn", "icfo")
    del arrays["rnn_W_c"]
    write(tmp_path / "w.h5", {"rnn": arrays})
    with open_weights(tmp_path / "w.h5") as file:
        names = [weight.name for weight in file.layers[0].weights]
    assert [name for name in names if "_W_" in name] == ["rnn_W_i", "rnn_W_f", "rnn_W_o"]


def names_in(path):
    with open_weights(path) as file:
        return {weight.name for layer in file.layers for weight in layer.weights}


def described(path):
    with open_weights(path) as file:
        found = [layer for layer in contents(file) if layer.weights]
        return [(layer.name, layer.class_name, [role for role, _ in layer.weights]) for layer in found]


def net():
    both = Bidirectional(LSTM(UNITS, return_sequences=True, name="lstm"), name="both")
    return Sequential([
        Input((4, CHANNELS)), both, TimeDistributed(Dense(3, name="dense"), name="each"), GRU(UNITS, name="gru"),
    ])  # fmt: skip


ROLES = ["kernel", "recurrent_kernel", "bias"]


def test_names_in_legacy_files_are_those_of_keras(tmp_path):
    net().save(tmp_path / "m.h5")
    places = ["both/forward_lstm/lstm_cell", "both/backward_lstm/lstm_cell", "gru/gru_cell"]
    assert names_in(tmp_path / "m.h5") == {f"{p}/{role}:0" for p in places for role in ROLES} | {
        "each/dense/kernel:0",
        "each/dense/bias:0",
    }


def test_groups_in_keras_3_files_are_those_of_keras(tmp_path):
    net().save(tmp_path / "m.keras")
    assert described(tmp_path / "m.keras") == [
        ("forward_lstm", "LSTM", ROLES),
        ("backward_lstm", "LSTM", ROLES),
        ("dense", "Dense", ["kernel", "bias"]),
        ("gru", "GRU", ROLES),
    ]
    net().save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        groups: list[str] = []
        file.visit(lambda name: groups.append(name) if name.endswith("vars/0") else None)
    assert groups == [
        "layers/bidirectional/backward_layer/cell/vars/0",
        "layers/bidirectional/forward_layer/cell/vars/0",
        "layers/gru/cell/vars/0",
        "layers/time_distributed/layer/vars/0",
    ]


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5"])
def test_weights_come_back(tmp_path, suffix):
    model, other = net(), net()
    model.save_weights(tmp_path / f"m{suffix}")
    other.load_weights(tmp_path / f"m{suffix}")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_layers_of_a_wrapper_are_known_by_name_whatever_their_order(tmp_path):
    model = Sequential([Input((4, CHANNELS)), Bidirectional(LSTM(UNITS, name="lstm"), name="both")])
    generator = np.random.default_rng(0)
    shapes = dict(zip(ROLES, [w.shape for w in model.get_weights()]))
    names = {f"both/{way}_lstm/lstm_cell_{n}/{role}:0": shape for way, n in (("backward", 2), ("forward", 1))
             for role, shape in shapes.items()}  # fmt: skip
    arrays = {name: generator.standard_normal(shape).astype("f4") for name, shape in names.items()}
    write(tmp_path / "w.h5", {"both": arrays})
    model.load_weights(tmp_path / "w.h5")
    for found, expected in zip(model.get_weights(), [*arrays.values()][3:] + [*arrays.values()][:3], strict=True):
        np.testing.assert_array_equal(found, expected)
