"""dropout: the contract.

    y = x mask / (1 - rate),      dx = dy mask / (1 - rate)

The mask is 0 with probability `rate`, else 1; dividing by 1 - rate keeps the expected y equal to x, so that nothing
needs to change in inference.  Source: Srivastava et al., "Dropout", 2014.
"""

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .._arrays import output_array, same_dtype
from .._moving import to_device
from .._registry import REFERENCE, Operation
from .._where import device_of, one_device


def _default(direction: str, *arguments) -> str:
    return REFERENCE


FOURS = "a thread for four numbers, read and written at once"
OPERATION = Operation("dropout", __name__, _default)
OPERATION.rung("reference", "reference", ("forward", "backward"), "the product; drawing the mask takes longer")
OPERATION.rung("v1_direct", "cuda", ("forward", "backward"), "a thread for every number", device="cuda")
OPERATION.rung("v2_vector", "cuda", ("forward", "backward"), FOURS, device="cuda")


def forward(
    x: np.ndarray,
    rate: float,
    generator: np.random.Generator,
    noise_shape: tuple[int | None, ...] | None = None,
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(y, mask); the mask is boolean and broadcasts to x.

    Parameters
    ----------
    x : any shape
    rate : the part of the numbers that is dropped, from 0 to 1
    generator : where the mask comes from
    noise_shape : shape of the mask, None for x's; in it, None stands for x's size and 1 for one number along an axis

    Raises
    ------
    ArgumentError, ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> y, mask = kernels.dropout.forward(np.ones(6), 0.5, np.random.default_rng(0))
    >>> y.tolist()
    [2.0, 2.0, 2.0, 0.0, 0.0, 0.0]
    """
    same_dtype("dropout", x=x)
    scale = _scale(rate)
    mask = to_device(draw_mask(x.shape, rate, generator, noise_shape), device_of(x))
    y = output_array(out, x.shape, x, "dropout")
    return OPERATION.run("forward", x, x, mask, scale, y, rung=rung), mask


def backward(
    dy: np.ndarray, mask: np.ndarray, rate: float, *, rung: str | None = None, out: np.ndarray | None = None
) -> np.ndarray:
    """dx = dy mask / (1 - rate), with the mask that forward gave."""
    same_dtype("dropout", dy=dy)
    one_device("dropout", dy=dy, mask=mask)
    return OPERATION.run("backward", dy, dy, mask, _scale(rate), output_array(out, dy.shape, dy, "dropout"), rung=rung)


def draw_mask(
    shape: tuple[int, ...],
    rate: float,
    generator: np.random.Generator,
    noise_shape: tuple[int | None, ...] | None = None,
) -> np.ndarray:
    """A mask for an array of a shape, False with probability `rate`; `noise_shape` as in `forward`."""
    return generator.random(_mask_shape(shape, noise_shape), dtype=np.float32) >= np.float32(rate)


def _scale(rate: float) -> float:
    """1 / (1 - rate); 0 where everything is dropped."""
    if not 0 <= rate <= 1:
        raise ArgumentError(f"dropout: rate must be from 0 to 1; it is {rate}")
    return 1 / (1 - rate) if rate < 1 else 0.0


def _mask_shape(shape: tuple[int, ...], noise_shape: tuple[int | None, ...] | None) -> tuple[int, ...]:
    if noise_shape is None:
        return shape
    if len(noise_shape) != len(shape) or any(n not in (None, 1, size) for n, size in zip(noise_shape, shape)):
        raise ShapeError(f"dropout: noise_shape {tuple(noise_shape)} must have x's sizes {shape}, 1 or None")
    return tuple(size if n is None else n for n, size in zip(noise_shape, shape))
