"""Write recurrent/keras2_*.h5 and .npz: recurrent models in files of Keras 2, and with weights as cuDNN keeps them.

python make_recurrent_keras2.py        (in an environment that has tf_keras, Keras 2's code; the results are committed)
"""

import json
from pathlib import Path

import h5py
import numpy as np
import tf_keras as keras
from tf_keras.src.saving.legacy.hdf5_format import _convert_rnn_weights

FOLDER = Path(__file__).parent / "recurrent"
L = keras.layers


def net() -> keras.Model:
    """Recurrent layers of all kinds, one with the state of another, and a CNN for every frame."""
    video = L.Input((4, 6, 6, 2), name="video")
    cnn = keras.Sequential([L.Conv2D(3, 3, activation="relu"), L.BatchNormalization(), L.Flatten()], name="cnn")
    y = L.TimeDistributed(cnn, name="each")(video)
    y = L.Bidirectional(L.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid"), name="both")(y)
    y = L.GRU(3, return_sequences=True, reset_after=False, name="old")(y)
    y = L.RNN(L.GRUCell(3), return_sequences=True, name="cell")(L.GRU(3, return_sequences=True, name="new")(y))
    y = L.TimeDistributed(L.Dense(2, activation="tanh"), name="end")(
        L.SimpleRNN(3, return_sequences=True, name="simple")(y)
    )
    rows = L.Input((4, 3), name="rows")
    z, h, c = L.LSTM(4, return_sequences=True, return_state=True, name="first")(L.Masking(name="mask")(rows))
    z = L.LSTM(4, return_sequences=True, name="second")(z, initial_state=[h, c])
    return keras.Model([video, rows], [y, z])


def cudnn() -> tuple[keras.Model, dict]:
    """The model that CuDNN layers are the same as, and their config."""
    model = keras.Sequential([
        L.Input((5, 3)), L.Bidirectional(L.LSTM(4, return_sequences=True, name="lstm"), name="both"),
        L.GRU(3, name="gru"),
    ], name="cudnn")  # fmt: skip
    common = {"trainable": True, "dtype": "float32", "go_backwards": False, "stateful": False, "return_state": False}
    lstm = {**common, "name": "lstm", "units": 4, "return_sequences": True, "unit_forget_bias": True}
    both = {"name": "both", "merge_mode": "concat", "layer": {"class_name": "CuDNNLSTM", "config": lstm}}
    gru = {**common, "name": "gru", "units": 3, "return_sequences": False}
    layers = [
        {"class_name": "Bidirectional", "config": {**both, "batch_input_shape": [None, 5, 3]}},
        {"class_name": "CuDNNGRU", "config": gru},
    ]
    return model, {"class_name": "Sequential", "config": {"name": "cudnn", "layers": layers}}


def as_cudnn_keeps_them(kind: str, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Weights of an LSTM or GRU, turned by Keras itself."""

    class Target:
        units = weights[1].shape[0]
        reset_after = True

    target = Target()
    target.__class__.__name__ = f"CuDNN{kind}"
    return _convert_rnn_weights(target, weights)


def write_cudnn(path: Path) -> keras.Model:
    model, config = cudnn()
    randomize(model)
    forward, backward = model.get_weights()[:3], model.get_weights()[3:6]
    stored = {
        "both": [("both/forward_lstm/", "LSTM", forward), ("both/backward_lstm/", "LSTM", backward)],
        "gru": [("gru/", "GRU", model.get_weights()[6:])],
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "2.2.4"
        file.attrs["backend"] = "tensorflow"
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in stored]
        for layer, parts in stored.items():
            group, names = root.create_group(layer), []
            for place, kind, weights in parts:
                roles = ("kernel", "recurrent_kernel", "bias")
                for role, array in zip(roles, as_cudnn_keeps_them(kind, weights)):
                    names.append(f"{place}{role}:0".encode())
                    group[names[-1].decode()] = array
            group.attrs["weight_names"] = names
    return model


def randomize(model: keras.Model) -> None:
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(0.2, 0.8, w.shape) * (-1) ** i for i, w in enumerate(model.get_weights())])
    for layer in model.layers:
        for weight in layer.weights:
            if "variance" in weight.name:
                weight.assign(np.abs(weight.numpy()))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    generator = np.random.default_rng(1)
    model, x = net(), generator.standard_normal((2, 4, 6, 6, 2)).astype(np.float32)
    rows = generator.standard_normal((2, 4, 3)).astype(np.float32)
    rows[0, 2:], rows[1, 0] = 0, 0
    randomize(model)
    model.save(FOLDER / "keras2_recurrent.h5")
    turned, z = write_cudnn(FOLDER / "keras2_cudnn.h5"), generator.standard_normal((2, 5, 3)).astype(np.float32)
    first, second = model.predict([x, rows], verbose=0)
    results = {"first": first, "second": second, "cudnn_y": turned.predict(z, verbose=0)}
    np.savez_compressed(FOLDER / "keras2.npz", video=x, rows=rows, cudnn_x=z, **results)


if __name__ == "__main__":
    main()
