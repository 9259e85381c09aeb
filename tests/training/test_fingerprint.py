"""What makes two trainings the same."""

from pathlib import Path

import numpy as np
import pytest

from minicnn.data import ImageFolder, label_files
from minicnn.errors import WeightsMismatchError
from minicnn.layers import Add, Dense, Dropout, Input
from minicnn.models import Model, Sequential
from minicnn.training import arrays_text, as_json, compare, fingerprint, flags_text, model_text

pytestmark = pytest.mark.numpy_only


def test_the_structure_counts_and_names_do_not():
    def model(units=3, rate=0.5, width=4, **options):
        return Sequential([Input((width,)), Dropout(rate), Dense(units, **options)])

    text = model_text(model())
    assert text == model_text(model())
    assert text.startswith("2 layers with 15 weights ")
    others = [model(units=4), model(rate=0.4), model(width=5), model(activation="relu"), model(dtype="float64")]
    assert len({text, *map(model_text, others)}) == 6
    frozen = model()
    frozen.trainable = False
    assert model_text(frozen) == text
    assert flags_text(frozen) != flags_text(model())


def test_connections_count():
    def model(crossed):
        x, y = Input((3,)), Input((3,))
        a, b = Dense(2)(x), Dense(2)(y)
        return Model([x, y], Add()([b, a] if crossed else [a, b]))

    assert model_text(model(True)) != model_text(model(False))


def test_every_sample_of_small_arrays_counts_and_some_of_large_ones(monkeypatch):
    x = np.zeros((1000, 8), np.float32)
    text = arrays_text([[x], []])
    assert text.startswith("1000 samples of (8,) float32 ")
    for row in range(0, 1000, 37):
        other = x.copy()
        other[row, 3] = 1
        assert arrays_text([[other]]) != text
    monkeypatch.setattr(fingerprint, "WHOLE", x.nbytes // 10)
    sampled, other = arrays_text([[x]]), x.copy()
    other[1] = 1
    assert arrays_text([[other]]) == sampled
    other[990] = 1
    assert arrays_text([[other]]) != sampled
    assert arrays_text([[x[:900]]]) != sampled


def test_files_count_by_their_bytes_and_labels(tmp_path):
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file in files:
        file.write_bytes(file.name.encode())

    def digest(names=files, labels=(0, 1), size=8):
        return ImageFolder(label_files(names, labels, ["x", "y"]), size).digest()

    first = digest()
    assert first == digest(labels=np.array([0, 1]))
    assert first not in (digest(labels=[1, 0]), digest(size=9), digest(files[::-1]))
    files[0].write_bytes(b"A.png")
    assert digest() != first


def test_what_training_changed_may_be_as_before_or_as_after():
    stored, changed = {"a": 1, "rate": {"b": 0.1}}, {"rate": {"b": 0.05}}
    for rate in (0.1, 0.05):
        compare("run", stored, {"a": 1, "rate": {"b": rate}}, changed)
    with pytest.raises(WeightsMismatchError, match=r"^run holds a training with rate b 0\.1, now it is 0\.2: go on"):
        compare("run", stored, {"a": 1, "rate": {"b": 0.2}}, changed)
    with pytest.raises(WeightsMismatchError, match=r"with a 1, now there is none"):
        compare("run", stored, {"rate": {"b": 0.1}}, changed)
    with pytest.raises(WeightsMismatchError, match=r"with c none, now it is 3"):
        compare("run", stored, {**stored, "c": 3}, changed)


def test_objects_are_told_by_their_class():
    assert as_json({1: (2, object())}) == {"1": [2, "object"]}
    assert as_json([np.float64(0.5), np.arange(2), Path("a")]) == [0.5, [0, 1], "a"]
