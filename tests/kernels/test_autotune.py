"""MINICNN_AUTOTUNE=1: the fastest rung is found, remembered on this machine, and found again by other processes."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")
from minicnn import kernels
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels import _autotune as autotune
from minicnn.kernels import _compile_cache as cache

WANTED = autotune.autotune_wanted.__wrapped__  # asks anew each time


class Rungs(dict):
    """Rungs that take a number of seconds, or cannot do the case, by a clock of their own; counts their calls."""

    def __init__(self, monkeypatch, **seconds: float | None):
        super().__init__({name: lambda name=name: lambda: self.call(name) for name in seconds})
        self.seconds, self.now, self.calls = seconds, 0.0, Counter()
        monkeypatch.setattr(autotune, "clock", lambda: self.now)

    def call(self, name: str) -> None:
        self.calls[name] += 1
        seconds = self.seconds[name]
        if seconds is None:
            raise UnsupportedError(name)
        self.now += seconds * (10 if self.calls[name] == 2 else 1)  # once something disturbs it


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A folder of its own to remember in."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    monkeypatch.setattr(autotune, "autotune_wanted", lambda: True)
    monkeypatch.setattr(autotune, "_chosen", {})
    cache.compile_cache_folder.cache_clear()
    yield tmp_path
    cache.compile_cache_folder.cache_clear()


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("autotune-*.json"))


def forget() -> None:
    """As a later process begins."""
    autotune._chosen.clear()


def test_the_fastest_is_chosen_and_remembered(monkeypatch, folder):
    rungs = Rungs(monkeypatch, v3=0.3, v4=0.2, v5=None)
    for _ in range(3):
        assert autotune.fastest("a case", "v3", rungs) == "v4"
        forget()
    assert rungs.calls == {"v3": 1 + autotune.ROUNDS, "v4": 1 + autotune.ROUNDS, "v5": 1}
    (path,) = files(folder)
    assert json.loads(path.read_text()) == {
        "case": "a case",
        "rung": "v4",
        "seconds": pytest.approx({"v3": 0.3, "v4": 0.2}),
    }


def test_a_process_asks_its_files_once(monkeypatch, folder):
    rungs = Rungs(monkeypatch, v3=0.3, v4=0.2)
    assert autotune.fastest("a case", "v3", rungs) == "v4"
    files(folder)[0].unlink()
    assert autotune.fastest("a case", "v3", rungs) == "v4"
    assert rungs.calls["v4"] == 1 + autotune.ROUNDS


def test_the_default_stays_where_little_is_gained(monkeypatch):
    assert autotune.fastest("a case", "v3", Rungs(monkeypatch, v3=0.204, v4=0.2)) == "v3"
    assert autotune.fastest("another", "v3", Rungs(monkeypatch, v3=0.22, v4=0.2)) == "v4"
    assert autotune.fastest("a third", "v3", Rungs(monkeypatch, v3=None, v4=0.2)) == "v4"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff", b"[]", b"{}", b'{"case": "a case", "rung": ["v4"]}', b'{"case": "a case", "rung": "v9"}'],
)
def test_a_damaged_file_is_told_once_and_written_anew(content, monkeypatch, folder):
    rungs = Rungs(monkeypatch, v3=0.3, v4=0.2)
    autotune.fastest("a case", "v3", rungs)
    (path,) = files(folder)
    whole = path.read_bytes()
    path.write_bytes(content)
    forget()
    with pytest.warns(UserWarning, match="measured and written anew") as caught:
        assert autotune.fastest("a case", "v3", rungs) == "v4"
    assert len(caught) == 1
    assert json.loads(path.read_bytes())["rung"] == json.loads(whole)["rung"]
    forget()
    assert autotune.fastest("a case", "v3", rungs) == "v4"  # and no warning


def test_where_nothing_can_be_kept_a_process_measures_for_itself(monkeypatch, folder):
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("MINICNN_CACHE", str(folder / "file"))
    rungs = Rungs(monkeypatch, v3=0.3, v4=0.2)
    with pytest.warns(UserWarning, match="not kept"):
        assert autotune.fastest("a case", "v3", rungs) == "v4"
    assert autotune.fastest("a case", "v3", rungs) == "v4"
    assert rungs.calls["v4"] == 1 + autotune.ROUNDS


def test_threads_that_measure_at_once_choose_the_same(monkeypatch):
    both, times = threading.Barrier(2), iter([{"v3": 0.3, "v4": 0.2}, {"v3": 0.2, "v4": 0.3}])

    def measured(rungs):
        both.wait()
        return next(times)

    monkeypatch.setattr(autotune, "_measured", measured)
    found = []
    threads = [threading.Thread(target=lambda: found.append(autotune.fastest("a case", "v3", {}))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found in (["v3", "v3"], ["v4", "v4"])


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).standard_normal(shape, np.float32)


@pytest.fixture
def rigged(monkeypatch) -> list[str]:
    """Every choice falls on v4_blocked; the cases that were asked."""
    asked: list[str] = []

    def fastest(case, default, rungs):
        asked.append(case)
        return "v4_blocked"

    monkeypatch.setattr(autotune, "fastest", fastest)
    return asked


def test_a_choice_is_made_for_shapes_and_options(rigged):
    w = normal(3, 3, 16, 16)
    with kernels.record() as calls:
        for images in (1, 1, 2):
            kernels.conv2d.forward(normal(images, 12, 12, 16), w, padding="same", activation="relu")
        kernels.conv2d.forward(normal(1, 12, 12, 16), w, padding="same")
        kernels.conv2d.backward_input(normal(1, 10, 10, 16), w, (1, 12, 12, 16))
        kernels.conv2d.backward_weights(normal(1, 12, 12, 16), normal(1, 10, 10, 16), w.shape)
    assert len(rigged) == 6
    assert len(set(rigged)) == 5  # the first two are one case
    assert {rung for _, _, rung in calls} == {"v4_blocked"}


def test_a_transposed_convolution_predicts_by_one_choice_for_every_number_of_images(monkeypatch):
    w, shapes = normal(3, 3, 16, 16), set()

    def measured(rungs):
        shapes.update(make().args[0].shape for make in rungs.values())
        return {"v3_tiled": 2.0, "v4_blocked": 1.0}

    monkeypatch.setattr(autotune, "_measured", measured)
    with kernels.record() as calls:
        for images in (5, 1, 2):
            kernels.conv2d_transpose.forward(normal(images, 8, 8, 16), w)
    assert len(autotune._chosen) == 1
    assert shapes == {(2, 8, 8, 16)}
    assert {rung for _, _, rung in calls} == {"v4_blocked"}
    kernels.conv2d_transpose.backward_input(normal(1, 10, 10, 16), w, (1, 8, 8, 16))
    kernels.conv2d_transpose.backward_input(normal(2, 10, 10, 16), w, (2, 8, 8, 16))
    assert len(autotune._chosen) == 3  # training: a choice for each number


@pytest.mark.parametrize(("op", "w"), [("dense", normal(24, 40)), ("depthwise_conv2d", normal(3, 3, 24, 1))])
def test_rungs_that_are_measured_for_each_number_of_images_give_the_same_bits(op, w):
    x = normal(3, 24) if op == "dense" else normal(3, 15, 15, 24)
    rungs = [s.rung for s in kernels.specs() if (s.op, s.direction) == (op, "forward") and s.needs_numba]
    first, *others = (getattr(kernels, op).forward(x, w, rung=rung) for rung in rungs if rung != autotune.LOOPS)
    assert others
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_what_is_named_or_empty_or_not_compiled_is_not_measured(rigged):
    w = normal(3, 3, 16, 16)
    kernels.conv2d.forward(normal(1, 12, 12, 16), w, rung="v3_tiled")
    with kernels.use("conv2d", rung="v3_tiled"):
        kernels.conv2d.forward(normal(1, 12, 12, 16), w)
    kernels.conv2d.forward(normal(0, 12, 12, 16), w)
    kernels.conv2d.forward(np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 2)))
    kernels.maxpool2d.forward(normal(1, 12, 12, 16), 2)
    assert rigged == []


def test_nothing_is_measured_unless_it_is_asked_for(monkeypatch, rigged):
    monkeypatch.setattr(autotune, "autotune_wanted", WANTED)
    for value in ("", "0"):
        monkeypatch.setenv("MINICNN_AUTOTUNE", value)
        kernels.conv2d.forward(normal(1, 12, 12, 16), normal(3, 3, 16, 16))
    assert rigged == []
    monkeypatch.setenv("MINICNN_AUTOTUNE", "yes")
    with pytest.raises(ArgumentError, match="MINICNN_AUTOTUNE is 'yes'; it may be '1', '0' or unset"):
        kernels.conv2d.forward(normal(1, 12, 12, 16), normal(3, 3, 16, 16))


def test_what_is_measured_is_neither_captured_nor_recorded():
    x, w, out = normal(40, 30), normal(30, 20), np.zeros((40, 20), np.float32)
    with kernels.record() as calls, kernels.capture() as tuned:
        kernels.dense.forward(x, w, out=out)
    with kernels.capture() as named:
        kernels.dense.forward(x, w, out=out, rung=calls[0][2])
    assert len(calls) == 1
    assert len(tuned.calls) == len(named.calls) > 0


PROGRAM = """
import numpy as np
from minicnn import kernels, layers
from minicnn.models import Sequential
from minicnn.seeds import set_random_seed
from minicnn.kernels import _autotune

