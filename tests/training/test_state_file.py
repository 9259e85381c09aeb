"""A state in a file: whole, or refused."""

import numpy as np
import pytest

from minicnn.errors import FileAccessError, FileFormatError
from minicnn.training import read_state, write_state
from minicnn.weights import safetensors

pytestmark = pytest.mark.numpy_only

STATE = {
    "step": 3,
    "rate": float("nan"),
    "weights": [np.arange(6.0).reshape(2, 3), np.array(7), np.ones((0, 2), np.float32)],
}


@pytest.fixture
def path(tmp_path):
    write_state(tmp_path / "state.safetensors", STATE)
    return tmp_path / "state.safetensors"


def test_what_was_written_is_read(path):
    found = read_state(path)
    assert found["step"] == 3
    assert np.isnan(found["rate"])
    for array, expected in zip(found["weights"], STATE["weights"], strict=True):
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
        assert (array == expected).all()
    assert [file.name for file in path.parent.iterdir()] == ["state.safetensors"]


def test_every_byte_counts(path):
    content = path.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        with pytest.raises(FileFormatError):
            read_state(path)


def test_no_byte_may_be_missing(path):
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(FileFormatError):
            read_state(path)


def test_other_files_are_refused(tmp_path):
    safetensors.write(tmp_path / "weights.safetensors", {"0": np.ones(2)})
    with pytest.raises(FileFormatError, match="is no state of a training"):
        read_state(tmp_path / "weights.safetensors")
    with pytest.raises(FileAccessError):
        read_state(tmp_path / "missing.safetensors")
    with pytest.raises(FileAccessError):
        read_state(tmp_path)


def test_a_long_text_has_room(tmp_path):
    state = {"rows": ["x" * 100] * 100_000}
    write_state(tmp_path / "long.safetensors", state)
    assert read_state(tmp_path / "long.safetensors") == state
