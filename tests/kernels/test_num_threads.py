"""How many threads kernels use."""

import pytest

from minicnn import kernels
from minicnn.errors import ArgumentError
from minicnn.kernels import _threads as threads

pytestmark = [pytest.mark.numpy_only, pytest.mark.usefixtures("same_threads_afterwards")]


def test_the_number_of_threads_comes_from_the_program_then_the_environment_then_the_cores(monkeypatch):
    kernels.set_num_threads(5)
    monkeypatch.setenv("MINICNN_NUM_THREADS", "3")
    assert kernels.get_num_threads() == 5
    monkeypatch.setattr(threads, "_threads", None)
    assert kernels.get_num_threads() == 3
    monkeypatch.delenv("MINICNN_NUM_THREADS")
    assert kernels.get_num_threads() == threads.available_cores() >= 1
    for text in ("0", "-1", "two", "1.5", "1025"):
        monkeypatch.setenv("MINICNN_NUM_THREADS", text)
        with pytest.raises(ArgumentError, match="MINICNN_NUM_THREADS is"):
            kernels.get_num_threads()
    with pytest.raises(ArgumentError, match="from 1 to 1024; it is 0"):
        kernels.set_num_threads(0)
