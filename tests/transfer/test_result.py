"""What metrics.json says of a transfer."""

import numpy as np
import pytest

from minicnn.transfer import Settings
from minicnn.transfer.result import Phase, TransferResult

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("seconds", "first", "later"), [([9.0, 0.1, 0.5, 0.2], 9.0, 0.2), ([3.0, 1.0], 3.0, 1.0), ([2.0], 2.0, None)]
)
def test_the_first_epoch_is_told_apart_from_the_median_of_the_later_ones(seconds, first, later):
    figures = [[0.5] * len(seconds)] * 4
    result = TransferResult(
        model=None,
        base=None,  # pyright: ignore[reportArgumentType]
        settings=Settings(),
        title="",
        class_names=["a", "b"],
        phases=[Phase("head", "", 1, *figures, seconds=seconds, duration=20.0)],
        confusion=np.eye(2, dtype=int),
        train_counts=[1, 1],
        val_counts=[1, 1],
        split="",
    )
    (phase,) = result.metrics()["phases"]
    assert (phase["first_epoch_seconds"], phase["later_epoch_seconds"]) == (first, later)
