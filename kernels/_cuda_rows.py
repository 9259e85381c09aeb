"""How kernels for a GPU see an array (...,C): as R rows of C numbers."""

from typing import Any

import numpy as np

from ._cuda_file import ints


def rows_of(x: Any) -> tuple[np.int64, np.int32]:
    """(R, C) of an array (...,C), as kernels take them."""
    (count,) = ints(x.shape[-1])
    return np.int64(x.size // x.shape[-1]), count
