"""Write operations_<keras>.npz: functional models of single operations on tensors, as configs, with inputs and outputs.

python make_operations.py        (with keras 3 and tensorflow, for keras.ops; the results are committed)
python make_operations.py 2      (with tf_keras, Keras 2's code, for TFOpLambda and SlicingOpLambda)
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

OLD = sys.argv[1:] == ["2"]
if OLD:
    import tf_keras as keras
else:
    import keras

    K: Any = keras.ops
Case = tuple[str, Callable[[Any], Any]]  # what it is, and the function of images (N,4,6,8)
BY_BATCH_OF_ONE = np.linspace(-1, 1, 8, dtype=np.float32)


KERAS3: list[Case] = [
    ("relu", lambda x: K.relu(x - 0.5)),
    ("relu6", lambda x: K.relu6(x * 5)),
    ("sigmoid", lambda x: K.sigmoid(x)),
    ("silu", lambda x: K.silu(x)),
    ("tanh", lambda x: K.tanh(x)),
    ("softplus", lambda x: K.softplus(x)),
    ("softsign", lambda x: K.softsign(x)),
    ("selu", lambda x: K.selu(x)),
    ("elu", lambda x: K.elu(x, alpha=0.5)),
    ("gelu", lambda x: K.gelu(x)),
    ("gelu exact", lambda x: K.gelu(x, approximate=False)),
    ("leaky_relu", lambda x: K.leaky_relu(x, negative_slope=0.1)),
    ("hard_sigmoid", lambda x: K.hard_sigmoid(x)),
    ("hard_silu", lambda x: K.hard_silu(x)),
    ("log_sigmoid", lambda x: K.log_sigmoid(x)),
    ("softmax", lambda x: K.softmax(x, axis=-1)),
    ("softmax of rows", lambda x: K.softmax(x, axis=1)),
    ("log_softmax", lambda x: K.log_softmax(x)),
    ("arithmetic", lambda x: (1 - x) * 2 / (x + 3) - x),
    ("a constant array", lambda x: x * BY_BATCH_OF_ONE),
    ("a constant tensor", lambda x: x + K.convert_to_tensor(BY_BATCH_OF_ONE)),
    ("maximum", lambda x: K.maximum(x, 0.25)),
    ("minimum", lambda x: K.minimum(x, 1 - x)),
    ("abs, square", lambda x: abs(x) + K.square(x)),
    ("sqrt, rsqrt", lambda x: K.sqrt(x + 2) + K.rsqrt(x + 2)),
    ("exp, log", lambda x: K.log(K.exp(x) + 1)),
    ("reciprocal", lambda x: K.reciprocal(x + 3)),
    ("power", lambda x: x**2 + K.power(x + 2, 1.5)),
    ("clip", lambda x: K.clip(x, -0.5, 0.25)),
    ("cast", lambda x: K.cast(x, "float32") * 2),
    ("mean", lambda x: K.mean(x, axis=[1, 2])),
    ("mean of channels", lambda x: K.mean(x, axis=-1, keepdims=True)),
    ("sum", lambda x: K.sum(x, axis=(1, 3))),
    ("max", lambda x: K.max(x, axis=-1, keepdims=True)),
    ("min", lambda x: K.min(x, axis=[1, 2])),
    ("var, std", lambda x: K.var(x, axis=-1) + K.std(x, axis=-1)),
    ("normalize", lambda x: K.normalize(x, axis=-1)),
    ("normalize a row", lambda x: K.normalize(K.relu(K.reshape(x, (-1, 192)) - 5), axis=1)),
    ("reshape", lambda x: K.reshape(x, (-1, 24, 8))),
    ("transpose", lambda x: K.transpose(x, (0, 3, 1, 2))),
    ("swapaxes", lambda x: K.swapaxes(x, 1, -1)),
    ("moveaxis", lambda x: K.moveaxis(x, 1, 3)),
    ("concatenate", lambda x: K.concatenate([x, x * 2], axis=-1)),
    ("stack", lambda x: K.stack([x, x + 1], axis=1)),
    ("expand_dims", lambda x: K.expand_dims(x, 1)),
    ("squeeze", lambda x: K.squeeze(K.mean(x, axis=1, keepdims=True), axis=1)),
    ("split", lambda x: K.split(x, 2, axis=-1)[1] * 2),
    ("split at", lambda x: K.concatenate(K.split(x, [1, 3], axis=1)[::-1], axis=1)),
    ("unstack", lambda x: K.unstack(x, axis=1)[2]),
    ("slices", lambda x: x[:, 1:3, ::2]),
    ("a channel", lambda x: x[..., 0]),
    ("from the end", lambda x: x[:, -1, :, None, 1:]),
    ("flip", lambda x: K.flip(x, axis=2)),
    ("pad", lambda x: K.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]])),
    ("pad with a number", lambda x: K.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], constant_values=0.5)),
    ("reflect", lambda x: K.pad(x, [[0, 0], [1, 2], [3, 1], [0, 0]], mode="reflect")),
    ("symmetric", lambda x: K.pad(x, [[0, 0], [1, 2], [3, 1], [0, 0]], mode="symmetric")),
    ("repeat", lambda x: K.repeat(x, 2, axis=1)),
    ("tile", lambda x: K.tile(x, [1, 2, 1, 1])),
    ("matmul", lambda x: K.matmul(x, K.transpose(x, (0, 1, 3, 2)))),
    ("resize", lambda x: K.image.resize(x, (7, 5))),
    ("resize to the nearest", lambda x: K.image.resize(x, (8, 12), interpolation="nearest")),
    ("depth_to_space", lambda x: K.nn.depth_to_space(x, 2)),
    ("space_to_depth", lambda x: K.nn.space_to_depth(x, 2)),
    ("squeeze and excite", lambda x: x * K.sigmoid(K.mean(x, axis=(1, 2), keepdims=True))),
    ("instance normalisation", lambda x: (x - K.mean(x, [1, 2], True)) / K.sqrt(K.var(x, [1, 2], True) + 1e-5)),
]


KERAS2: list[Case] = [
    ("relu", lambda x: tf.nn.relu(x - 0.5)),
    ("relu6", lambda x: tf.nn.relu6(x * 5)),
    ("sigmoid", lambda x: tf.sigmoid(x)),
    ("swish", lambda x: tf.nn.swish(x)),
    ("tanh", lambda x: tf.tanh(x)),
    ("softplus", lambda x: tf.nn.softplus(x)),
    ("elu, selu", lambda x: tf.nn.elu(x) + tf.nn.selu(x)),
    ("gelu", lambda x: tf.nn.gelu(x)),
    ("gelu by tanh", lambda x: tf.nn.gelu(x, approximate=True)),
    ("leaky_relu", lambda x: tf.nn.leaky_relu(x) + tf.nn.leaky_relu(x, alpha=0.1)),
    ("softmax", lambda x: tf.nn.softmax(x)),
    ("softmax of rows", lambda x: tf.nn.softmax(x, axis=1)),
    ("log_softmax", lambda x: tf.nn.log_softmax(x)),
    ("arithmetic", lambda x: (1 - x) * 2 / (x + 3) - x),
    ("tf arithmetic", lambda x: tf.divide(tf.multiply(2.0, tf.subtract(1.0, x)), tf.add(x, 3.0))),
    ("a constant array", lambda x: x * BY_BATCH_OF_ONE),
    ("maximum", lambda x: tf.maximum(x, 0.25)),
    ("minimum", lambda x: tf.minimum(x, 1 - x)),
    ("abs, square", lambda x: tf.abs(x) + tf.square(x)),
    ("sqrt, rsqrt", lambda x: tf.sqrt(x + 2) + tf.math.rsqrt(x + 2)),
    ("exp, log", lambda x: tf.math.log(tf.exp(x) + 1)),
    ("power", lambda x: x**2 + tf.pow(x + 2, 1.5)),
    ("clip", lambda x: tf.clip_by_value(x, -0.5, 0.25)),
    ("cast", lambda x: tf.cast(x, "float32") * 2),
    ("mean", lambda x: tf.reduce_mean(x, axis=[1, 2])),
    ("mean of channels", lambda x: tf.reduce_mean(x, -1, keepdims=True)),
    ("sum", lambda x: tf.reduce_sum(x, axis=(1, 3))),
    ("max, min", lambda x: tf.reduce_max(x, axis=-1, keepdims=True) - tf.reduce_min(x, axis=-1, keepdims=True)),
    ("moments", lambda x: tf.math.reduce_variance(x, axis=-1) + tf.math.reduce_std(x, axis=-1)),
    ("l2_normalize", lambda x: tf.math.l2_normalize(x, axis=-1)),
    ("keras.backend", lambda x: keras.backend.l2_normalize(keras.backend.mean(x, axis=[1, 2]), axis=1)),
    ("reshape", lambda x: tf.reshape(x, (-1, 24, 8))),
    ("transpose", lambda x: tf.transpose(x, (0, 3, 1, 2))),
    ("concat", lambda x: tf.concat([x, x * 2], axis=-1)),
    ("stack", lambda x: tf.stack([x, x + 1], axis=1)),
    ("expand_dims", lambda x: tf.expand_dims(x, 1)),
    ("squeeze", lambda x: tf.squeeze(tf.reduce_mean(x, axis=1, keepdims=True), axis=[1])),
    ("split", lambda x: tf.split(x, 2, axis=-1)[1] * 2),
    ("split by size", lambda x: tf.concat(tf.split(x, [1, 3], axis=1)[::-1], axis=1)),
    ("unstack", lambda x: tf.unstack(x, axis=1)[2]),
    ("slices", lambda x: x[:, 1:3, ::2]),
    ("a channel", lambda x: x[..., 0]),
    ("from the end", lambda x: x[:, -1, :, tf.newaxis, 1:]),
    ("reverse", lambda x: tf.reverse(x, axis=[2])),
    ("pad", lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]])),
    ("reflect", lambda x: tf.pad(x, [[0, 0], [1, 2], [3, 1], [0, 0]], "REFLECT")),
    ("symmetric", lambda x: tf.pad(x, tf.constant([[0, 0], [1, 2], [3, 1], [0, 0]]), mode="SYMMETRIC")),
    ("repeat", lambda x: tf.repeat(x, 2, axis=1)),
    ("tile", lambda x: tf.tile(x, [1, 2, 1, 1])),
    ("matmul", lambda x: tf.matmul(x, tf.transpose(x, (0, 1, 3, 2)))),
    ("resize", lambda x: tf.image.resize(x, (7, 5))),
    ("resize to the nearest", lambda x: tf.image.resize(x, [8, 12], method="nearest")),
    ("depth_to_space", lambda x: tf.nn.depth_to_space(x, 2)),
    ("space_to_depth", lambda x: tf.nn.space_to_depth(x, 2)),
    ("squeeze and excite", lambda x: x * tf.sigmoid(tf.reduce_mean(x, axis=(1, 2), keepdims=True))),
]


def main() -> None:
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 4, 6, 8)).astype(np.float32)
    cases, arrays = [], {"x": x}
    for i, (what, function) in enumerate(KERAS2 if OLD else KERAS3):
        inputs = keras.Input((4, 6, 8))
        model = keras.Model(inputs, function(inputs))
        cases.append([what, json.loads(model.to_json())])
        arrays[f"y{i}"] = model.predict(x, verbose=0)
    text = np.frombuffer(json.dumps({"keras": keras.__version__, "cases": cases}).encode(), np.uint8)
    np.savez_compressed(Path(__file__).with_name(f"operations_keras{2 if OLD else 3}.npz"), cases=text, **arrays)


if __name__ == "__main__":
    main()
