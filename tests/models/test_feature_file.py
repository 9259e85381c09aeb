"""Features in a file: what fit keeps there and what it does not believe; killed processes, and others at work."""

import contextlib
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transfer_cases import make_lie

from minicnn import layers as L
from minicnn.data import ArrayDataset
from minicnn.models import Sequential, feature_file, features
from minicnn.models.feature_file import FeatureFile, features_folder, names_of, trim
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only
X = np.random.default_rng(0).standard_normal((12, 6, 6, 2)).astype(np.float32)
Y = np.arange(12) % 3
KEY = "ab" * 32
SIX = names_of(range(6))
LIKE = [np.zeros((1, 2, 3), np.float32), np.zeros((1, 5), np.float16)]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_memory(monkeypatch):
    """Nothing may be kept in memory."""
    monkeypatch.setattr(features, "SHARE", 0.0)


def net(seed: int = 3) -> Sequential:
    set_random_seed(seed)
    model = Sequential([L.Input((6, 6, 2)), L.Conv2D(3, 3, name="frozen"), L.Flatten(), L.Dense(3, "softmax")])
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def fitted(x: Any = X, y: Any = Y, seed: int = 3) -> list[np.ndarray]:
    model = net(seed)
    set_random_seed(9)
    model.fit(x, y, epochs=3, batch_size=5, verbose=0, validation_data=(X[:4], Y[:4]))
    return model.get_weights()


def count_runs(monkeypatch) -> list[int]:
    """How many samples each run of a frozen prefix is for, from now on."""
    runs, run = [], features.SplitProgram.features

    def noted(split, x):
        runs.append(len(x[0]))
        return run(split, x)

    monkeypatch.setattr(features.SplitProgram, "features", noted)
    return runs


def kept_files():
    return sorted(features_folder().rglob("*.features"))


def uncached(monkeypatch) -> list[np.ndarray]:
    with monkeypatch.context() as patch:
        patch.setattr(features.FeatureStore, "get", lambda store, split, batch, x: split.features(x))
        return fitted()


