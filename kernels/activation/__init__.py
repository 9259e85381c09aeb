"""activation: the contract.

    y = f(x),   dx = dy * f'(x)

x, y, dy, dx of any shape, one float dtype.  A name ("relu", "swish", ...) with its parameters stands for one of the
formulas of `reference.py`: relu, relu6 and leaky_relu are one formula with three settings.

Where a function has a corner, its slope there is the one that Keras uses: 0 for relu at 0 and for relu6 at 6,
`negative_slope` for leaky_relu at 0, 0 at both ends of a hard sigmoid.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .._arrays import output_array, same_dtype
from .._registry import Operation

ALL = ("forward", "backward")
INFINITY = float("inf")


def _default(direction: str, *arguments) -> str:
    return "v2_vector"


OPERATION = Operation("activation", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the formula, one number at a time")
OPERATION.rung("v1_numpy", "blas", ALL, "the formula on whole arrays, a pass over memory for every operation in it")
OPERATION.rung(
    "v2_vector", "cpu", ALL, "one compiled pass, with an exponential that runs in vector registers", replays=True
)
OPERATION.rung("v1_direct", "cuda", ALL, "a thread for every number", device="cuda")
OPERATION.rung("v2_vector", "cuda", ALL, "a thread for four numbers, read and written at once", device="cuda")

Formula = tuple[str, tuple[float, ...]]


def _relu(negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Formula:
    return "rectifier", (negative_slope, INFINITY if max_value is None else max_value, threshold)


def _swish() -> Formula:
    return "swish", ()


def _hard_swish() -> Formula:
    return "hard_swish", (3.0,)


# The parameters of a function here are the parameters of the activation, with Keras' defaults.
ACTIVATIONS: dict[str, Callable[..., Formula]] = {
    "linear": lambda: ("linear", ()),
    "relu": _relu,
    "relu6": lambda: _relu(max_value=6.0),
    "leaky_relu": lambda negative_slope=0.2: _relu(negative_slope),
    "elu": lambda alpha=1.0: ("elu", (alpha, 1.0)),
    "celu": lambda: ("elu", (1.0, 1.0)),
    "selu": lambda: ("elu", (1.6732632423543772, 1.0507009873554805)),
    "gelu": lambda approximate=False: ("gelu_tanh" if approximate else "gelu", ()),
    "sigmoid": lambda: ("sigmoid", ()),
    "hard_sigmoid": lambda: ("hard_sigmoid", (3.0,)),
    "sparse_sigmoid": lambda: ("hard_sigmoid", (1.0,)),
    "hard_sigmoid_keras2": lambda: ("hard_sigmoid", (2.5,)),
    "tanh": lambda: ("tanh", ()),
    "softplus": lambda: ("softplus", ()),
    "softsign": lambda: ("softsign", ()),
    "swish": _swish,
    "silu": _swish,
    "hard_swish": _hard_swish,
    "hard_silu": _hard_swish,
    "exponential": lambda: ("exponential", ()),
    "mish": lambda: ("mish", ()),
}


def forward(
    x: np.ndarray, name: str, *, rung: str | None = None, out: np.ndarray | None = None, **parameters: Any
) -> np.ndarray:
    """y = f(x).

    Parameters
    ----------
    x : any shape
    name : one of `ACTIVATIONS`
    out : array for y, which may be x itself; made when None
    parameters : negative_slope, max_value, threshold (relu); negative_slope (leaky_relu); alpha (elu);
        approximate (gelu: the tanh formula instead of the error function)

    Raises
    ------
    ArgumentError
        A name or parameter that is not known.
    ShapeError, DTypeError

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn import kernels
    >>> kernels.activation.forward(np.array([-1.0, 0.5, 9.0]), "relu", max_value=6.0)
    array([0. , 0.5, 6. ])
    """
    same_dtype("activation", x=x)
    formula, numbers = resolve(name, parameters)
    y = output_array(out, x.shape, x, "activation")
    return OPERATION.run("forward", x, x, formula, numbers, y, rung=rung)


def backward(
    x: np.ndarray,
    y: np.ndarray,
    dy: np.ndarray,
    name: str,
    *,
    rung: str | None = None,
    out: np.ndarray | None = None,
    **parameters: Any,
) -> np.ndarray:
    """dx = dy * f'(x), where y = f(x) has been kept from the forward pass; `out` may be dy itself."""
    same_dtype("activation", x=x, y=y, dy=dy)
    if not x.shape == y.shape == dy.shape:
        raise ShapeError(f"activation: x {x.shape}, y {y.shape} and dy {dy.shape} must have one shape")
    formula, numbers = resolve(name, parameters)
    dx = output_array(out, x.shape, x, "activation")
    return OPERATION.run("backward", x, x, y, dy, formula, numbers, dx, rung=rung)


def resolve(name: str, parameters: dict[str, Any]) -> Formula:
    """(formula, its numbers) of an activation by name."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ArgumentError(f"there is no activation {name!r}; there are {', '.join(ACTIVATIONS)}")
    try:
        return ACTIVATIONS[name](**parameters)
    except TypeError:
        raise ArgumentError(f"activation {name!r} does not take {', '.join(parameters)}") from None


def slope_is_that_of_output(name: str, **parameters: Any) -> bool:
    """Whether f'(x) can be had from y = f(x) alone: `backward(y, y, dy, name)` is then `backward(x, y, dy, name)`.

    So it is where the formula reads y, or x only to see on which side of 0 it lies, and y lies on the same side.
    """
    formula, numbers = resolve(name, parameters)
    if formula == "rectifier":
        negative_slope, most, threshold = numbers
        return negative_slope >= 0 and most > 0 and threshold == 0
    return formula in ("sigmoid", "tanh", "exponential") or (formula == "elu" and min(numbers) >= 0)
