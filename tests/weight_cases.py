"""Model descriptions for the golden Keras files, built from their configs and recorded weights without any layer."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minicnn.weights import LayerEntry, LayerSpec, MatchPlan, WeightEntry, WeightFile, WeightSpec, open_weights
from minicnn.weights.roles import STATISTICS
from minicnn.weights.spec import leaves

FILES = Path(__file__).parent / "golden" / "files"
BASE = "tiny_legacy_weights.h5"  # bad_*, evil_* and enc_* derive from it
CONFIG_OF = {
    "tiny_nested_legacy_weights.h5": "tiny_nested_legacy.h5",
    "tiny_nested.weights.h5": "tiny_nested.keras",
    "tiny_legacy_weights_by_keras3.h5": "tiny_keras3.weights.h5",
}
ORDER = ["depthwise_kernel", "pointwise_kernel", "kernel", "alpha", "bias", "gamma", "beta", *sorted(STATISTICS)]

Arrays = dict[tuple[str, str], np.ndarray]


def recorded(name: str) -> Arrays:
    """{(layer, weight): array} that Keras recorded for a valid file; seeds are left out."""
    with np.load(FILES / f"{name}.npz") as file:
        names = json.loads(file["names"].tobytes())
        arrays = {_key(full): file[f"w{i:03d}"] for i, full in enumerate(names)}
    return {key: array for key, array in arrays.items() if array.dtype.kind == "f"}


def _key(full: str) -> tuple[str, str]:
    layer, slash, weight = full.split(":")[0].rpartition("/")
    if slash:
        return layer, weight
    match = re.fullmatch(r"(.*)_([Wb])_1", weight)  # the names of 2016
    assert match
    return match[1], {"W": "kernel", "b": "bias"}[match[2]]


def _config(name: str) -> dict | None:
    if name.startswith(("bad_", "evil_", "enc_")) and name.endswith(".h5"):
        name = BASE
    name = CONFIG_OF.get(name, name)
    beside = FILES / f"{name}.config.json"
    if beside.exists():
        return json.loads(beside.read_text())
    with open_weights(FILES / name) as file:
        return file.config


def _spec_of(config: dict, arrays: Arrays) -> LayerSpec:
    inner = config["config"]
    if "layers" not in inner:
        return _layer(inner["name"], config["class_name"], arrays)
    layers = [
        _spec_of({**layer, "config": {"name": layer.get("name"), **layer["config"]}}, arrays)
        for layer in inner["layers"]
    ]
    return LayerSpec(inner["name"], config["class_name"], layers=layers)


def _layer(name: str, class_name: str, arrays: Arrays) -> LayerSpec:
    found = [(weight, array) for (path, weight), array in arrays.items() if path == name or path.endswith(f"/{name}")]
    found.sort(key=lambda pair: ORDER.index(pair[0]))
    return LayerSpec(name, class_name, [WeightSpec(weight, a.shape, weight not in STATISTICS) for weight, a in found])


def golden_spec(name: str) -> tuple[LayerSpec, Arrays]:
    """The model that a golden file belongs to, and its recorded weights."""
    arrays = recorded(BASE if name.startswith(("bad_", "evil_")) else name)
    config = _config(name)
    if config is not None:
        return _spec_of(config, arrays), arrays
    layers = [_layer(layer, "Layer", arrays) for layer in dict.fromkeys(layer for layer, _ in arrays)]
    if name == "tiny_chunked_weight_names.h5":
        layers = [LayerSpec("inner", "Sequential", layers=layers[:-1]), layers[-1]]
    return LayerSpec("model", "Sequential", layers=layers), arrays


def check_arrays(plan: MatchPlan, spec: LayerSpec, arrays: Arrays) -> None:
    """Every weight of the spec was read, bit for bit what was recorded for it."""
    slots = [(leaf.layer.name, weight.name) for leaf in leaves(spec) for weight in leaf.layer.weights]
    read = plan.read()
    assert [index for index, _ in read] == list(range(len(arrays))) == list(range(len(slots)))
    for index, array in read:
        layer, weight = slots[index]
        expected = [a for (path, w), a in arrays.items() if w == weight and (f"/{path}").endswith(f"/{layer}")]
        assert len(expected) == 1
        np.testing.assert_array_equal(array, expected[0])


def memory_file(layers: dict[str, dict[str, np.ndarray]], file_format: str = "legacy weights") -> WeightFile:
    """A WeightFile of arrays in memory, {layer: {weight: array}}."""

    def reader(array: np.ndarray) -> Callable:
        def read(shape, dtype=np.float32):
            assert tuple(shape) == array.shape
            return np.array(array, dtype)

        return read

    entries = [
        LayerEntry(name, name, [WeightEntry(key, a.shape, "float32", reader(a)) for key, a in weights.items()])
        for name, weights in layers.items()
    ]
    return WeightFile("file.h5", file_format, entries)
