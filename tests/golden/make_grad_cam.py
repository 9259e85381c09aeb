"""Write grad_cam_nested.keras, grad_cam_binary.keras and grad_cam.npz: Grad-CAM as TensorFlow's GradientTape finds it.

python make_grad_cam.py        (in an environment that has keras and tensorflow; the results are committed)
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

L = keras.layers
HERE = Path(__file__).parent


def nested() -> tuple[keras.Model, keras.Model, keras.Model]:
    """A base with a shortcut inside a model, a dense layer on its flattened maps, softmax as a layer of its own."""
    a = L.Input((10, 12, 3), name="pixels")
    y = L.Conv2D(6, 3, padding="same", activation="relu", name="first")(a)
    y = L.MaxPooling2D(2, name="halve")(y)
    z = L.BatchNormalization(name="norm")(L.Conv2D(6, 3, padding="same", name="second")(y))
    base = keras.Model(a, L.ReLU(name="maps")(L.Add(name="sum")([y, z])), name="base")
    x = L.Input((10, 12, 3), name="x")
    features = base(x)
    y = L.Dense(8, activation="tanh", name="hidden")(L.Flatten(name="flat")(features))
    scores = L.Dense(4, name="scores")(y)
    model = keras.Model(x, L.Softmax(name="probabilities")(scores), name="nested")
    return model, base, keras.Model(features, scores)


def binary() -> tuple[keras.Model, keras.Model, keras.Model]:
    """One probability, of the second of two classes, on depthwise and pointwise convolutions."""
    x = L.Input((9, 9, 3), name="x")
    features = L.SeparableConv2D(5, 3, strides=2, activation="relu", name="separable")(x)
    peak = L.GlobalMaxPooling2D(name="peak")(features)
    yes = L.Dense(1, activation="sigmoid", name="yes")
    model = keras.Model(x, yes(peak), name="binary")
    plain = L.Dense(1, name="plain")
    rest = keras.Model(features, plain(peak))
    return model, keras.Model(x, features), rest


def maps(features: keras.Model, rest: keras.Model, x: np.ndarray, label: int) -> np.ndarray:
    """max(0, sum of mean slope times map)."""
    with tf.GradientTape() as tape:
        found = features(x)
        tape.watch(found)
        scores = rest(found)
        score = scores[:, label] if scores.shape[1] > 1 else (2 * label - 1) * scores[:, 0]
    slopes = tape.gradient(score, found)
    alpha = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)
    return tf.nn.relu(tf.reduce_sum(alpha * found, axis=-1)).numpy()


def main() -> None:
    keras.utils.set_random_seed(3)
    generator = np.random.default_rng(0)
    kept = {}
    for model, features, rest in (nested(), binary()):
        for weight in model.weights:
            low = 0.2 if "variance" in weight.name else -0.5
            weight.assign(generator.uniform(low, 0.5, weight.shape))
        rest.layers[-1].set_weights(model.layers[-1].get_weights() or model.layers[-2].get_weights())
        x = generator.standard_normal((3, *model.input_shape[1:])).astype(np.float32)
        classes = range(max(2, model.output_shape[1]))
        kept[f"{model.name}_x"] = x
        kept[f"{model.name}_maps"] = np.stack([maps(features, rest, x, label) for label in classes])
        model.save(HERE / f"grad_cam_{model.name}.keras")
    np.savez(HERE / "grad_cam.npz", **kept)


if __name__ == "__main__":
    main()
