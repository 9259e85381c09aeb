"""safetensors: what is written is what the format says, and what is not so is refused."""

import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicnn.errors import ArgumentError, FileFormatError, MinicnnError, WeightsMismatchError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Input, PReLU, SeparableConv2D
from minicnn.layers.naming import reset_names
from minicnn.models import Model, Sequential, load_model
from minicnn.weights import open_weights
from minicnn.weights.safetensors import write

pytestmark = pytest.mark.numpy_only


def raw(path: Path, header: Any, numbers: bytes = b"", length: int | None = None) -> Path:
    """A file of a header, given as text or as what is to become JSON, and bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + numbers)
    return path


def entry(dtype: str = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def stored(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file, in float64."""
    with open_weights(path) as file:
        return {f"{layer.name}/{w.name}": w.read(w.shape, np.float64) for layer in file.layers for w in layer.weights}


def test_a_file_is_laid_out_as_the_format_says(tmp_path):
    """Larger numbers first, then by name; the header filled up to 8 bytes."""
    arrays = {"b/w": np.float32([[1, 2]]), "a/w": np.float32([3]), "c/w": np.float64([4]), "é/w": np.float32(5)}
    write(tmp_path / "a.safetensors", arrays, {"format": "minicnn"})
    found = (tmp_path / "a.safetensors").read_bytes()
    header = (
        '{"__metadata__":{"format":"minicnn"},"c/w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},'
        '"a/w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b/w":{"dtype":"F32","shape":[1,2],'
        '"data_offsets":[12,20]},"é/w":{"dtype":"F32","shape":[],"data_offsets":[20,24]}}'
    ).encode()
    header += b" " * (-len(header) % 8)
    assert found == struct.pack("<Q", len(header)) + header + struct.pack("<dffff", 4, 3, 1, 2, 5)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "i2", "u2", "f2", "i4", "u4", "f4", ">f4", "f8", "i8", "u8"])
