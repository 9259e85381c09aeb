"""Masking: the steps of sequences that say nothing."""

from typing import Any

from minicnn import ops
from minicnn.arguments import number
from minicnn.autograd import Tensor

from .layer import Layer


class Masking(Layer):
    """y = x, with zeros at the steps whose numbers all are `mask_value`; later layers leave these steps out.

    >>> import numpy as np
    >>> from minicnn.layers import Masking
    >>> Masking(-1.0)(np.array([[[-1.0, -1.0], [-1.0, 3.0]]], np.float32)).mask.numpy()
    array([[0., 1.]], dtype=float32)
    """

    supports_masking = True
    makes_mask = True

    def __init__(self, mask_value: float = 0.0, **options: Any):
        super().__init__(**options)
        self.mask_value = number(f"layer {self.name}", "mask_value", mask_value, "(-inf, inf)")

    def call(self, x: Tensor, training: bool) -> Tensor:
        mask = ops.unlike(x, self.mask_value, any_of_last=True)
        y = ops.masked(x, mask)
        y.mask = mask
        return y
