"""Input, and layers that hand on or only scale."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import number, numbers, whole_number
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, UnsupportedError

from . import initializers
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
        super().__init__(**{**options, "dtype": float_of(options.get("dtype"))})
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


def float_of(dtype: Any) -> Any:
    """The dtype in which a model holds what enters it as `dtype`: float32 for whole numbers and booleans."""
    name = str(dtype)
    return "float32" if name.startswith(("int", "uint", "bool")) else dtype


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

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **options: Any):
        super().__init__(**options)
        owner = f"layer {self.name}"  # a config holds lists, not arrays
        self.scale, self.offset = (numbers(owner, key, v).tolist() for key, v in (("scale", scale), ("offset", offset)))

    def call(self, x: Tensor, training: bool) -> Tensor:
        scaled = x * Tensor(np.asarray(self.scale, x.dtype))
        return scaled + Tensor(np.asarray(self.offset, x.dtype)) if np.any(self.offset) else scaled


class Identity(Layer):
    """y = x"""

    supports_masking = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        return x


class ActivityRegularization(Layer):
    """y = x, while training adds l1 sum |x| + l2 sum x^2 to the loss; that is not done here, but refused."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Any):
        super().__init__(**options)
        self.l1, self.l2 = (number(f"layer {self.name}", k, v, "[0, inf)") for k, v in (("l1", l1), ("l2", l2)))

    def call(self, x: Tensor, training: bool) -> Tensor:
        if training and (self.l1 or self.l2):
            raise UnsupportedError(
                f"layer {self.name} (ActivityRegularization): penalties on activations are not added to the loss; "
                "take the layer out, or penalise weights (kernel_regularizer)"
            )
        return x


class LayerScale(Layer):
    """y (...,C) = x gamma, gamma (C,) learned from small beginnings (Touvron et al., "Going Deeper with Image
    Transformers", 2021, section 2): a residual block begins as almost nothing, and grows as it learns.

    >>> from minicnn.layers import LayerScale
    >>> LayerScale(0.5, 2)(np.ones((1, 2), np.float32)).numpy()
    array([[0.5, 0.5]], dtype=float32)
    """

    module = "keras.src.applications.convnext"

    def __init__(self, init_values: float, projection_dim: int, **options: Any):
        super().__init__(**options)
        self.init_values = number(f"layer {self.name}", "init_values", init_values, "(-inf, inf)")
        self.projection_dim = whole_number(f"layer {self.name}", "projection_dim", projection_dim, 1)
        self.channels = self.projection_dim

    def build(self, input_shape: Shape) -> None:
        self.gamma = self.add_weight("gamma", (self.projection_dim,), initializers.Constant(self.init_values))
        self.built = True

    def call(self, x: Tensor, training: bool) -> Tensor:
        return ops.multiply(x, self.gamma)
