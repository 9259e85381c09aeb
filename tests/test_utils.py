"""to_categorical."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minicnn.errors import DataError
from minicnn.utils import to_categorical

pytestmark = pytest.mark.numpy_only


@given(hnp.arrays(np.int64, hnp.array_shapes(max_dims=3, min_side=2), elements=st.integers(0, 6)))
def test_each_row_has_a_single_one_at_its_label(labels):
    rows = to_categorical(labels, 7)
    assert rows.shape == (*labels.shape, 7)
    np.testing.assert_array_equal(rows.sum(-1), 1)
    np.testing.assert_array_equal(rows.argmax(-1), labels)
    np.testing.assert_array_equal(to_categorical(labels[..., None], 7), rows)


def test_the_number_of_classes_is_found_and_the_dtype_chosen():
    assert to_categorical([0, 3]).shape == (2, 4)
    assert to_categorical([0, 3]).dtype == np.float32
    assert to_categorical(np.array([1.0, 0.0]), dtype="float64").dtype == np.float64
    assert to_categorical(np.array([[True], [False]])).tolist() == [[0, 1], [1, 0]]
    assert to_categorical([], 3).shape == (0, 3)


def test_memory_is_that_of_the_rows():
    tracemalloc.start()
    rows = to_categorical([9_999], dtype="float32")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows.shape == (1, 10_000)
    assert peak < 4 * rows.nbytes


@pytest.mark.parametrize(
    ("labels", "num_classes", "message"),
    [
        ([0, 3], 3, r"0 .. 2; they go from 0 to 3"),
        ([-1, 1], None, "from -1 to 1"),
        ([0.5, 1.0], None, "whole"),
        ([0.0, np.nan], None, "whole"),
        ([0.0, np.inf], None, "whole"),
        (["cat", "dog"], None, "whole"),
        ([], None, "num_classes"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, num_classes, message):
    with pytest.raises(DataError, match=message):
        to_categorical(labels, num_classes)
