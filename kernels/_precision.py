"""Of which numbers a GPU makes its products: float32, or what its tensor cores take, which is rounded.

    float32    24 bits of fraction      tf32       11      bfloat16    8      float16    11, and a smaller range

Arrays stay float32, and so do sums.  Operands are rounded on their way to the tensor cores.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from minicnn.errors import ArgumentError

PRECISIONS = ("float32", "tf32", "bfloat16", "float16")
ENDINGS = {"tf32": "tensor_tf32", "bfloat16": "tensor_bf16", "float16": "tensor_half"}  # of the names of rungs
_precision: ContextVar[str] = ContextVar("minicnn_precision", default="float32")


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Within the block, operations on a GPU that have a rung for such products run on it by default.

    >>> from minicnn import kernels
    >>> with kernels.precision("bfloat16"):
    ...     kernels.current_precision()
    'bfloat16'
    """
    if name not in PRECISIONS:
        raise ArgumentError(f"the precision of products is one of {', '.join(PRECISIONS)}; it is {name!r}")
    token = _precision.set(name)
    try:
        yield
    finally:
        _precision.reset(token)


def current_precision() -> str:
    """One of PRECISIONS."""
    return _precision.get()


def rung_of_precision(rungs: Iterable[str]) -> str | None:
    """The rung among some that makes products of the current precision; None where any is precise enough."""
    ending = ENDINGS.get(current_precision())
    return None if ending is None else next((rung for rung in rungs if rung.endswith(ending)), None)


def rounds(rung: str) -> bool:
    """Whether a rung rounds its operands, so that it runs only where it is asked for."""
    return rung.endswith(tuple(ENDINGS.values()))
