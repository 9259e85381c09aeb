"""Parameter: a tensor that a model owns and training changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from minicnn.errors import DTypeError, ShapeError

from .tensor import Tensor


class Parameter(Tensor):
    """A named weight with a version.

    The array is made by `initializer(shape, dtype)` when it is first looked at, so that a model whose weights come
    from a file never draws them at random.  It is read-only; the two ways to write, `assign` and `update`, raise
    `version`, by which everything derived from the weights knows whether it is out of date.  `to` moves it to a device.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn.autograd import Parameter
    >>> p = Parameter((2,), initializer=lambda shape, dtype: np.ones(shape, dtype), name="bias")
    >>> with p.update() as array:
    ...     array += 1
    >>> p.numpy(), p.version
    (array([2., 2.], dtype=float32), 1)
    """

    moves: ClassVar[int] = 0  # how often one was moved: what depends on where parameters are looks again then

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: Any = np.float32,
        initializer: Callable[[tuple[int, ...], np.dtype], np.ndarray] | None = None,
        name: str = "weight",
        trainable: bool = True,
    ):
        self._shape, self._dtype = tuple(shape), np.dtype(dtype)
        self._initializer = initializer or np.zeros
        self._array: Any = None
        self.device = "cpu"
        self.precision = "float32"  # of products, as the last model chose that set it: models made later take it over
        self.name = name
        self.trainable = trainable
        self.learnable = trainable  # False for statistics, which no flag makes trainable
        self.regularizer: Any = None  # has penalty(w) and gradient(w)
        self.constraint: Any = None  # a function of the array after an update
        self.version = 0
        self.creator = None
        self.grad = None

    @property
    def array(self) -> Any:
        if self._array is None:
            self.initialize()
        assert self._array is not None
        return self._array

    @property
    def requires_grad(self) -> bool:
        return self.trainable

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def dtype(self) -> np.dtype:
        return self._dtype

    def checked(self, values: Any, owner: str | None = None) -> np.ndarray:
        """`values` as an array, when they may replace the numbers.

        Raises
        ------
        ShapeError, DTypeError
            The values have another shape, or are no real numbers.
        """
        owner = self.name if owner is None else owner
        if hasattr(values, "get"):  # an array of a device
            values = values.get()
        try:
            array = np.asarray(values)
        except ValueError as error:  # lists of different lengths
            raise ShapeError(f"{owner}: expected values of shape {self._shape}, got no array ({error})") from None
        if array.shape != self._shape:
            raise ShapeError(f"{owner}: expected values of shape {self._shape}, got {array.shape}")
        if not np.can_cast(array.dtype, self._dtype, "same_kind"):
            raise DTypeError(f"{owner}: expected real numbers, got {array.dtype}")
        return array

    def assign(self, values: Any) -> None:
        """Replace the numbers by a copy of others; raises as `checked`."""
        self._keep(np.array(self.checked(values), self._dtype, order="C"))

    def adopt(self, values: np.ndarray) -> None:
        """`assign` without a copy, for an array that nobody else will write to."""
        self._keep(np.asarray(self.checked(values), self._dtype, order="C"))

    def rewrite(self, values: Any) -> None:
        """Write an array of this shape and dtype, of the host or of the device, over the numbers: no memory is needed.

        `assign` replaces them by a copy.
        """
        from minicnn.kernels import device

        with self.update() as array:
            if self.device == "cpu":
                array[...] = values
            else:
                device(self.device).write(array, values)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        # With an address here, NumPy would keep this Parameter alive, not the array, which assign() may replace.
        array = self.numpy()
        return {**array.__array_interface__, "data": array}

    def initialize(self) -> None:
        """Replace the numbers by those that the initializer gives."""
        self._keep(self._initializer(self._shape, self._dtype).astype(self._dtype, copy=False))

    @contextmanager
    def update(self) -> Iterator[Any]:
        """Within the block, a writable view of the numbers, on their device."""
        array, on_host = self.array, self.device == "cpu"
        if on_host:
            array.flags.writeable = True
        try:
            yield array
        finally:
            if on_host:
                array.flags.writeable = False
            self.version += 1

    def to(self, device: str) -> None:
        """Move the numbers to a device: "cpu", "cuda"; nothing happens where they are there."""
        self.prepare_move(device)()

    def prepare_move(self, device: str) -> Callable[[], None]:
        """Copy the numbers to a device; the function puts the copy in their place, for which it needs no memory."""
        if device == self.device:
            return lambda: None
        from minicnn.kernels import to_device

        array = None if self._array is None else to_device(self._array, device, wait=True)

        def finish() -> None:
            self.device = device
            if array is not None:
                self._keep(array)
            Parameter.moves += 1

        return finish

    def _keep(self, array: Any) -> None:
        if self._array is not None:
            self.version += 1
        if self.device == "cpu":
            array.flags.writeable = False
        else:
            from minicnn.kernels import to_device

            array = to_device(array, self.device, wait=True)
        self._array = array
