"""Write keras2_images.h5, keras2_words.h5 and keras2_layers.npz: models of Keras 2 with layers and options of its time.

python make_keras2_layers.py        (in an environment that has tf_keras, Keras 2's code; the results are committed)
"""

from pathlib import Path

import numpy as np
from tf_keras import Sequential, layers

FOLDER = Path(__file__).parent
IMAGES = [
    layers.Input((9, 8, 3)),
    layers.RandomFlip(),
    layers.RandomHeight(0.1),
    layers.RandomCrop(6, 7),
    layers.Resizing(5, 6, crop_to_aspect_ratio=True),
    layers.Conv2D(4, 3, padding="same"),
    layers.BatchNormalization(axis=[1]),
    layers.ThresholdedReLU(theta=0.25),
    layers.GroupNormalization(2),
    layers.LayerNormalization(axis=[1, 2]),
    layers.Flatten(),
    layers.Dense(3),
]
WORDS = [
    layers.Input((9,)),
    layers.Embedding(6, 4, input_length=9),
    layers.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="hard_sigmoid"),
    layers.SeparableConv1D(4, 3, padding="causal", depth_multiplier=2),
    layers.SpatialDropout1D(0.25),
    layers.DepthwiseConv1D(2, depth_multiplier=2),
    layers.MaxPool1D(2, padding="same"),
    layers.Conv1DTranspose(3, 3, strides=2),
    layers.GlobalAvgPool1D(),
]


def main() -> None:
    rng = np.random.default_rng(0)
    arrays = {"images": rng.uniform(-1, 1, (2, 9, 8, 3)), "words": rng.integers(0, 6, (2, 9))}
    for name, row in (("images", IMAGES), ("words", WORDS)):
        model = Sequential(row)
        model.set_weights([rng.uniform(0.2, 1.2, w.shape) * rng.choice([-1, 1], w.shape[-1:]) for w in model.weights])
        statistics = [w for layer in model.layers if "batch" in layer.name for w in layer.non_trainable_weights]
        for variance in statistics[1::2]:
            variance.assign(np.abs(variance.numpy()))
        arrays[f"{name}_y"] = model.predict(arrays[name], verbose=0)
        model.save(FOLDER / f"keras2_{name}.h5")
    np.savez_compressed(FOLDER / "keras2_layers.npz", **arrays)


if __name__ == "__main__":
    main()
