"""Every refusal of minicnn is a MinicnnError; each also is the built-in error a caller would expect.

A message names the thing (file, layer, argument), what was expected, what came, and what to do about it,
in one line: what breaks lines in the names of files and layers, or a terminal would act on, is shown as an escape.
"""

MAX_MESSAGE = 4000  # characters; a file may hold names of megabytes


class MinicnnError(Exception):
    """Base class of every error that minicnn raises on purpose."""

    def __str__(self) -> str:
        text = super().__str__()
        cut = text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}... ({len(text):,} characters)"
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


class ShapeError(MinicnnError, ValueError):
    """Arrays whose shapes do not fit together or do not fit the operation."""


class DTypeError(MinicnnError, TypeError):
    """An array of the wrong number type, or operands of different ones."""


class ArgumentError(MinicnnError, ValueError):
    """An argument outside what is allowed: an unknown name, a negative size, a contradiction."""


class UnsupportedError(MinicnnError, NotImplementedError):
    """Something well-formed that minicnn, or the chosen kernel rung, does not do."""


class GraphError(MinicnnError, RuntimeError):
    """A graph of layers or tensors used in a way it cannot be: a cycle, a second backward pass."""


class OutOfMemoryError(MinicnnError, MemoryError):
    """Samples whose arrays do not fit in memory together."""


class DeviceError(MinicnnError, RuntimeError):
    """A device that cannot be used, or a kernel that failed on it."""


class DeviceMemoryError(DeviceError, MemoryError):
    """Arrays that do not fit in the memory of a device."""


class DivergedError(MinicnnError, ArithmeticError):
    """A training whose loss or gradients are NaN or infinite."""


class FileFormatError(MinicnnError, ValueError):
    """A file that is damaged, hostile, or not of the format it should be."""


class FileAccessError(MinicnnError, OSError):
    """A file or folder that is missing, unreadable or unwritable."""


class WeightsMismatchError(MinicnnError, ValueError):
    """Weights that do not fit the model they are loaded into."""


class DataError(MinicnnError, ValueError):
    """Training data that cannot be used: an empty folder, one class, labels that do not match."""


class DownloadError(MinicnnError, OSError):
    """A published file that could not be fetched or does not have its published hash."""


class MissingExtraError(MinicnnError, ImportError):
    """A package that the requested feature needs is not installed; `extra` None: it comes with minicnn itself.

    The package is named too, since on the public index minicnn's own name is another project's.
    """

    def __init__(self, package: str, extra: str | None, purpose: str):
        also = "" if extra is None else f" (extra {extra!r})"
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install {package}{also}")
