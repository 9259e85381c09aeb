"""Embedding: a learned row of numbers for each word, or other thing, of a list."""

from typing import Any

from minicnn import ops
from minicnn.arguments import switch, whole_number
from minicnn.autograd import Tensor
from minicnn.errors import UnsupportedError

from .convolution import add_parameter, set_parameter_options
from .layer import Layer
from .symbolic import Shape

EXACT = 2**24  # whole numbers below it are exact in float32, in which inputs come


class Embedding(Layer):
    """y (...,E) = embeddings[x (...)], embeddings (V,E), V = input_dim, E = output_dim

    With `mask_zero`, later layers leave out the steps at which x is 0.

    >>> from minicnn.layers import Embedding, Input
    >>> Embedding(1000, 8)(Input((20,))).shape
    (None, 20, 8)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        **options: Any,
    ):
        super().__init__(**options)
        owner = f"layer {self.name}"
        self.input_dim = whole_number(owner, "input_dim", input_dim, 1)
        self.output_dim = whole_number(owner, "output_dim", output_dim, 1)
        if self.input_dim > EXACT:
            raise UnsupportedError(f"{owner}: input_dim {input_dim}; at most {EXACT} rows can be told apart")
        set_parameter_options(self, "embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        self.mask_zero = switch(owner, "mask_zero", mask_zero)

    def build(self, input_shape: Shape) -> None:
        self.embeddings = add_parameter(self, "embeddings", (self.input_dim, self.output_dim))
        self.built = True

    @property
    def makes_mask(self) -> bool:  # type: ignore[override]
        return self.mask_zero

    def call(self, x: Tensor, training: bool) -> Tensor:
        y = ops.embedding(x, self.embeddings)
        y.mask = ops.unlike(x, 0.0) if self.mask_zero else None
        return y

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)
