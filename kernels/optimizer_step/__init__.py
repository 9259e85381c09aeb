"""optimizer_step: the contract.

    sgd_step, rmsprop_step, adam_step, adagrad_step: move one parameter against its gradient, in place

The parameter, its gradient and its state arrays have one shape and one float dtype, which the step keeps.
A state that is None is left out of the formula: no momentum, not centred, no AMSGrad.
"""

import numpy as np

from minicnn.errors import ArgumentError, ShapeError

from .._arrays import same_dtype
from .._registry import REFERENCE, Operation

ALL = ("sgd", "rmsprop", "adam", "adagrad")


def _default(direction: str, *arguments) -> str:
    """The one-pass rung, except where a view with gaps is to be written."""
    written = [a for i, a in enumerate(arguments) if i != 1 and isinstance(a, np.ndarray)]
    return "v1_fused" if all(a.flags.c_contiguous for a in written) else REFERENCE


OPERATION = Operation("optimizer_step", __name__, _default)
OPERATION.rung("reference", "reference", ALL, "the formula, one NumPy operation after another")
OPERATION.rung("v1_fused", "cpu", ALL, "one compiled pass: each element is read and written once")
OPERATION.rung("v1_fused", "cuda", ALL, "one pass: a thread for every number", device="cuda")
OPERATION.rung("v2_vector", "cuda", ALL, "a thread for four numbers, read and written at once", device="cuda")


def sgd_step(
    parameter: np.ndarray,
    gradient: np.ndarray,
    velocity: np.ndarray | None = None,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    rung: str | None = None,
) -> None:
    """p ← p - r g,  or with a velocity  v ← m v - r g;  p ← p + v,  with Nesterov  p ← p + m v - r g.

    Raises
    ------
    ShapeError, DTypeError
        Arrays that differ in shape or dtype; nothing is written.

    Examples
    --------
    >>> import numpy as np
    >>> from minicnn.kernels import optimizer_step
    >>> p = np.array([1.0, 2.0])
    >>> optimizer_step.sgd_step(p, np.array([1.0, -1.0]), learning_rate=0.5)
    >>> p
    array([0.5, 2.5])
    """
    _check(parameter=parameter, gradient=gradient, velocity=velocity)
    arguments = (parameter, gradient, velocity, learning_rate, momentum, nesterov, weight_decay)
    OPERATION.run("sgd", parameter, *arguments, rung=rung)


def rmsprop_step(
    parameter: np.ndarray,
    gradient: np.ndarray,
    square: np.ndarray,
    mean: np.ndarray | None = None,
    velocity: np.ndarray | None = None,
    *,
    learning_rate: float,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rung: str | None = None,
) -> None:
    """s ← ρ s + (1-ρ) g²;  p ← p - r g / √(s + ε);  s - a² under the root when there is a mean a of g.

    Raises
    ------
    ShapeError, DTypeError
        Arrays that differ in shape or dtype; nothing is written.
    """
    _check(parameter=parameter, gradient=gradient, square=square, mean=mean, velocity=velocity)
    arguments = (
        parameter,
        gradient,
        square,
        mean,
        velocity,
        learning_rate,
        rho,
        momentum,
        epsilon,
        weight_decay,
    )
    OPERATION.run("rmsprop", parameter, *arguments, rung=rung)


def adam_step(
    parameter: np.ndarray,
    gradient: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    largest: np.ndarray | None = None,
    *,
    learning_rate: float,
    step: int,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rung: str | None = None,
) -> None:
    """a ← β₁ a + (1-β₁) g;  s ← β₂ s + (1-β₂) g²;  p ← p - r √(1-β₂ᵗ) / (1-β₁ᵗ) · a / (√s + ε).

    Parameters
    ----------
    largest : the largest s so far (AMSGrad), or None
    step : t, 1 for the first step of this parameter

    Raises
    ------
    ShapeError, DTypeError
        Arrays that differ in shape or dtype; nothing is written.
    ArgumentError
        A step below 1.
    """
    if step < 1:
        raise ArgumentError(f"optimizer_step: steps count from 1; step is {step}")
    _check(parameter=parameter, gradient=gradient, mean=mean, square=square, largest=largest)
    scalars = (learning_rate, beta_1, beta_2, epsilon, weight_decay, step)
    OPERATION.run("adam", parameter, parameter, gradient, mean, square, largest, *scalars, rung=rung)


def adagrad_step(
    parameter: np.ndarray,
    gradient: np.ndarray,
    total: np.ndarray,
    *,
    learning_rate: float,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    rung: str | None = None,
) -> None:
    """s ← s + g²;  p ← p - r g / √(s + ε).

    Raises
    ------
    ShapeError, DTypeError
        Arrays that differ in shape or dtype; nothing is written.
    """
    _check(parameter=parameter, gradient=gradient, total=total)
    OPERATION.run("adagrad", parameter, parameter, gradient, total, learning_rate, epsilon, weight_decay, rung=rung)


def _check(**arrays: np.ndarray | None) -> None:
    """Raise unless all arrays that are not None have one shape and one float dtype."""
    same_dtype("optimizer_step", **arrays)
    shapes = {name: array.shape for name, array in arrays.items() if array is not None}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ShapeError(f"optimizer_step: all arrays must have one shape; found {found}")
