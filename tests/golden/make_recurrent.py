"""Write recurrent/: what Keras 3 computes with recurrent layers, their wrappers and masks, and files of such models.

python make_recurrent.py        (in an environment that has Keras 3 with TensorFlow; the results are committed)
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).parent / "recurrent"
L = keras.layers
SEQUENCE = (5, 3)


def one(layer: Any, *, mask: bool = False, shape: tuple[int, ...] = SEQUENCE) -> keras.Model:
    """A layer by itself, behind a Masking where asked for."""
    x = keras.Input(shape)
    return keras.Model(x, layer(L.Masking()(x) if mask else x))


def with_states(layer: Any, count: int, *, mask: bool = False) -> keras.Model:
    """A layer with initial states as inputs."""
    x, states = keras.Input(SEQUENCE), [keras.Input((4,)) for _ in range(count)]
    return keras.Model([x, *states], layer(L.Masking()(x) if mask else x, initial_state=states))


def masks_on_their_way() -> keras.Model:
    """A mask through layers that hand it on, two of them joined, to two recurrent layers."""
    x = keras.Input(SEQUENCE)
    y = L.Dropout(0.3)(L.Dense(3, activation="relu")(L.Masking()(x)))
    y = L.Concatenate()([L.BatchNormalization()(y), L.Masking(1.0)(x)])
    y = L.GRU(4, return_sequences=True)(L.LeakyReLU()(y))
    return keras.Model(x, L.LSTM(3)(L.Add()([L.TimeDistributed(L.Dense(4))(y), y])))


def small_cnn() -> keras.Model:
    """A model for every frame."""
    x = keras.Input((6, 6, 2))
    y = L.BatchNormalization()(L.Conv2D(3, 3, activation="relu")(x))
    return keras.Model(x, L.GlobalAveragePooling2D()(y), name="frames")


def video() -> keras.Model:
    """A CNN for every frame, then recurrent layers both ways."""
    x = keras.Input((4, 6, 6, 2), name="video")
    y = L.TimeDistributed(small_cnn(), name="each")(x)
    y = L.Bidirectional(L.LSTM(4, return_sequences=True), name="both")(y)
    y = L.GRU(3, name="last", recurrent_activation="hard_sigmoid")(y)
    return keras.Model(x, L.Dense(2, name="end")(y), name="video_net")


def words() -> keras.Model:
    """Words, of which 0 is none, to the last and the mean of the states after each."""
    x = keras.Input((5,))
    y = L.LSTM(4, return_sequences=True)(L.Embedding(7, 3, mask_zero=True)(x))
    return keras.Model(x, [L.GRU(2)(y), L.GlobalAveragePooling1D()(y)])


CASES: dict[str, Callable[[], keras.Model]] = {
    "simple_rnn": lambda: one(L.SimpleRNN(4)),
    "simple_rnn_relu": lambda: one(L.SimpleRNN(4, activation="relu", use_bias=False, return_sequences=True)),
    "lstm": lambda: one(L.LSTM(4)),
    "lstm_all": lambda: one(L.LSTM(4, return_sequences=True, return_state=True, go_backwards=True, use_bias=False)),
    "lstm_activations": lambda: one(L.LSTM(4, activation="softsign", recurrent_activation="hard_sigmoid", unroll=True)),
    "lstm_softmax": lambda: one(L.LSTM(4, activation="swish", recurrent_activation="softmax")),
    "gru": lambda: one(L.GRU(4, return_sequences=True)),
    "gru_before": lambda: one(L.GRU(4, reset_after=False, return_state=True)),
    "gru_no_bias": lambda: one(L.GRU(4, use_bias=False, activation="elu", go_backwards=True)),
    "masked_simple_rnn": lambda: one(L.SimpleRNN(4, return_sequences=True), mask=True),
    "masked_lstm": lambda: one(L.LSTM(4, return_sequences=True, return_state=True), mask=True),
    "masked_lstm_backwards": lambda: one(L.LSTM(4, go_backwards=True), mask=True),
    "masked_gru": lambda: one(L.GRU(4, reset_after=False), mask=True),
    "masked_gru_zeros": lambda: one(L.GRU(4, return_sequences=True, zero_output_for_mask=True), mask=True),
    "lstm_states": lambda: with_states(L.LSTM(4, return_sequences=True), 2),
    "gru_states": lambda: with_states(L.GRU(4, return_state=True), 1),
    "masked_lstm_states": lambda: with_states(L.LSTM(4, return_sequences=True, return_state=True), 2, mask=True),
    "masked_rnn_states": lambda: with_states(L.SimpleRNN(4, return_sequences=True), 1, mask=True),
    "both_concat": lambda: one(L.Bidirectional(L.LSTM(4))),
    "both_sum": lambda: one(L.Bidirectional(L.GRU(4, return_sequences=True), merge_mode="sum")),
    "both_mul": lambda: one(L.Bidirectional(L.SimpleRNN(4, return_sequences=True), merge_mode="mul")),
    "both_ave": lambda: one(L.Bidirectional(L.LSTM(4, return_state=True), merge_mode="ave")),
    "both_none": lambda: one(L.Bidirectional(L.GRU(4, return_sequences=True), merge_mode=None)),
    "both_own": lambda: one(
        L.Bidirectional(L.LSTM(4), backward_layer=L.LSTM(4, activation="relu", go_backwards=True, name="back"))
    ),
    "both_states": lambda: with_states(L.Bidirectional(L.LSTM(4, return_state=True)), 4),
    "masked_both": lambda: one(L.Bidirectional(L.LSTM(4, return_sequences=True)), mask=True),
    "masked_both_last": lambda: one(L.Bidirectional(L.GRU(4)), mask=True),
    "each_dense": lambda: one(L.TimeDistributed(L.Dense(4, activation="relu"))),
    "each_conv": lambda: one(L.TimeDistributed(L.Conv2D(2, 3, strides=2)), shape=(3, 6, 5, 2)),
    "each_flatten": lambda: one(L.TimeDistributed(L.Flatten()), shape=(3, 6, 5, 2)),
    "each_lstm": lambda: one(L.TimeDistributed(L.LSTM(2)), shape=(2, 5, 3)),
    "each_norm": lambda: one(L.TimeDistributed(L.BatchNormalization())),
    "conv_lstm": lambda: one(
        L.ConvLSTM2D(2, 3, padding="same", strides=2, return_sequences=True, return_state=True), shape=(3, 6, 5, 2)
    ),
    "both_conv_lstm": lambda: one(L.Bidirectional(L.ConvLSTM2D(2, (2, 3))), shape=(3, 4, 5, 2)),
    "cell": lambda: one(L.RNN(L.LSTMCell(4), return_sequences=True)),
    "words": words,
    "masks": masks_on_their_way,
    "video": video,
}


def record(model: keras.Model) -> dict[str, np.ndarray]:
    """Weights, inputs, outputs, and the gradients of the sum of outputs times the gradients g that are given."""
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(0.1, 0.9, w.shape) * (1 - 2 * (i % 2) * (w.ndim > 1))
                       for i, w in enumerate(model.get_weights())])  # fmt: skip
    inputs = [generator.standard_normal((3, *t.shape[1:])).astype(np.float32) for t in model.inputs]
    if any(isinstance(layer, L.Masking) for layer in model.layers):
        inputs[0][0, 3:], inputs[0][1, [0, 2]] = 0, 0
    if any(isinstance(layer, L.Embedding) for layer in model.layers):
        inputs[0] = np.array([[1, 2, 3, 0, 0], [0, 4, 0, 5, 6], [6, 6, 1, 2, 3]], np.float32)
    tensors = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        found = model(tensors, training=False)
        outputs = found if isinstance(found, (list, tuple)) else [found]
        factors = [generator.standard_normal(y.shape).astype(np.float32) for y in outputs]
        total = tf.add_n([tf.reduce_sum(y * g) for y, g in zip(outputs, factors)])
    sources = [*tensors, *model.trainable_weights]
    gradients = tape.gradient(total, [s.value if hasattr(s, "value") else s for s in sources])
    dense = [tf.zeros_like(s) if g is None else tf.convert_to_tensor(g) for g, s in zip(gradients, sources)]
    groups = {"w": model.get_weights(), "x": inputs, "y": outputs, "g": factors, "d": dense}
    return {f"{name}{i}": np.asarray(array) for name, arrays in groups.items() for i, array in enumerate(arrays)}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    configs: dict[str, Any] = {}
    for name, make in CASES.items():
        keras.utils.clear_session()
        model = make()
        configs[name] = json.loads(model.to_json())
        arrays |= {f"{name}/{key}": array for key, array in record(model).items()}
        if name == "video":
            for file in ("video.keras", "video.h5", "video.weights.h5"):
                (model.save_weights if file.endswith("weights.h5") else model.save)(FOLDER / file)
    x, mask = keras.Input(SEQUENCE, name="x"), keras.Input(SEQUENCE[:1], dtype="bool", name="mask")
    explicit = keras.Model([x, mask], L.LSTM(2, name="l")(x, mask=mask))
    (FOLDER / "explicit_mask.json").write_text(explicit.to_json() + "\n")
    np.savez_compressed(FOLDER / "keras3.npz", **arrays)
    (FOLDER / "keras3.json").write_text(json.dumps(configs) + "\n")


if __name__ == "__main__":
    main()
