"""The wrong answers of a report: the surest first."""

import numpy as np

from minicnn.transfer.mistakes import surest_mistakes


def test_the_surest_come_first(monkeypatch, tmp_path):
    monkeypatch.setattr("minicnn.transfer.mistakes.thumbnail", lambda file: b"")
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    found = surest_mistakes([tmp_path] * 4, list("abcd"), np.array([1, 1, 1, 1]), probabilities, ["x", "y"])
    assert [mistake.file for mistake in found] == ["b", "d", "a"]
