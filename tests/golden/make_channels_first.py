"""Write channels_first.npz and channels_first.keras: layers with channels first, as Keras 3 on PyTorch has them.

python make_channels_first.py        (in an environment that has keras and torch; run once, the result is committed)

TensorFlow has no such kernels for the CPU.  Averages with padding="same" are left out: on PyTorch Keras counts the
padding, on TensorFlow it does not.  The arrays are as in layers.npz.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

STEPS, IMAGE, VOLUME, FRAMES = (2, 4, 7), (2, 4, 6, 5), (2, 2, 5, 6, 4), (2, 3, 2, 5, 4)
FIRST = {"data_format": "channels_first"}
Case = tuple[str, dict[str, Any], list[tuple[int, ...]]]
ROWS = [
    ("Conv1D", {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same", "groups": 2}),
    ("Conv1D", {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "padding": "causal", "activation": "tanh"}),
    ("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}),
    ("DepthwiseConv1D", {"kernel_size": 3, "padding": "same", "depth_multiplier": 2}),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 3, "depth_multiplier": 2}),
    ("MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("AveragePooling1D", {"pool_size": 2}),
    ("GlobalMaxPooling1D", {}),
    ("GlobalAveragePooling1D", {"keepdims": True}),
    ("ZeroPadding1D", {"padding": [1, 2]}),
]
IMAGES = [
    ("Conv2D", {"filters": 6, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same", "groups": 2}),
    ("Conv2D", {"filters": 3, "kernel_size": 2, "dilation_rate": 2, "activation": "relu"}),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}),
    ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same", "depth_multiplier": 2}),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 3, "depth_multiplier": 2}),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("AveragePooling2D", {"pool_size": [3, 2], "strides": [2, 1]}),
    ("GlobalMaxPooling2D", {"keepdims": True}),
    ("GlobalAveragePooling2D", {}),
    ("ZeroPadding2D", {"padding": [[1, 0], [2, 1]]}),
    ("Cropping2D", {"cropping": [[1, 0], [2, 1]]}),
    ("UpSampling2D", {"size": [2, 3]}),
    ("UpSampling2D", {"size": 2, "interpolation": "bilinear"}),
    ("Resizing", {"height": 4, "width": 9}),
    ("CenterCrop", {"height": 3, "width": 2}),
    ("Flatten", {}),
]
VOLUMES = [
    ("Conv3D", {"filters": 3, "kernel_size": [2, 3, 2], "strides": [2, 1, 2], "padding": "same"}),
    ("MaxPooling3D", {"pool_size": [3, 2, 2], "strides": [2, 1, 2], "padding": "valid"}),
    ("AveragePooling3D", {"pool_size": 2}),
    ("GlobalAveragePooling3D", {"keepdims": True}),
    ("ZeroPadding3D", {"padding": [[1, 0], [2, 1], [0, 1]]}),
    ("Cropping3D", {"cropping": [[1, 0], [2, 1], [0, 1]]}),
    ("UpSampling3D", {"size": [2, 3, 1]}),
    ("Flatten", {}),
]
CASES: list[Case] = [
    *((name, arguments | FIRST, [STEPS]) for name, arguments in ROWS),
    *((name, arguments | FIRST, [IMAGE]) for name, arguments in IMAGES),
    *((name, arguments | FIRST, [VOLUME]) for name, arguments in VOLUMES),
    ("ConvLSTM2D", {"filters": 2, "kernel_size": [3, 2], "padding": "same", **FIRST}, [FRAMES]),
    ("ConvLSTM2D", {"filters": 2, "kernel_size": 2, "return_sequences": True, **FIRST}, [FRAMES]),
]


def of_case(name: str, arguments: dict[str, Any], shapes: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The arrays of one case."""
    rng = np.random.default_rng([len(name), *(size for shape in shapes for size in shape)])
    layer = getattr(keras.layers, name)(**arguments, dtype="float64")
    x = torch.tensor(rng.uniform(-2, 2, shapes[0]), requires_grad=True)
    layer(x)
    layer.set_weights([rng.uniform(0.2, 1.2, w.shape) for w in layer.weights])
    y = layer(x, training=False)
    dy = rng.uniform(-1, 1, tuple(y.shape))
    y.backward(torch.tensor(dy))
    arrays = {"x0": x, "y": y, "dx0": x.grad} | {f"w{i}": w.value for i, w in enumerate(layer.weights)}
    arrays |= {f"dw{i}": w.value.grad for i, w in enumerate(layer.trainable_weights)}
    return {"dy": dy} | {key: value.detach().cpu().numpy() for key, value in arrays.items()}


def network() -> keras.Model:
    """A residual network with channels first, and what lies between such layers."""
    layers = keras.layers
    x = inputs = layers.Input((3, 16, 12))
    x = layers.ZeroPadding2D(1, **FIRST)(x)
    x = layers.Conv2D(8, 3, strides=2, **FIRST)(x)
    x = shortcut = layers.ReLU()(layers.BatchNormalization(axis=1)(x))
    x = layers.SeparableConv2D(8, 3, padding="same", **FIRST)(x)
    x = layers.PReLU(shared_axes=[2, 3])(layers.GroupNormalization(2, axis=1)(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True, **FIRST)(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid", **FIRST)(gate)
    x = layers.Add()([layers.Multiply()([x, gate]), shortcut])
    x = layers.Concatenate(axis=1)([x, layers.SpatialDropout2D(0.5, **FIRST)(shortcut)])
    x = layers.MaxPooling2D(**FIRST)(x)
    x = layers.UpSampling2D(**FIRST)(layers.Conv2DTranspose(4, 2, strides=2, **FIRST)(x))
    x = layers.Dense(5)(layers.Flatten(**FIRST)(layers.Activation("swish")(x)))
    return keras.Model(inputs, x)


def main() -> None:
    folder = Path(__file__).parent
    text = np.frombuffer(json.dumps({"keras": keras.__version__, "cases": CASES}).encode(), np.uint8)
    model, rng = network(), np.random.default_rng(0)
    signs = (rng.choice([-1, 1], w.shape) if w.ndim > 1 else 1 for w in model.get_weights())
    model.set_weights([sign * rng.uniform(0.1, 0.5, w.shape) for sign, w in zip(signs, model.get_weights())])
    arrays = {f"{i}|{key}": a for i, case in enumerate(CASES) for key, a in of_case(*case).items()}
    x = rng.uniform(-1, 1, (3, 3, 16, 12)).astype(np.float32)
    model.save(folder / "channels_first.keras")
    y = model.predict(x, verbose=0)
    np.savez_compressed(folder / "channels_first.npz", cases=text, x=x, y=y, **arrays)


if __name__ == "__main__":
    main()
