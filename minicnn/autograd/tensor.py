"""Tensor: an array that remembers how it was made."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.errors import DTypeError, GraphError, ShapeError

from .arithmetic import Cast
from .backward import sweep
from .function import Node
from .operators import Operators


class Tensor(Operators):
    """An array, its gradient, and the operation that made it.

    Parameters
    ----------
    array : array-like; numbers that are not floating point become float32
    requires_grad : whether backward() is to find the gradient of this leaf

    Attributes
    ----------
    array : the NumPy (or CuPy) array itself, shared, not copied
    grad : Tensor of the same shape after backward(), else None; several backward passes add up
    creator : the remembered operation, None for a leaf
    mask : of a sequence (N,T,...), a tensor (N,T) that is 0 at steps that do not count; layers hand it on

    Examples
    --------
    >>> import minicnn
    >>> x = minicnn.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad.numpy()
    array([2., 4., 6.])
    """

    __array_priority__ = 1000  # NumPy, and CuPy whose arrays have 100, leave `array + tensor` to the tensor
    mask: Tensor | None = None

    def __init__(self, array: Any, requires_grad: bool = False):
        self.array = as_float(array)
        self.requires_grad = requires_grad
        self.creator: Node | None = None
        self.grad: Tensor | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        wants = ", requires_grad=True" if self.requires_grad else ""
        return f"{type(self).__name__}({self.array!r}{wants})"

    def __float__(self) -> float:
        return float(self.array)

    def numpy(self) -> np.ndarray:
        """The numbers as a NumPy array: the same memory, or a copy of what lies on a GPU."""
        return self.array.get() if hasattr(self.array, "get") else self.array

    def item(self) -> float:
        """The one number of a scalar."""
        return self.array.item()

    def detach(self) -> Tensor:
        """The same array as a leaf without a history."""
        return Tensor(self.array)

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this scalar to `.grad` of every leaf that requires one.

        With `gradient`, this tensor may have any shape, and sum(self * gradient) is differentiated.  It is a tensor, an
        array or nested lists of this tensor's shape, on the host or on any device.
        The graph is freed on the way; a second call raises.

        Raises
        ------
        GraphError
            Nothing here requires a gradient, or the graph was used before.
        ShapeError
            The tensor is no scalar and no gradient is given, or it has another shape.
        """
        if not self.requires_grad:
            raise GraphError("backward() on a tensor that does not depend on anything with requires_grad=True")
        if gradient is None:
            if self.size != 1:
                raise ShapeError(f"backward() starts from a scalar; this tensor has shape {self.shape}: sum it first")
            gradient = np.ones_like(self.array)
        else:
            array = gradient.array if isinstance(gradient, Tensor) else as_float(gradient)
            gradient = array.astype(self.dtype, copy=False)
        if gradient.shape != self.shape:
            raise ShapeError(f"backward(): the gradient has shape {gradient.shape}, the tensor {self.shape}")
        sweep(self, self._beside(gradient))

    def _beside(self, array: Any) -> Any:
        """The array itself where it is on this tensor's device, else a copy there."""
        if type(array) is np.ndarray and type(self.array) is np.ndarray:
            return array
        from minicnn.kernels import device_of, to_device

        return to_device(array, device_of(self.array))

    def accumulate(self, gradient: Any) -> None:
        """Add an array to `.grad`."""
        self.grad = Tensor(gradient if self.grad is None else self.grad.array + gradient)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    # Array protocols: NumPy, and anything that speaks DLPack, read the same memory.

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.numpy().__array_interface__

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()


def as_float(array: Any) -> Any:
    """The array itself when it holds floating-point numbers, else a float32 copy.

    Raises
    ------
    ShapeError, DTypeError
        Rows of different lengths; anything but real numbers that NumPy has.
    DeviceError
        Another library's array that is in no memory of the host.
    """
    if hasattr(array, "__dlpack__") and not isinstance(getattr(array, "dtype", None), np.dtype):
        from minicnn.kernels import host_array

        array = host_array(array)
    if isinstance(array, (np.generic, Tensor)) or not isinstance(getattr(array, "dtype", None), np.dtype):
        try:
            array = np.asarray(array)
        except ValueError:
            raise ShapeError("a tensor is made of numbers in rows of equal length") from None
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"a tensor is made of real numbers; got an array of dtype {array.dtype}")
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def cast(x: Tensor, dtype: Any) -> Tensor:
    """x in another floating-point dtype, with its mask; x itself where it is of that one.

    >>> import minicnn
    >>> minicnn.autograd.cast(minicnn.Tensor([1.0]), "float64").dtype
    dtype('float64')
    """
    if x.dtype == dtype:
        return x
    y = Cast.apply(x, dtype=np.dtype(dtype))
    y.mask = None if x.mask is None else cast(x.mask, dtype)
    return y


def from_dlpack(source: Any) -> Tensor:
    """A tensor over the memory of an array of another library (PyTorch, JAX, CuPy ...), on the host or on a GPU.

    >>> import numpy, minicnn
    >>> minicnn.from_dlpack(numpy.ones(3)).shape
    (3,)
    """
    from minicnn.kernels import shared

    return Tensor(shared(source))
