"""What is said of pictures and of fine-tuning: only what is so, in whole sentences."""

import numpy as np
import pytest

from minicnn.transfer.remarks import count, remarks_on_fine_tuning

pytestmark = pytest.mark.numpy_only

LABELS = np.array([0, 1, 0, 1])
ALL_RIGHT = np.eye(2)[LABELS]
ONE_WRONG = np.eye(2)[[0, 1, 0, 0]]


def test_only_a_lower_accuracy_is_said():
    assert remarks_on_fine_tuning(LABELS, ONE_WRONG, ALL_RIGHT, 1e-4) == []
    assert remarks_on_fine_tuning(LABELS, ONE_WRONG, np.eye(2)[[1, 1, 0, 1]], 1e-4) == []
    (remark,) = remarks_on_fine_tuning(LABELS, ALL_RIGHT, ONE_WRONG, 1e-4)
    assert remark == (
        "fine-tuning lowered the accuracy from 100.0% to 75.0% on the 4 pictures kept aside (4 right before, 3 after): "
        "the model of before is kept as head.keras; a learning rate smaller than 0.0001 may give a better one"
    )


def test_numbers_agree_with_their_nouns():
    assert [count(n, "file is", "files are") for n in (0, 1, 1000)] == ["0 files are", "1 file is", "1,000 files are"]
