"""What a step of training changes beside the weights that it trains, kept for where the step fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn.autograd import Parameter


class Before:
    """Moving statistics, and how far random generators had drawn, as they were before a step.

    Parameters
    ----------
    moving : pairs of a parameter and a copy of its array, on the host or where the parameter is
    streams : the random generators of the layers
    """

    def __init__(self, moving: Sequence[tuple[Parameter, Any]], streams: Sequence[np.random.Generator]):
        self._moving = moving
        self._drawn = [(stream, stream.bit_generator.state) for stream in streams]

    def restore(self) -> None:
        """Make all of it as it was; takes no memory, of which there may be none."""
        for parameter, array in self._moving:
            parameter.rewrite(array)
        for stream, state in self._drawn:
            stream.bit_generator.state = state

    @contextmanager
    def restored(self) -> Iterator[None]:
        """All of it is as it was after the block, however that ends."""
        try:
            yield
        finally:
            self.restore()

    @contextmanager
    def restored_on_error(self) -> Iterator[None]:
        """All of it is as it was where the block raises anything."""
        try:
            yield
        except BaseException:
            self.restore()
            raise
