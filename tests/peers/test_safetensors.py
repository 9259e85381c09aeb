"""The official package writes the same bytes, and reads what minicnn writes."""

import numpy as np
import pytest

from minicnn.layers import BatchNormalization, Conv2D, Input
from minicnn.models import Sequential
from minicnn.weights import open_weights
from minicnn.weights.safetensors import write

official = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
TYPES = ["?", "u1", "i1", "i2", "u2", "f2", "i4", "u4", "f4", "f8", "i8", "u8"]
NAMES = ["z/a", "a/z", "a.b/c", "Ä/ö", 'quote"/\\', "tab\t/\n", "\x7f/\u2028"]


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"ключ": 'a "b"\n'}])
def test_the_bytes_are_equal(metadata, tmp_path):
    generator = np.random.default_rng(0)
    shapes = [(2, 3), (), (0, 4), (5,), (1, 1, 1), (3, 1), (7,)]
    arrays = {
        f"{name}{i}": generator.integers(0, 2, shape).astype(dtype)
        for i, dtype in enumerate(TYPES)
        for name, shape in zip(NAMES, shapes)
    }
    write(tmp_path / "a", arrays, metadata)
    assert (tmp_path / "a").read_bytes() == official.save(arrays, metadata)


def test_a_models_weights_open_there(tmp_path):
    model = Sequential([Input((4, 4, 3)), Conv2D(2, 3, name="c"), BatchNormalization(name="n")])
    model.save_weights(tmp_path / "a.safetensors")
    found = official.load_file(tmp_path / "a.safetensors")
    assert sorted(found) == ["c/bias", "c/kernel", "n/beta", "n/gamma", "n/moving_mean", "n/moving_variance"]
    np.testing.assert_array_equal(found["c/kernel"], model.get_weights()[0])


def test_what_the_package_writes_opens_here(tmp_path):
    arrays = {f"{name}{i}": np.ones((2, i + 1), dtype) for i, (name, dtype) in enumerate(zip(NAMES, TYPES))}
    official.save_file(arrays, tmp_path / "a")
    with open_weights(tmp_path / "a") as file:
        found = {f"{layer.name}/{w.name}": w.read(w.shape, np.float64) for layer in file.layers for w in layer.weights}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