measured = []
measure = _autotune._measured
_autotune._measured = lambda rungs: measured.append(list(rungs)) or measure(rungs)
set_random_seed(0)
model = Sequential([
    layers.Input((12, 12, 16)), layers.Conv2D(16, 3, activation="relu"), layers.Conv2DTranspose(16, 3),
    layers.DepthwiseConv2D(3), layers.Flatten(), layers.Dense(10),
])
x = np.random.default_rng(0).standard_normal((3, 12, 12, 16), np.float32)
model.compile("sgd", "mse")
y = model.predict(x)
model.train_on_batch(x, y)
print(len(measured), *y.ravel().tolist())
"""


def run(folder: Path, **variables: str) -> tuple[int, np.ndarray]:
    """(cases that were measured, predictions) of a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MINICNN")}
    environment = {**kept, "MINICNN_CACHE": str(folder), **variables}
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, *values = done.stdout.split()
    return int(count), np.array(values, np.float64)


def test_a_model_is_measured_once_and_predicts_the_same_but_for_rounding(tmp_path):
    (cases, first), (more, again) = run(tmp_path, MINICNN_AUTOTUNE="1"), run(tmp_path, MINICNN_AUTOTUNE="1")
    assert cases == len(files(tmp_path)) > 4  # prediction and training, forward and backward
    assert more == 0
    np.testing.assert_array_equal(again, first)
    none, plain = run(tmp_path)
    assert none == 0
    np.testing.assert_allclose(first, plain, rtol=1e-4, atol=1e-5)
