"""Operations on tensors, and layers as activations, that minicnn writes open in Keras 3, which computes the same."""

import json
from pathlib import Path

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.errors import UnsupportedError
from minicnn.models import Model, load_model, model_from_config

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("version", ["2", "3"])
def test_operations(version, suffix, tmp_path):
    """All golden cases as one model of many outputs."""
    with np.load(Path(__file__).parents[1] / "golden" / f"operations_keras{version}.npz") as file:
        found, x = json.loads(file["cases"].tobytes()), file["x"]
    inputs, results = L.Input((4, 6, 8)), []
    for _, config in found["cases"]:
        model = model_from_config(config, found["keras"])
        try:
            model.to_json()
        except UnsupportedError:
            continue
        model.name = f"case{len(results)}"
        results.append(model(inputs))
    whole = Model(inputs, results)
    path = tmp_path / f"model{suffix}"
    whole.save(path)
    theirs = keras.models.load_model(path, compile=False)
    expected = whole.predict(x)
    assert len(expected) > 40
    for a, b in zip(theirs.predict(x, verbose=0), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    back = tmp_path / f"back{suffix}"
    theirs.save(back)
    for a, b in zip(load_model(back).predict(x), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_layers_as_activations(suffix, tmp_path):
    x = inputs = L.Input((6, 5, 3))
    x = L.Conv2D(4, 3, activation=L.LeakyReLU(0.1))(x)
    x = L.Dense(4, activation=L.ELU(0.5))(L.Activation(L.ReLU(max_value=1.5))(x))
    model = Model(inputs, L.Dense(3, activation=L.Softmax(axis=[1, -1]))(x))
    data = np.random.default_rng(0).standard_normal((2, 6, 5, 3)).astype(np.float32)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    theirs = keras.models.load_model(path, compile=False)
    np.testing.assert_allclose(theirs.predict(data, verbose=0), model.predict(data), rtol=1e-5, atol=1e-6)
    theirs.save(tmp_path / f"back{suffix}")
    np.testing.assert_allclose(load_model(tmp_path / f"back{suffix}").predict(data), model.predict(data), rtol=1e-6)
