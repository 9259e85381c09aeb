"""Write keras_facts.json: what Keras 3 says about its own layers and models.

python make_keras_facts.py        (in an environment that has keras; run once, the result is committed)
"""

import inspect
import json
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.src.applications import convnext, inception_resnet_v2

CLASSES = [
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "AugMix",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Bidirectional",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM2D",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CustomScaleLayer",
    "CutMix",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dot",
    "Dropout",
    "ELU",
    "Embedding",
    "Flatten",
    "GRU",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "Identity",
    "InputLayer",
    "LSTM",
    "LayerNormalization",
    "LayerScale",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "Minimum",
    "MixUp",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SimpleRNN",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StochasticDepth",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]
APPLICATIONS = ("VGG16", "VGG19", "ResNet50", "MobileNet", "MobileNetV2")


def defaults(name: str) -> dict[str, Any]:
    """Arguments of a layer class with their defaults; "required" where there is none."""
    places = (keras.layers, inception_resnet_v2, convnext)
    cls = next(getattr(place, name) for place in places if hasattr(place, name))
    found = inspect.signature(cls.__init__).parameters.values()
    plain = [p for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
    return {p.name: "required" if p.default is p.empty else p.default for p in plain}


def random_graph(seed: int) -> dict[str, Any]:
    """A graph of Dense and Add layers: its steps (name, names of the inputs), and Keras' order of its layers."""
    rng = random.Random(seed)
    keras.utils.clear_session()
    inputs = [f"input{i}" for i in range(rng.choice([1, 1, 2, 3]))]
    tensors = {name: keras.Input((4,), name=name) for name in inputs}
    shared = [keras.layers.Dense(4, name=f"shared{i}") for i in range(2)]
    steps: list[tuple[str, list[str]]] = []
    for number in range(rng.randint(3, 14)):
        names = list(tensors)
        kind = rng.choice(["dense", "dense", "add", "shared"])
        layer: Any
        if kind == "add":
            sources = [rng.choice(names) for _ in range(rng.randint(2, 3))]
            layer = keras.layers.Add(name=f"add{number}")
        else:
            sources = [rng.choice(names[-4:])]
            layer = rng.choice(shared) if kind == "shared" else keras.layers.Dense(4, name=f"dense{number}")
        arguments = [tensors[name] for name in sources]
        tensors[f"{layer.name}@{number}"] = layer(arguments if kind == "add" else arguments[0])
        steps.append((f"{layer.name}@{number}", sources))
    names = list(tensors)
    outputs = [names[-1], *rng.sample(names[len(inputs) :], rng.choice([0, 0, 1, 2]))]
    model = keras.Model([tensors[n] for n in inputs], [tensors[n] for n in outputs])
    return {"inputs": inputs, "steps": steps, "outputs": outputs, "layers": [layer.name for layer in model.layers]}


def application(name: str) -> list[tuple[str, str]]:
    """(layer name, class) of a published architecture."""
    keras.utils.clear_session()
    model = getattr(keras.applications, name)(weights=None)
    return [(layer.name, type(layer).__name__) for layer in model.layers]


def automatic_names() -> dict[str, str]:
    """The name that the first layer of each class gets."""
    keras.utils.clear_session()
    return {name: keras.src.utils.naming.auto_name(name) for name in CLASSES}


def preprocessed() -> dict[str, list[list[float]]]:
    """preprocess_input of two pixels, in each mode."""
    pixels = np.array([[[[0.0, 127.0, 255.0], [10.0, 20.0, 30.0]]]])
    modules = {
        "caffe": keras.applications.vgg16,
        "tf": keras.applications.mobilenet,
        "torch": keras.applications.densenet,
    }
    return {mode: np.asarray(module.preprocess_input(pixels.copy()))[0, 0].tolist() for mode, module in modules.items()}


def main() -> None:
    facts = {
        "keras": keras.__version__,
        "defaults": {name: defaults(name) for name in CLASSES},
        "automatic_names": automatic_names(),
        "layers": {name: application(name) for name in APPLICATIONS},
        "graphs": [random_graph(seed) for seed in range(40)],
        "preprocessed": preprocessed(),
    }
    Path(__file__).with_name("keras_facts.json").write_text(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