def test_every_number_type_comes_back(dtype, tmp_path):
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    write(tmp_path / "a.safetensors", {"a/w": array, "a/none": array[:0], "a/one": array[0, 1].reshape(())})
    found = stored(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(found["a/w"], array.astype(float))
    assert (found["a/none"].shape, found["a/one"].shape) == ((0, 3), ())


def test_bfloat16_and_long_arrays_come_back(tmp_path):
    values = np.float32([1.5, -2, np.inf])
    path = raw(
        tmp_path / "a", {"a/w": entry("BF16", (3,), (0, 6))}, (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    )
    np.testing.assert_array_equal(stored(path)["a/w"], values)
    long = np.arange(600_001, dtype=np.float64)  # more than is converted in one go
    write(tmp_path / "b", {"a/w": long})
    np.testing.assert_array_equal(stored(tmp_path / "b")["a/w"], long)


@pytest.mark.parametrize(
    ("header", "numbers", "said"),
    [
        (b"{", b"", "not valid JSON"),
        (b'{"a/w": \xff}', b"", "no text"),
        (b'{"a": 1, "a": 2}', b"", "twice"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, b"", "nested"),
        ({"a/w": 3}, b"", "no proper shape"),
        ({"a/w": {"dtype": "F32"}}, b"", "no proper shape"),
        ({"a/w": entry(shape=(-2,))}, bytes(8), "no proper shape"),
        ({"a/w": entry(shape=(True, 2))}, bytes(8), "no proper shape"),
        ({"a/w": entry(shape=(2.0,))}, bytes(8), "no proper shape"),
        ({"a/w": entry(shape=[1] * 40 + [2])}, bytes(8), "no proper shape"),
        ({"a/w": entry(offsets=(0, 8, 9))}, bytes(8), "no proper shape"),
        ({"a/w": entry("F8_E4M3", (8,))}, bytes(8), "convert it to F32"),
        ({"a/w": entry(["F32"])}, bytes(8), "convert it to F32"),
        ({"a/w": entry(shape=(3,))}, bytes(8), "has 8 bytes"),
        ({"a/w": entry(offsets=(8, 0))}, bytes(8), "has -8 bytes"),
        ({"a/w": entry(shape=(10**12,), offsets=(0, 4 * 10**12))}, bytes(8), "end at byte"),
        ({"a/w": entry(), "b/w": entry()}, bytes(8), "overlap"),
        ({"a/w": entry(), "b/w": entry(offsets=(4, 12))}, bytes(12), "overlap"),
        ({"a/w": entry(), "b/w": entry(offsets=(12, 20))}, bytes(20), "leave a gap"),
        ({"a/w": entry()}, bytes(4), "end at byte"),
        ({"a/w": entry()}, bytes(9), "end at byte"),
        ({"__metadata__": {"a": 1}}, b"", "does not hold texts"),
        ({"__metadata__": [1]}, b"", "does not hold texts"),
        ({f"{i}/w": entry(shape=(0,), offsets=(0, 0)) for i in range(20_001)}, b"", "more than 20000"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(header, numbers, said, tmp_path):
    with pytest.raises(FileFormatError, match=said) as refused:
        open_weights(raw(tmp_path / "a.safetensors", header, numbers))
    assert "a.safetensors" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("length", "said"), [(10**6, "cut off"), (2**60, "cut off"), (2**64 - 1, "nor safetensors")])
def test_a_header_that_is_not_there_is_refused(length, said, tmp_path):
    with pytest.raises(FileFormatError, match=said):
        open_weights(raw(tmp_path / "a", b"{}", b"", length))


def test_a_header_that_is_far_too_long_is_refused(tmp_path):
    path = raw(tmp_path / "a", b"{", b"", 9 << 20)
    with open(path, "r+b") as file:
        file.truncate(10 << 20)
    with pytest.raises(FileFormatError, match="9 MiB"):
        open_weights(path)


def test_a_file_with_any_byte_changed_is_read_or_refused(tmp_path):
    write(tmp_path / "a", {"a/w": np.float32([[1, 2]]), "b/w": np.float64([3])}, {"format": "minicnn"})
    whole = (tmp_path / "a").read_bytes()
    generator = np.random.default_rng(0)
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] = generator.integers(256)
        (tmp_path / "b").write_bytes(changed)
        with contextlib.suppress(MinicnnError):
            stored(tmp_path / "b")


def test_an_array_of_another_shape_is_not_allocated(tmp_path):
    path = tmp_path / "a"
    write(path, {"a/w": np.zeros(3, np.float32)})
    with open_weights(path) as file, pytest.raises(FileFormatError, match="another architecture"):
        file.layers[0].weights[0].read((10**12,))


def net(units: int = 3) -> Model:
    base = Sequential([Input((6, 6, 2)), Conv2D(4, 3, name="a.b"), BatchNormalization(name="bn")], name="base")
    layers = [Input((6, 6, 2)), base, SeparableConv2D(3, 2, name="s/t"), PReLU(name="p"), Dense(units, name="end")]
    model = Sequential(layers)
    model.set_weights([np.random.default_rng(i).random(w.shape) for i, w in enumerate(model.get_weights())])
    return model


def test_a_model_saves_and_loads(tmp_path):
    model, other, path = net(), net(), str(tmp_path / "a.safetensors")
    other.set_weights([np.zeros_like(w) for w in other.get_weights()])
    model.save_weights(path)
    assert {"base/a.b/kernel", "base/bn/moving_mean", "s/t/depthwise_kernel", "p/alpha"} <= stored(
        tmp_path / "a.safetensors"
    ).keys()
    report = other.load_weights(path)
    assert report.loaded == ["base/a.b", "base/bn", "s/t", "p", "end"]
    assert (report.matched_by, report.missing, report.unexpected) == ("name", [], [])
    for found, expected in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_model_takes_none_or_all(tmp_path):
    model, other, path = net(), net(4), tmp_path / "a.safetensors"
    model.save_weights(path)
    before = other.get_weights()
    with pytest.raises(WeightsMismatchError, match="the number of classes is another one"):
        other.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))
    assert other.load_weights(path, on_mismatch="skip").mismatched == ["end"]
    with pytest.raises(FileFormatError, match="no architecture"):
        load_model(path)


def test_what_cannot_be_said_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="complex128"):
        write(tmp_path / "a", {"a/w": np.zeros(2, complex)})
    inner = Sequential([Input((2,)), Dense(2, name="b")], name="a")
    with pytest.raises(ArgumentError, match="two weights named 'a/b/kernel'"):
        Sequential([Input((2,)), inner, Dense(2, name="a/b")]).save_weights(tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_layers_that_were_counted_on_go_by_their_numbers(tmp_path):
    def model():
        x = y = Input((4, 4, 3))
        for _ in range(12):
            y = Conv2D(3, 1)(y)
        return Model(x, Dense(2, name="end")(y))

    reset_names()
    first, second = model(), model()
    assert second.layers[1].name == "conv2d_12"
    second.save_weights(tmp_path / "w.safetensors")
    report = first.load_weights(tmp_path / "w.safetensors")
    assert (report.matched_by, report.rows[0].file) == ("order", "conv2d_12")
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
