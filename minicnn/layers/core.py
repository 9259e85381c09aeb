"""Input, and layers that only scale."""

from typing import Any

import numpy as np

from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError

from .layer import Layer
from .symbolic import Node, Shape, SymbolicTensor


class InputLayer(Layer):
    """The place where data enters a model."""

    def __init__(self, batch_shape: Any, **options: Any):
        super().__init__(**options)
        self.batch_shape = tuple(None if size is None else int(size) for size in batch_shape)
        if len(self.batch_shape) < 2 or any(size is not None and size < 1 for size in self.batch_shape[1:]):
            raise ArgumentError(f"Input {self.name}: {self.batch_shape[1:]} is no shape of a sample")
        self.built = True
        self.nodes.append(Node(self, (), [self.batch_shape], self.dtype, 0))

    def call(self, inputs: Tensor, training: bool) -> Tensor:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self.batch_shape


def Input(
    shape: Shape | None = None,
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
    if (shape is None) == (batch_shape is None):
        raise ArgumentError("Input takes shape=(H,W,C), the shape of one sample, or batch_shape=(None,H,W,C)")
    whole = (batch_size, *np.atleast_1d(np.array(shape, object))) if batch_shape is None else tuple(batch_shape)
    return InputLayer(whole, dtype=dtype, name=name or None).output


class Rescaling(Layer):
    """y = x scale + offset, each a number or one for each channel.

    >>> from minicnn.layers import Rescaling
    >>> Rescaling(1 / 127.5, offset=-1.0)(np.array([[0.0, 255.0]], np.float32)).numpy()
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **options: Any):
        super().__init__(**options)
        self.scale, self.offset = scale, offset

    def call(self, x: Tensor, training: bool) -> Tensor:
        scaled = x * Tensor(np.asarray(self.scale, x.dtype))
        return scaled + Tensor(np.asarray(self.offset, x.dtype)) if np.any(self.offset) else scaled
