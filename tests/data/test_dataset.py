"""The two methods that `fit` needs."""

import numpy as np
import pytest

from minicnn.data import ArrayDataset, Dataset
from minicnn.errors import ArgumentError, DataError


def test_array_dataset():
    x = np.arange(14).reshape(7, 2)
    data = ArrayDataset(x, np.arange(7))
    assert isinstance(data, Dataset)
    assert len(data) == 7
    batches = list(data.batches(3))
    assert [len(labels) for _, labels in batches] == [3, 3, 1]
    assert np.array_equal(np.concatenate([rows for rows, _ in batches]), x)
    order = [5, 0, 5]
    ((rows, labels),) = data.batches(10, order)
    assert np.array_equal(rows, x[order])
    assert labels.tolist() == order
    assert list(data.batches(3, order=[])) == []


def test_wrong_arguments():
    with pytest.raises(DataError, match="3 samples but 2 labels"):
        ArrayDataset(np.zeros(3), np.zeros(2))
    with pytest.raises(ArgumentError, match="batch_size must be at least 1, got 0"):
        list(ArrayDataset(np.zeros(3), np.zeros(3)).batches(0))
