"""An array of the emulated device: what CuPy's array is on a GPU, and as particular about company.

It is no ndarray, for a subclass of it would be taken by much that CuPy's arrays are not taken by: np.asarray makes a
plain view of it, isinstance says that it is NumPy's, and its flags can be set.  Where this is stricter than CuPy:

- an array of the host among those of the device is refused in functions as well as in arithmetic; CuPy takes it for
  some arguments, as the indices of `take`, and copies it to the device without a word;
- it has those attributes, methods and functions alone that array_names.py lists.

Where it is not as strict: an operation on arrays that CuPy has, but not for these dtypes or arguments, works here.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minicnn.errors import UnsupportedError

from .array_names import BOOLEANS_OF_ARRAYS, CONSTANTS, CREATION, FUNCTIONS, METHODS, REFUSED_OPTIONS, UFUNCS
from .memory import pool

NAME = "cuda-emulated"


NO_WORK = {"empty", "empty_like", "may_share_memory"}
VIEWS = {"reshape", "view", "transpose", "swapaxes", "squeeze", "__getitem__"}  # some of these have to copy
_launches_alone: ContextVar[bool] = ContextVar("launches_alone", default=False)


@contextmanager
def launches_alone() -> Iterator[None]:
    """Within the block, arithmetic on arrays is refused: it would be done at once, where launches are noted."""
    token = _launches_alone.set(True)
    try:
        yield
    finally:
        _launches_alone.reset(token)


def refuse_in_capture(name: str) -> None:
    """Raise where launches are noted: what is no launch would be done at once, and not again."""
    if _launches_alone.get():
        raise UnsupportedError(f"{name} of arrays cannot be captured in the emulator: it is no launch of a kernel")


class Flags(NamedTuple):
    """What CuPy says of an array's memory: nothing of `writeable`."""

    c_contiguous: bool
    f_contiguous: bool
    owndata: bool


