"""Two switches of the current thread: whether operations are remembered for backward, and who listens to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_grad_enabled: ContextVar[bool] = ContextVar("minicnn_grad_enabled", default=True)
_listener: ContextVar[Any] = ContextVar("minicnn_listener", default=None)


def grad_enabled() -> bool:
    """Whether operations on tensors are remembered for a backward pass."""
    return _grad_enabled.get()


@contextmanager
def no_grad() -> Iterator[None]:
    """Within the block nothing is remembered: less memory, and no gradients.

    >>> import minicnn
    >>> with minicnn.no_grad():
    ...     y = minicnn.Tensor([1.0], requires_grad=True) * 2
    >>> y.requires_grad
    False
    """
    token = _grad_enabled.set(False)
    try:
        yield
    finally:
        _grad_enabled.reset(token)


def listener() -> Any:
    """The function that is told of each operation, or None."""
    return _listener.get()


@contextmanager
def listening(function: Any) -> Iterator[None]:
    """Within the block, `function(operation, inputs, options, output)` is called after every operation."""
    token = _listener.set(function)
    try:
        yield
    finally:
        _listener.reset(token)