def assert_same(some, others):
    for a, b in zip(some, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_features_in_a_file_train_the_same_weights_as_no_features_at_all(monkeypatch, no_memory):
    expected = uncached(monkeypatch)
    runs = count_runs(monkeypatch)
    assert_same(fitted(), expected)
    assert sum(runs) == len(X) + 4  # once a sample, validation among them
    runs.clear()
    assert_same(fitted(), expected)
    assert sum(runs) == 5 + 4  # the first batches, which are compared
    assert len(kept_files()) == 2


@pytest.mark.parametrize(("free", "kept"), [(1 << 20, 0), (4, 2)])
def test_memory_comes_first(free, kept, monkeypatch):
    monkeypatch.setattr(features, "available_memory", lambda: free)
    fitted()
    assert len(kept_files()) == kept


@pytest.mark.parametrize(
    "other", [{"x": X + np.float32(1e-6)}, {"x": X.astype(np.float64)}, {"seed": 4}, {"x": X[::-1]}]
)
def test_what_decides_features_is_in_the_name(other, no_memory):
    fitted()
    fitted(**other)
    assert len(kept_files()) in (3, 4)  # the pictures that validate are the same


def test_a_dataset_that_cannot_say_what_its_samples_are_leaves_no_file(monkeypatch, no_memory):
    expected = uncached(monkeypatch)
    model = net()
    set_random_seed(9)
    model.fit(ArrayDataset(X, Y), epochs=3, batch_size=5, verbose=0)
    assert_same(model.get_weights(), expected)
    assert kept_files() == []


class Silent:
    """A dataset whose samples vary, which it does not say."""

    def __init__(self, by: float):
        self.by, self.epoch = by, 0

    def __len__(self):
        return len(X)

    def batches(self, batch_size, order=None):
        self.epoch += 1
        order = np.arange(len(X)) if order is None else order
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            yield X[rows] + np.float32(self.by * self.epoch), Y[rows]


@pytest.mark.parametrize("memory", [True, False])
def test_a_dataset_that_varies_in_silence_is_found_out(memory, monkeypatch):
    if not memory:
        monkeypatch.setattr(features, "SHARE", 0.0)
    with pytest.warns(UserWarning, match="others than in the epoch before.*varies = True"):
        found = fitted(Silent(0.1), None)
    with monkeypatch.context() as patch:
        patch.setattr(features.FeatureStore, "get", lambda store, split, batch, x: split.features(x))
        assert_same(found, fitted(Silent(0.1), None))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(Silent(0.0), None)


def test_a_file_that_lies_is_made_anew(monkeypatch, no_memory):
    expected = fitted()
    make_lie(features_folder())
    with pytest.warns(UserWarning, match="were not those of this network"):
        assert_same(fitted(), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(fitted(), expected)


def write_all(file: FeatureFile, rows: int = 4) -> list[np.ndarray]:
    generator = np.random.default_rng(1)
    made = [generator.standard_normal((rows, *a.shape[1:])).astype(a.dtype) for a in LIKE]
    file.write(np.arange(rows), made)
    return made


def test_rows_come_back_bit_for_bit_in_another_process_too():
    made = write_all(FeatureFile.make(LIKE, SIX, KEY))
    again, rows = FeatureFile.make(LIKE, SIX, KEY), np.array([3, 0, 5])
    assert again.missing(rows).tolist() == [False, False, True]
    for a, b, whole in zip(again.read(rows[:2]), made, again.arrays):
        assert a.tobytes() == b[[3, 0]].tobytes()
        assert whole.shape == (6, *b.shape[1:])


@pytest.mark.parametrize("spoil", ["row", "digest", "name", "swap", "kind", "shape", "short", "mark"])
def test_damage_counts_as_not_there(spoil):
    file = FeatureFile.make(LIKE, SIX, KEY)
    write_all(file)
    assert file.path is not None
    data = bytearray(file.path.read_bytes())
    layout = file._layout
    names, digests, start, stride = len(layout.line), layout.digests, layout.rows, layout.row.itemsize
    if spoil == "row":
        data[start + stride] ^= 1
    elif spoil == "digest":
        data[digests + 32] ^= 1
    elif spoil == "name":
        data[names + 32] ^= 1
    elif spoil == "swap":  # a good row in another's place
        data[start + stride : start + 2 * stride] = data[start : start + stride]
        data[digests + 32 : digests + 64] = data[digests : digests + 32]
    elif spoil == "kind":
        data = data.replace(b"<f4", b"<i4")
    elif spoil == "shape":
        data = data.replace(b"[2, 3]", b"[9e999]")
    elif spoil == "mark":
        data[0] ^= 1
    file.path.write_bytes(data[:-1] if spoil == "short" else data)
    bad = [True] * 4 if spoil in ("short", "mark", "kind", "shape") else [False, True, False, False]
    for found in FeatureFile.kept(KEY, features_folder(), SIX):
        assert found.missing(np.arange(4)).tolist() == bad
    if spoil != "name":  # with which it is the file of other samples
        assert FeatureFile.make(LIKE, SIX, KEY).missing(np.arange(4)).tolist() == bad


def test_files_of_a_key_are_found_that_of_the_same_samples_first(cache):
    for count in (5, 6, 9):
        write_all(FeatureFile.make(LIKE, names_of(range(count)), KEY))
    write_all(FeatureFile.make(LIKE, SIX, "cd" * 32))
    found = list(FeatureFile.kept(KEY, features_folder(), SIX))
    assert [len(file.names) for file in found] == [6, 9, 5]
    assert not any(file.missing(np.arange(4)).any() for file in found)


def test_a_file_that_may_not_be_written_is_read_and_refuses(cache, monkeypatch):
    file = FeatureFile.make(LIKE, SIX, KEY)
    made = write_all(file)
    open_path = Path.open

    def read_only(path, mode="r", **options):
        if "+" in mode:
            raise PermissionError(13, "Permission denied")
        return open_path(path, mode, **options)

    monkeypatch.setattr(Path, "open", read_only)
    (again,) = FeatureFile.kept(KEY, features_folder(), SIX)
    assert again.read(np.arange(4))[0].tobytes() == made[0].tobytes()
    with pytest.raises(OSError, match="not open for writing"):
        again.write(np.arange(1), made)


def test_a_file_larger_than_the_budget_is_refused_and_others_make_room(cache):
    first = FeatureFile.make(LIKE, names_of(range(600)), KEY)
    assert first.path is not None
    size = first.path.stat().st_size
    with pytest.raises(OSError, match="there is room for"):
        FeatureFile.make(LIKE, names_of(range(600)), "cd" * 32, limit=size - 1)
    assert first.path.exists()
    write_all(first)
    second = FeatureFile.make(LIKE, names_of(range(600)), "cd" * 32, limit=size + 10)
    assert not first.path.exists()
    assert not first.missing(np.arange(4)).any()  # who has it open keeps it
    assert kept_files() == [second.path]
    trim(features_folder(), 0)
    assert kept_files() == []


@pytest.mark.parametrize("place", ["file", "full", "later"])
def test_without_room_on_disk_training_goes_on_with_one_warning(place, cache, monkeypatch, no_memory):
    expected = uncached(monkeypatch)

    def full(*_):
        raise OSError(28, "No space left on device")

    if place == "file":
        (cache / "features").write_text("not a folder")
    elif place == "full":
        monkeypatch.setattr("minicnn.models.feature_file._begin", full)
    else:
        put = FeatureFile._put
        monkeypatch.setattr(FeatureFile, "_put", lambda s, at, a: full() if at > 8000 else put(s, at, a))
        monkeypatch.setattr("minicnn.models.feature_file.PAGE", 8000)
    with pytest.warns(UserWarning, match="computed in every epoch: memory has no room") as told:
        assert_same(fitted(), expected)
    assert len({str(warning.message) for warning in told}) == 1
    assert len(told) == 2  # of training, of validation


PROCESS = """
import sys, numpy as np
from minicnn.models.feature_file import FeatureFile, names_of
key, turns = sys.argv[1], int(sys.argv[2])
rows = np.arange(40)
right = [np.arange(40 * 500, dtype=np.float32).reshape(40, 500)]
for turn in range(turns):
    file = FeatureFile.make([right[0][:1]], names_of(rows), key)
    there = rows[~file.missing(rows)]
    assert (file.read(there)[0] == right[0][there]).all(), there
    for row in np.random.default_rng().permutation(rows):
        file.write(rows[row : row + 1], [right[0][row : row + 1]])
    if turn % 7 == 6:
        file.discard()
    print(turn, flush=True)
"""


def start(turns: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, KEY, str(turns)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_a_file_that_is_removed_before_it_is_opened_does_without_a_name(monkeypatch):
    replacing = feature_file.replacing

    @contextlib.contextmanager
    def removed(path):
        with replacing(path) as temporary:
            yield temporary
        path.unlink()

    monkeypatch.setattr(feature_file, "replacing", removed)
    file = FeatureFile.make(LIKE, SIX, KEY)
    made = write_all(file)
    assert file.read(np.arange(4))[0].tobytes() == made[0].tobytes()


def test_two_processes_fill_one_file():
    for process in [start(30) for _ in range(2)]:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    assert not list(features_folder().rglob("*.tmp"))


def test_a_killed_writer_leaves_no_row_that_is_half_written():
    process = start(100_000)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.05)
    process.kill()
    process.communicate()
    right, rows = np.arange(40 * 500, dtype=np.float32).reshape(40, 500), np.arange(40)
    file = FeatureFile.make([right[:1]], names_of(rows), KEY)
    there = rows[~file.missing(rows)]
    np.testing.assert_array_equal(file.read(there)[0], right[there])


@pytest.mark.skipif(os.name == "nt", reason="a file that is open has a name there")
def test_a_file_without_a_key_has_no_name():
    file = FeatureFile.make(LIKE, SIX)
    made = write_all(file)
    assert not [path for path in features_folder().rglob("*") if path.is_file()]
    assert file.read(np.arange(4))[0].tobytes() == made[0].tobytes()
