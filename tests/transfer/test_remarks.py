"""What is said of pictures and of fine-tuning: only what is so, in whole sentences."""

import numpy as np
import pytest

from minicnn.transfer.remarks import count, remarks_on_fine_tuning

pytestmark = pytest.mark.numpy_only

LABELS = np.array([0, 1, 0, 1])
ALL_RIGHT = np.eye(2)[LABELS]
ONE_WRONG = np.eye(2)[[0, 1, 0, 0]]


def test_only_a_lower_accuracy_is_said_and_advice_given_only_beyond_chance():
    assert remarks_on_fine_tuning(LABELS, ONE_WRONG, ALL_RIGHT, 1e-4) == []
    assert remarks_on_fine_tuning(LABELS, ONE_WRONG, np.eye(2)[[1, 1, 0, 1]], 1e-4) == []
    (remark,) = remarks_on_fine_tuning(LABELS, ALL_RIGHT, ONE_WRONG, 1e-4)
    assert remark == (
        "fine-tuning lowered the accuracy from 100.0% to 75.0% on the 4 pictures kept aside (4 right before, 3 after): "
        "the model of before is kept as head.keras; as large a difference may well be chance (sign test, p = 1)"
    )
    for wrong, beyond in ((5, False), (6, True)):  # 2 / 2⁵ and 2 / 2⁶
        labels = np.zeros(30, int)
        (remark,) = remarks_on_fine_tuning(labels, np.eye(2)[labels], np.eye(2)[(np.arange(30) < wrong) * 1], 1e-4)
        assert remark.endswith("a learning rate smaller than 0.0001 may give a better one") == beyond
        assert ("may well be chance (sign test, p = 0.062)" in remark) != beyond


def test_pictures_that_got_better_count_against_chance():
    labels = np.zeros(40, int)
    head, tuned = np.eye(2)[(np.arange(40) >= 30) * 1], np.eye(2)[(np.arange(40) < 16) * 1]
    (remark,) = remarks_on_fine_tuning(labels, head, tuned, 1e-4)  # 16 got worse, 10 better
    assert "may well be chance (sign test, p = 0.33)" in remark


def test_numbers_agree_with_their_nouns():
    assert [count(n, "file is", "files are") for n in (0, 1, 1000)] == ["0 files are", "1 file is", "1,000 files are"]
