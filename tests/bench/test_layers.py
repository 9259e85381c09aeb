"""One convolution as engines are told of it, what minicnn's side computes, and outputs that are compared."""

import json

import numpy as np
import pytest

from minicnn import kernels
from minicnn.bench import engines, layers
from minicnn.bench.cases import Layer
from minicnn.bench.peers import layer as peer
from minicnn.errors import UnsupportedError

pytestmark = pytest.mark.numpy_only
STRIDED = layers.Convolution("strided", Layer((6, 8, 4), (3, 3), 6, (2, 2), "same", groups=2), 2)


def told(convolution: layers.Convolution) -> dict:
    return json.loads(json.dumps(convolution.as_json()))


def test_what_engines_are_told():
    found = told(STRIDED)
    assert (found["x"], found["w"]) == ([2, 6, 8, 4], [3, 3, 2, 6])
    assert found["step"]["padding"] == [[0, 1], [0, 1]]
    assert (found["step"]["size"], found["step"]["taps"], found["step"]["strides"]) == ([6, 8], [3, 3], [2, 2])
    assert (found["step"]["kind"], found["step"]["activation"], found["step"]["groups"]) == ("Conv2D", "relu", 2)


def test_minicnn_computes_what_the_layer_says(tmp_path):
    x, w, b = peer.operands(told(STRIDED))
    expected = kernels.conv2d.forward(x, w, b, strides=2, padding="same", groups=2, rung="reference")
    path = str(tmp_path / "y.npy")
    answer = peer.respond(peer.minicnn(told(STRIDED)), path)
    np.testing.assert_allclose(np.load(path), np.maximum(expected, 0), rtol=1e-5, atol=1e-5)
    assert 0.5 < expected.std() < 2
    assert answer["seconds"] > 0


def test_a_layer_is_repeated_and_told_for_one(monkeypatch):
    clock, called = iter(range(1000)), []
    monkeypatch.setattr(peer.time, "perf_counter", lambda: next(clock) * peer.LEAST_SECONDS / 3.5)
    answer = peer.respond(peer.Ready(lambda: called.append(1), np.asarray), None)
    assert len(called) == 1 + 3
    assert answer["seconds"] == pytest.approx(peer.LEAST_SECONDS / 3.5 * 4 / 3)


class Fake:
    """An engine that computes a constant, or fails."""

    def __init__(self, name: str, value: float | None):
        self.name, self.value = name, value

    def ask(self, task: str, subject: layers.Convolution, batch: int, check: str | None = None) -> dict[str, float]:
        assert (task, subject, batch) == ("layer", STRIDED, 2)
        if self.value is None:
            raise UnsupportedError(f"{self.name} fails at {subject.name}")
        if check:
            np.save(check, np.full((2, 2), self.value))
        return {"seconds": 1 / self.value}


def test_engines_that_fail_are_left_out_and_the_others_compared(capsys):
    running = [Fake("minicnn", 1.0), Fake("torch", None), Fake("onnxruntime", 1.0001)]
    row = layers.measure(running, STRIDED, 3)
    assert row["case"] == "strided"
    assert row["shape"] == "2x6x8x4, 3x3 /2, 6 filters"
    assert (row["peer"], row["ratio"]) == ("onnxruntime", 1.0)
    assert row["errors"] == {"onnxruntime": pytest.approx(1e-4)}
    assert capsys.readouterr().err == "left out: torch fails at strided\n"


def test_an_engine_that_computes_something_else_is_no_benchmark():
    with pytest.raises(ArithmeticError, match="torch and minicnn differ on strided"):
        engines.errors_of([Fake("minicnn", 1.0), Fake("torch", 1.01)], "layer", STRIDED, 2)
