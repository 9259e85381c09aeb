"""Random damage to whole-model files and their configs: what is loaded is a model, all else is refused."""

import io
import json
import random
import warnings
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn import MinicnnError
from minicnn import layers as L
from minicnn.models import Model, Sequential, load_model

pytestmark = pytest.mark.numpy_only
SEEDS = st.integers(0, 2**32 - 1)
VALUES: list[Any] = [
    None, 0, 1, -1, 2, 1.5, -0.5, 1e300, 10**6, 2**31, 2**63, 2**70, True, False, "", "a", "same", "valid", "relu",
    "float64", "mixed_float16", "a\ud800", "\0", [], [None], [1], [1, 2], [-1, -1], [1, 2, 3], [[1, 2], [3, 4]], [[[]]],
    [None, None, None, None], {}, {"a": 1}, {"class_name": "Dense", "config": {}}, float("nan"), float("inf"),
]  # fmt: skip
KEYS = ["name", "x", "dtype", "batch_input_shape", "trainable", "activation", "class_name", "config", "axis", "seed"]


def functional() -> Model:
    x = L.Input((6, 6, 3))
    y = L.Conv2D(4, 3, padding="same", kernel_initializer="he_normal")(L.Rescaling([0.5, 1, 2])(L.ZeroPadding2D(1)(x)))
    y = L.PReLU(shared_axes=[1, 2])(L.BatchNormalization()(y))
    y = L.Concatenate()([L.Dropout(0.5)(y) * 0.5, L.DepthwiseConv2D(3, padding="same")(y) + y])
    y = L.UpSampling2D()(L.AveragePooling2D(2, padding="same")(L.SeparableConv2D(4, 3)(y)))
    y = L.Dense(3, activation="softmax", kernel_regularizer="l2")(L.Flatten()(L.Conv2DTranspose(2, 2)(y)))
    return Model(x, y)


def sequential() -> Model:
    layers = [L.Conv2D(4, 3, kernel_constraint="MaxNorm"), L.LayerNormalization(), L.ReLU(6.0), L.MaxPooling2D()]
    inner = Sequential([L.Input((2, 2, 4)), L.Permute((2, 1, 3)), L.Reshape((-1,)), L.GaussianNoise(0.1), L.Dense(2)])
    return Sequential([L.Input((6, 6, 3)), *layers, inner])


def saved(ending: str) -> list[bytes]:
    with TemporaryDirectory() as folder:
        paths = []
        for i, model in enumerate((functional(), sequential())):
            model.compile("adam", "mse", metrics=["accuracy"])
            model.metadata = {"class_names": ["a", "b"], "preprocessing": "tf"}
            paths.append(Path(folder) / f"{i}.{ending}")
            model.save(paths[-1])
        return [path.read_bytes() for path in paths]


FILES = {ending: saved(ending) for ending in ("keras", "h5")}


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, anywhere or near the beginning; one file in ten is cut off."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(rng.choice([len(data), min(len(data), 4096)]))
        changed[place] = rng.choice([0, 255, rng.randrange(256), changed[place] ^ 1 << rng.randrange(8)])
    return bytes(changed[: rng.randrange(len(data))] if rng.random() < 0.1 else changed)


def changed_members(data: bytes, change: Any) -> bytes:
    """An archive with a sound checksum, of which `change` makes the members anew."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in nested lists and dicts."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *places(value[key])]]


def change_field(config: Any, rng: random.Random) -> None:
    container, key = rng.choice(places(config))
    other, there = rng.choice(places(config))
    value = rng.choice([rng.choice(VALUES), json.loads(json.dumps(other[there]))])
    kind = rng.random()
    if kind < 0.15:
        del container[key]
    elif kind < 0.3 and isinstance(container, dict):
        container[rng.choice(KEYS)] = value
    elif kind < 0.3:
        container.append(value)
    else:
        container[key] = value


def outcome(ending: str, data: bytes) -> str:
    """ "model", when it can be loaded, takes an empty batch and can be saved; else the refusal."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"damaged.{ending}"
        path.write_bytes(data)
        try:
            model = load_model(path)
            inputs = [np.zeros((0, *(size or 8 for size in t.shape[1:]))) for t in model.inputs]
            model.predict(inputs if len(inputs) > 1 else inputs[0])
            model.save(path)
        except MinicnnError as error:
            return str(error)
        return "model"


@pytest.mark.parametrize("ending", FILES)
@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_bytes(ending, seed):
    rng = random.Random(seed)
    assert "\n" not in outcome(ending, damaged(rng.choice(FILES[ending]), rng))


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_bytes_within_a_sound_archive(seed):
    rng = random.Random(seed)

    def change(members: dict[str, bytes]) -> None:
        name = rng.choice(list(members))
        members[name] = damaged(members[name], rng)

    assert "\n" not in outcome("keras", changed_members(rng.choice(FILES["keras"]), change))


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS)
def test_fields_of_configs(seed):
    rng = random.Random(seed)

    def change(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            change_field(config, rng)
        members["config.json"] = json.dumps(config).encode()

    assert "\n" not in outcome("keras", changed_members(rng.choice(FILES["keras"]), change))


def test_sound_files_are_models():
    for ending, files in FILES.items():
        for data in files:
            assert outcome(ending, data) == "model"
