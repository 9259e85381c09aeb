"""Datasets: shape, number type and place of an array; it is read once the caller has named its shape."""

import numpy as np
from numpy.typing import DTypeLike

from minicnn.errors import FileFormatError

from .datatypes import Datatype, read_datatype, read_shape
from .objects import DATASPACE, DATATYPE, EXTERNAL_FILES, ObjectHeader
from .storage import read_storage

PAIRS = Datatype("opaque", 2)


class Dataset:
    """An array in the file, described but not read.

    Attributes
    ----------
    name : str
        Its path in the file.
    shape : tuple of int
    dtype : str
        "float32", "float16", "bfloat16", "int64", ...
    """

    def __init__(self, header: ObjectHeader, name: str, *, bfloat16: bool = False, opaque_bfloat16: bool = False):
        self.name = name
        self._source = header.source
        if header.has(EXTERNAL_FILES):
            raise self._source.refused(f"the dataset {name!r} keeps its data in other files")
        shape = read_shape(header.one(DATASPACE, "shape"))
        if shape is None:
            raise self._source.refused(f"the dataset {name!r} has no data")
        self.shape = shape
        datatype = read_datatype(header.one(DATATYPE, "datatype"))
        bfloat16 = bfloat16 or (opaque_bfloat16 and datatype == PAIRS)
        if bfloat16 and datatype.size == 2:  # h5py has no such type: Keras stores opaque pairs of bytes
            datatype = Datatype("number", 2, np.dtype("<u2"))
        if datatype.dtype is None:
            raise self._source.refused(f"the dataset {name!r} holds {datatype} data, not numbers")
        self.dtype = "bfloat16" if bfloat16 else str(datatype)
        self._storage = read_storage(header, name, shape, datatype.dtype)

    def read(
        self, expected_shape: tuple[int, ...], dtype: DTypeLike = np.float32, out: np.ndarray | None = None
    ) -> np.ndarray:
        """The array, C-contiguous.

        Parameters
        ----------
        expected_shape : tuple of int
            The shape that the caller has a place for; nothing is allocated when the file says another.
        dtype : dtype
            float32, or float64, in which nothing that is stored is rounded.
        out : ndarray, optional
            C-contiguous array of that shape and dtype, to be filled.

        Raises
        ------
        FileFormatError
            The dataset has another shape, or its bytes are not there or not what they should be.
        """
        expected = tuple(int(n) for n in expected_shape)
        if self.shape != expected:
            raise FileFormatError(
                f"{self._source.name}: the dataset {self.name!r} has shape {self.shape}, expected {expected}: "
                f"these are weights of another architecture"
            )
        self._storage.check()
        if out is None:
            out = np.empty(self.shape, dtype)
        if out.size:
            with np.errstate(over="ignore"):  # a float64 beyond float32 becomes inf, which loading reports
                self._storage.read_into(out, _from_bfloat16 if self.dtype == "bfloat16" else _as_stored)
        return out


def _as_stored(values: np.ndarray) -> np.ndarray:
    return values


def _from_bfloat16(values: np.ndarray) -> np.ndarray:
    """bfloat16 is the upper half of a float32."""
    return (values.astype(np.uint32) << 16).view(np.float32)
