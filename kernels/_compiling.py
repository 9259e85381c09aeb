"""Who is told that a kernel has to be compiled: it takes seconds, and whoever waits wants to know why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Listener = Callable[[bool], None]

_waiting: list[Listener] = []


@contextmanager
def on_compiling(listener: Listener) -> Iterator[None]:
    """Within the block, before the first kernel that no cache has is compiled, `listener(kept)` is called, once.

    `kept` says whether compiled kernels are kept on disk for later processes.

    >>> from minicnn import kernels
    >>> with kernels.on_compiling(lambda kept: print("compiling")):
    ...     pass
    """
    _waiting.append(listener)
    try:
        yield
    finally:
        with suppress(ValueError):
            _waiting.remove(listener)


def tell_compiling(kept: bool) -> None:
    """Call the listeners that have not been called; several threads may do so at once."""
    with suppress(IndexError):
        while True:
            _waiting.pop()(kept)
