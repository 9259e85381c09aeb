"""Input, and layers that only scale."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from minicnn.arguments import numbers
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError

from .layer import Layer, check_size
from .symbolic import Node, Shape, SymbolicTensor


class InputLayer(Layer):
    """The place where data enters a model: `shape` of one sample, or `batch_shape` with the batch axis.

    >>> from minicnn.layers import InputLayer
    >>> InputLayer((32, 32, 3)).output.shape
    (None, 32, 32, 3)
    """

    def __init__(
        self, shape: Any = None, batch_size: int | None = None, batch_shape: Shape | None = None, **options: Any
    ):
        super().__init__(**options)
        shape = self.input_shape_argument if shape is None else shape
        if (shape is None) == (batch_shape is None):
            raise ArgumentError("Input takes shape=(H,W,C), the shape of one sample, or batch_shape=(None,H,W,C)")
        whole = (batch_size, *np.atleast_1d(np.array(shape, object))) if batch_shape is None else batch_shape
        if not all(size is None or isinstance(size, Integral) for size in whole):
            raise ArgumentError(f"Input {self.name}: {tuple(whole)[1:]} is no shape of a sample")
        self.batch_shape = tuple(None if size is None else int(size) for size in whole)
        if len(self.batch_shape) < 2 or any(size is not None and size < 1 for size in self.batch_shape[1:]):
            raise ArgumentError(f"Input {self.name}: {self.batch_shape[1:]} is no shape of a sample")
        self.built = True
        check_size(self, "a sample", self.batch_shape[1:])
        self.nodes.append(Node(self, (), [self.batch_shape], self.dtype, 0))

    def call(self, inputs: Tensor, training: bool) -> Tensor:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self.batch_shape

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": str(self.dtype), "batch_shape": list(self.batch_shape)}


def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    name: str | None = None,
    batch_shape: Shape | None = None,
) -> SymbolicTensor:
    """A symbolic tensor for samples of a shape; None in it stands for any size.

    >>> from minicnn.layers import Input
    >>> Input((None, None, 3)).shape
    (None, None, None, 3)
    """
    return InputLayer(shape, batch_size, batch_shape, dtype=dtype, name=name or None).output


class Rescaling(Layer):
    """y = x scale + offset, each a number or one for each channel.

    >>> from minicnn.layers import Rescaling
    >>> Rescaling(1 / 127.5, offset=-1.0)(np.array([[0.0, 255.0]], np.float32)).numpy()
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **options: Any):
        super().__init__(**options)
        owner = f"layer {self.name}"  # a config holds lists, not arrays
        self.scale, self.offset = (numbers(owner, key, v).tolist() for key, v in (("scale", scale), ("offset", offset)))

    def call(self, x: Tensor, training: bool) -> Tensor:
        scaled = x * Tensor(np.asarray(self.scale, x.dtype))
        return scaled + Tensor(np.asarray(self.offset, x.dtype)) if np.any(self.offset) else scaled