class EmulatedArray(NDArrayOperatorsMixin):
    """An array of the device; `host` is its memory, which the emulator alone may know."""

    __slots__ = ("host",)
    __array_priority__ = 100  # CuPy's
    minicnn_device = NAME

    def __init__(self, host: np.ndarray):
        pool.take(host)
        self.host = host

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in UFUNCS:
            raise TypeError(f"CuPy has no {ufunc.__name__}{'' if method == '__call__' else '.' + method}")
        if "out" in options and len(options["out"]) == 1:
            options["out"] = options["out"][0]
        return call(ufunc, inputs, options)

    def __array_function__(self, function: Any, types: Iterable[type], arguments: Any, options: Any) -> Any:
        if function.__name__ not in FUNCTIONS:
            raise TypeError(f"{function.__name__} of arrays of {NAME}: CuPy has none, or array_names.py lacks it")
        return call(function, arguments, options)

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(f"arrays of {NAME} have no {name}: CuPy's have none, or array_names.py lacks it")
        method = getattr(self.host, name)
        return lambda *arguments, **options: call(method, arguments, options)

    def __getitem__(self, key: Any) -> "EmulatedArray":
        return call(self.host.__getitem__, (_views(key),), {}, takes_host=True)

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse_in_capture("assignment")
        self.host[unwrapped(_views(key), "index", takes_host=True)] = unwrapped(value, "assignment")

    def __len__(self) -> int:
        return len(self.host)

    def __iter__(self) -> Iterator["EmulatedArray"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __format__(self, form: str) -> str:
        return format(self.host, form)

    def __repr__(self) -> str:
        return repr(self.host)

    @property
    def flags(self) -> Flags:
        return Flags(*(getattr(self.host.flags, name) for name in Flags._fields))

    @property
    def dtype(self) -> np.dtype:
        return self.host.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.host.shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self.host.strides

    @property
    def ndim(self) -> int:
        return self.host.ndim

    @property
    def size(self) -> int:
        return self.host.size

    @property
    def itemsize(self) -> int:
        return self.host.itemsize

    @property
    def nbytes(self) -> int:
        return self.host.nbytes

    @property
    def T(self) -> "EmulatedArray":
        return EmulatedArray(self.host.T)

    def item(self, *place: int) -> Any:
        """One number for the host."""
        return self.get().item(*place)

    def tolist(self) -> Any:
        """All numbers for the host."""
        return self.get().tolist()

    def get(self) -> np.ndarray:
        """A copy for the host."""
        refuse_in_capture("copy to the host")
        return self.host.copy()

    def set(self, array: np.ndarray) -> None:
        """Copy an array of the host, of this shape and dtype, into this one."""
        refuse_in_capture("copy from the host")
        if not isinstance(array, np.ndarray) or array.dtype != self.dtype:
            raise TypeError(f"an array of the host, of {self.dtype}, can be set; got {array!r}")
        if array.shape != self.shape:
            raise ValueError(f"an array of shape {array.shape} cannot be set to one of {self.shape}")
        self.host[...] = array


def _deferring(operator: Any) -> Any:
    """An operator that leaves the work to an operand which asks for it, as CuPy's do: by its priority."""

    def either(self: EmulatedArray, other: Any) -> Any:
        asks = not hasattr(other, "__array_ufunc__") and getattr(other, "__array_priority__", 0)
        return NotImplemented if asks > self.__array_priority__ else operator(self, other)

    return either


for _name in ("__add__", "__sub__", "__mul__", "__truediv__", "__matmul__", "__pow__"):
    setattr(EmulatedArray, _name, _deferring(getattr(NDArrayOperatorsMixin, _name)))


def _views(key: Any) -> tuple:
    """An index that gives views also where NumPy would give a number."""
    key = key if isinstance(key, tuple) else (key,)
    return key if any(part is Ellipsis for part in key) else (*key, Ellipsis)


def call(function: Any, arguments: Iterable[Any], options: dict[str, Any], takes_host: bool = False) -> Any:
    """NumPy's function on the memory of arrays of the device; its results are of the device, numbers too."""
    name = function.__name__
    if name not in NO_WORK | VIEWS:
        refuse_in_capture(name)
    for option in options:
        if option in REFUSED_OPTIONS:
            raise TypeError(f"{name}: CuPy has no argument {option!r}")
    out = options.get("out")
    with np.errstate(all="ignore"):  # a GPU does not warn
        result = function(
            *(unwrapped(argument, name, takes_host) for argument in arguments),
            **{option: unwrapped(value, name, takes_host) for option, value in options.items()},
        )
    if out is not None:
        return out
    if name in VIEWS and _is_copy(result, function, *arguments):
        refuse_in_capture(name)
    if name in ("empty", "empty_like"):
        _poison(result)
    return wrapped(np.asarray(result) if name in BOOLEANS_OF_ARRAYS else result)


def _is_copy(result: np.ndarray, function: Any, *arguments: Any) -> bool:
    """Whether what may be a view of an array, of which the function is a method or which it takes first, is none."""
    source = getattr(function, "__self__", None)
    source = source if isinstance(source, np.ndarray) else arguments[0].host
    return bool(result.size) and not np.may_share_memory(result, source)


def unwrapped(value: Any, name: str, takes_host: bool = False) -> Any:
    """A value as NumPy sees it, when it may take part; arrays of the host may not."""
    if isinstance(value, EmulatedArray):
        return value.host
    foreign = hasattr(type(value), "__array__") and not isinstance(value, np.generic)
    if foreign and not (takes_host and isinstance(value, np.ndarray)):
        raise TypeError(f"{name}: Unsupported type {type(value)}: no array of {NAME}, among those that are")
    if isinstance(value, (tuple, list)):
        return type(value)(unwrapped(part, name, takes_host) for part in value)
    return value


def wrapped(value: Any) -> Any:
    """A result of NumPy as one of the device: also a single number, which CuPy keeps there."""
    if isinstance(value, (np.ndarray, np.generic)):
        return EmulatedArray(np.asarray(value))
    if isinstance(value, (tuple, list)):
        return type(value)(map(wrapped, value))
    return value


def _poison(array: np.ndarray) -> None:
    """NaN and -1 in new memory: what no kernel writes shows."""
    array[...] = np.frombuffer(b"\xff" * array.itemsize, array.dtype)[0]


class ArrayModule:
    """What `cupy` is for arrays of the device: NumPy's functions that it has."""

    ndarray = EmulatedArray

    def __getattr__(self, name: str) -> Any:
        if name in CONSTANTS:
            return getattr(np, name)
        if name not in FUNCTIONS | UFUNCS | CREATION:
            raise AttributeError(f"the array module of {NAME} has no {name}: CuPy has none, or array_names.py lacks it")
        function = getattr(np, name)
        return lambda *arguments, **options: call(function, arguments, options)

    def array(self, value: Any, dtype: Any = None, order: Any = "K") -> EmulatedArray:
        """A copy, also of what the host has."""
        refuse_in_capture("copy")
        return EmulatedArray(np.array(unwrapped(value, "array", takes_host=True), dtype, order=order))

    def asarray(self, value: Any, dtype: Any = None) -> EmulatedArray:
        """An array of the device as it is; a copy where its dtype changes, and of what the host has."""
        fits = isinstance(value, EmulatedArray) and dtype in (None, value.dtype)
        return value if fits else self.array(value, dtype)

    def ascontiguousarray(self, value: Any, dtype: Any = None) -> EmulatedArray:
        """As `asarray`, and in C order."""
        value = self.asarray(value, dtype)
        return value if value.flags.c_contiguous else self.array(value, order="C")

    def asnumpy(self, value: EmulatedArray) -> np.ndarray:
        """A copy for the host."""
        return value.get()
