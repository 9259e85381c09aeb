"""The memory of the emulated device: how much arrays take of it, and the limit that they may take."""

import weakref

import numpy as np


class Pool:
    """What CuPy's pool knows of the memory of a GPU.

    Attributes
    ----------
    limit : bytes that arrays may take together
    used, most : bytes that they take now, and took at the most since `most` was set
    """

    def __init__(self) -> None:
        self.limit, self.used, self.most = 1 << 33, 0, 0

    def take(self, array: np.ndarray) -> None:
        """Count the memory of a new array until it is gone.

        Raises
        ------
        MemoryError
            It is more than is left.
        """
        if not array.flags.owndata:
            return
        if self.used + array.nbytes > self.limit:
            raise MemoryError(
                f"Out of memory allocating {array.nbytes:,} bytes (allocated so far: {self.used:,} bytes)"
            )
        self.used += array.nbytes
        self.most = max(self.most, self.used)
        weakref.finalize(array, self._give_back, array.nbytes)

    def _give_back(self, size: int) -> None:
        self.used -= size


pool = Pool()
