"""Write layers.npz: what Keras 3 on TensorFlow makes of layers, in float64, with the gradients of inputs and weights.

python make_layers.py        (in an environment that has keras and tensorflow; run once, the result is committed)

`cases` is the JSON list of (class, arguments, shapes of inputs).  Arrays of case i: `i|x0`, `i|w0`, ... `i|y`, `i|dy`,
`i|dx0`, `i|dw0`, ...; weights are in Keras' order, dw those of the trainable ones.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

STEPS, IMAGE, VOLUME = (2, 7, 4), (2, 6, 5, 4), (2, 5, 6, 4, 2)
ACTIVATIONS = (
    "celu",
    "hard_shrink",
    "hard_tanh",
    "log_sigmoid",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh_shrink",
)
SINGLE = ("MaxPooling3D", "AveragePooling3D", "Resizing", "CenterCrop")  # TensorFlow has no float64 for these
METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
Case = tuple[str, dict[str, Any], list[tuple[int, ...]]]


def windows() -> list[Case]:
    """Layers with windows along one axis and three."""
    one = [
        ("Conv1D", {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same", "groups": 2}),
        ("Conv1D", {"filters": 3, "kernel_size": 2, "dilation_rate": 3, "activation": "tanh"}),
        ("Conv1D", {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "padding": "causal"}),
        ("Conv1D", {"filters": 3, "kernel_size": 2, "strides": 3, "padding": "causal", "use_bias": False}),
        ("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}),
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 2, "strides": 3}),
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1}),
        ("DepthwiseConv1D", {"kernel_size": 3, "padding": "same", "depth_multiplier": 2}),
        ("DepthwiseConv1D", {"kernel_size": 3, "strides": 2}),
        ("SeparableConv1D", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2}),
        ("SeparableConv1D", {"filters": 2, "kernel_size": 2, "dilation_rate": 2}),
        ("MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}),
        ("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}),
        ("AveragePooling1D", {"pool_size": 2}),
        ("GlobalMaxPooling1D", {}),
        ("GlobalAveragePooling1D", {"keepdims": True}),
        ("ZeroPadding1D", {"padding": [1, 2]}),
        ("Cropping1D", {"cropping": [1, 2]}),
        ("UpSampling1D", {"size": 3}),
    ]
    three = [
        ("Conv3D", {"filters": 3, "kernel_size": [2, 3, 2], "strides": [2, 1, 2], "padding": "same"}),
        ("Conv3D", {"filters": 4, "kernel_size": [2, 2, 1], "activation": "relu"}),
        ("MaxPooling3D", {"pool_size": [3, 2, 2], "strides": [2, 1, 2], "padding": "same"}),
        ("AveragePooling3D", {"pool_size": [3, 2, 2], "strides": [2, 1, 2], "padding": "same"}),
        ("GlobalMaxPooling3D", {}),
        ("GlobalAveragePooling3D", {"keepdims": True}),
        ("ZeroPadding3D", {"padding": [[1, 0], [2, 1], [0, 1]]}),
        ("Cropping3D", {"cropping": [[1, 0], [2, 1], [0, 1]]}),
        ("UpSampling3D", {"size": [2, 3, 1]}),
    ]
    return [(*case, [STEPS]) for case in one] + [(*case, [VOLUME]) for case in three]


def others() -> list[Case]:
    """Normalisations, products, activations, and what changes sizes."""
    norms = [
        ("BatchNormalization", {"axis": 1, "epsilon": 0.01}),
        ("BatchNormalization", {"axis": 2, "center": False}),
        ("LayerNormalization", {"axis": [1, 2]}),
        ("LayerNormalization", {"axis": [1, -1], "epsilon": 0.01}),
        ("LayerNormalization", {"axis": -2}),
        ("GroupNormalization", {"groups": 2}),
        ("GroupNormalization", {"groups": 3, "axis": 1, "epsilon": 0.01}),
        ("GroupNormalization", {"groups": -1, "center": False}),
        ("UnitNormalization", {}),
        ("UnitNormalization", {"axis": [1, 2]}),
    ]
    sized = [
        ("CenterCrop", {"height": 3, "width": 2}),
        ("CenterCrop", {"height": 9, "width": 4}),
        *(
            ("Resizing", {"height": height, "width": width, "interpolation": method, "antialias": antialias})
            for method in METHODS
            for height, width in ((4, 9), (13, 3))
            for antialias in (False, True)
        ),
        ("Resizing", {"height": 3, "width": 7, "crop_to_aspect_ratio": True}),
        ("Resizing", {"height": 11, "width": 4, "crop_to_aspect_ratio": True, "interpolation": "bicubic"}),
        ("Resizing", {"height": 3, "width": 7, "pad_to_aspect_ratio": True, "fill_value": 0.5}),
        ("Resizing", {"height": 11, "width": 4, "pad_to_aspect_ratio": True, "interpolation": "nearest"}),
    ]
    return [
        *((*case, [IMAGE]) for case in norms + sized),
        ("Dot", {"axes": -1}, [(3, 5), (3, 5)]),
        ("Dot", {"axes": [2, 1], "normalize": True}, [(2, 3, 4), (2, 4, 5)]),
        ("Dot", {"axes": [1, 2]}, [(2, 3, 4), (2, 5, 3)]),
        ("RepeatVector", {"n": 3}, [(3, 4)]),
        *(("Activation", {"activation": name}, [(3, 9)]) for name in ACTIVATIONS),
    ]


def of_case(name: str, arguments: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The arrays of one case."""
    rng = np.random.default_rng([len(name), *(size for shape in shapes for size in shape)])
    dtype = "float32" if name in SINGLE else "float64"
    layer = getattr(keras.layers, name)(**arguments, dtype=dtype)
    xs = [tf.Variable(rng.uniform(-2, 2, shape).astype(dtype)) for shape in shapes]
    layer(xs if len(xs) > 1 else xs[0])
    layer.set_weights([rng.uniform(0.2, 1.2, w.shape) for w in layer.weights])
    with tf.GradientTape() as tape:
        y = layer(xs if len(xs) > 1 else xs[0], training=False)
        dy = rng.uniform(-1, 1, y.shape)
        total = tf.reduce_sum(tf.cast(y, "float64") * dy)
    trained = [w.value for w in layer.trainable_weights]
    gradients = tape.gradient(total, xs + trained)
    arrays = {"y": np.asarray(y), "dy": dy}
    arrays |= {f"x{i}": x.numpy() for i, x in enumerate(xs)}
    arrays |= {f"w{i}": w for i, w in enumerate(layer.get_weights())}
    arrays |= {f"dx{i}": np.asarray(g) for i, g in enumerate(gradients[: len(xs)]) if g is not None}
    return arrays | {f"dw{i}": np.asarray(g) for i, g in enumerate(gradients[len(xs) :])}


def main() -> None:
    cases = windows() + others()
    arrays = {f"{i}|{key}": a for i, case in enumerate(cases) for key, a in of_case(*case).items()}
    text = np.frombuffer(json.dumps({"keras": keras.__version__, "cases": cases}).encode(), np.uint8)
    np.savez_compressed(Path(__file__).with_name("layers.npz"), cases=text, **arrays)


if __name__ == "__main__":
    main()
