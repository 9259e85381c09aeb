"""Reading a pickle as data: what it names is compared with a short list and never imported or called.

A pickle is a program for a stack machine; two of its instructions call any Python function it cares to name.
This machine knows the instructions that build plain values, and those two for a NumPy array of bytes alone.
"""

import pickletools
import warnings
from typing import Any

import numpy as np

from minicnn.errors import FileFormatError

_MAX_INSTRUCTIONS = 1_000_000
_RECONSTRUCT = ("numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct")
_NAMES = (*_RECONSTRUCT, "numpy ndarray", "numpy dtype")
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NUMBERS = ("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1")
_BYTES_OF_PYTHON_2 = ("STRING", "BINSTRING", "SHORT_BINSTRING")


def read_plain_pickle(data: bytes, source: str) -> dict[Any, Any]:
    """The dict in a pickle of numbers, strings, lists, tuples, dicts and uint8 arrays (protocols 0 to 3).

    Strings of Python 2 are returned as bytes.

    Parameters
    ----------
    data
        The pickle.
    source
        The file's name, for the error message.

    Raises
    ------
    FileFormatError
        Damaged, too long, not a dict, or with anything else in it: other objects, other arrays, calls.

    Examples
    --------
    >>> import pickle
    >>> read_plain_pickle(pickle.dumps({"labels": [3, 1]}, protocol=2), "example")
    {'labels': [3, 1]}
    """
    machine = _Machine()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # an escape that Python does not know is damage
            for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
                if count == _MAX_INSTRUCTIONS:
                    raise ValueError(f"it has more than {_MAX_INSTRUCTIONS:,} instructions")
                machine.step(opcode.name, argument)
        (result,) = machine.stack
        if not isinstance(result, dict):
            raise ValueError(f"it holds a {type(result).__name__}, not a dict")
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        DeprecationWarning,
        RecursionError,
    ) as error:
        raise FileFormatError(
            f"{source}: not a pickle of plain data ({error}); it was not run. Remove the file and fetch it again"
        ) from None
    return {key: value.array if isinstance(value, _Array) else value for key, value in result.items()}


class _Name(str):
    """A name from the list, which stands for itself."""


class _Array:
    """An array whose values come later, by BUILD."""

    array: np.ndarray | None = None


class _ByteType:
    """The dtype uint8; what BUILD adds to it (byte order, alignment) means nothing for single bytes."""


class _Machine:
    """The stack, the places marked on it, and the values remembered by number."""

    def __init__(self):
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Carry out one instruction."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _NUMBERS or name in ("BINUNICODE", "UNICODE", "BINBYTES", "SHORT_BINBYTES"):
            self.stack.append(argument)
        elif name in _BYTES_OF_PYTHON_2:
            self.stack.append(argument.encode("latin-1"))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[int(argument)] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self._memo[int(argument)])
        elif name == "MARK":
            self._marks.append(len(self.stack))
        elif name not in ("PROTO", "STOP"):
            self._build(name, argument)

    def _build(self, name: str, argument: Any) -> None:
        """Carry out one instruction that makes or fills a container."""
        stack = self.stack
        match name:
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_TUPLE":
                stack.append(())
            case "LIST":
                stack.append(self._pop_to_mark())
            case "DICT":
                stack.append(_pairs(self._pop_to_mark()))
            case "TUPLE":
                stack.append(tuple(self._pop_to_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self._pop(int(name[-1]))))
            case "APPEND" | "APPENDS":
                values = self._pop(1) if name == "APPEND" else self._pop_to_mark()
                _expect(stack[-1], list).extend(values)
            case "SETITEM" | "SETITEMS":
                values = self._pop(2) if name == "SETITEM" else self._pop_to_mark()
                _expect(stack[-1], dict).update(_pairs(values))
            case "GLOBAL" if argument in _NAMES:
                stack.append(_Name(argument))
            case "REDUCE":
                stack.append(_blank(*self._pop(2)))
            case "BUILD":
                (state,) = self._pop(1)
                _fill(stack[-1], state)
            case _:
                raise ValueError(f"it uses {name} {argument!r}" if argument else f"it uses {name}")

    def _pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise ValueError("it takes from an empty stack")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _pop_to_mark(self) -> list[Any]:
        mark = self._marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"a {kind.__name__} was expected, not {type(value).__name__}")
    return value


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))


def _blank(name: Any, arguments: Any) -> _Array | _ByteType:
    """What the call name(*arguments) stands for, if it is one of the two that are known."""
    if isinstance(name, _Name) and name in _RECONSTRUCT and arguments[0] == "numpy ndarray":
        return _Array()
    if isinstance(name, _Name) and name == "numpy dtype" and arguments[0] in (b"u1", "u1"):
        return _ByteType()
    raise ValueError(f"it calls {name!r:.60} with {arguments!r:.60}")


def _fill(target: Any, state: Any) -> None:
    """Give an array its shape and values."""
    if isinstance(target, _ByteType):
        return
    _, shape, kind, by_columns, values = _expect(state, tuple)
    _expect(kind, _ByteType)
    array = np.frombuffer(_expect(values, bytes), np.uint8)
    _expect(target, _Array).array = array.reshape(_expect(shape, tuple), order="F" if by_columns else "C")
