"""gradcheck: a function's gradient against a finite difference, along random directions.

For y = f(x), a random u of y's shape and v of x's shape, the two numbers

    <v, gradient of <u, f(x)>>      and      (<u, f(x + h v)> - <u, f(x - h v)>) / 2 h

agree to the accuracy of the difference.  One backward pass and two forward passes test every entry at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, DTypeError

from .mode import no_grad
from .tensor import Tensor

STEP = 1e-5  # the best compromise of truncation and rounding for float64
RELATIVE, ABSOLUTE = 1e-6, 1e-8


def gradcheck(f: Callable[..., Tensor], inputs: Any, *, directions: int = 3, seed: int = 0) -> bool:
    """True when the gradients of f agree with central differences; raises otherwise.

    Parameters
    ----------
    f : function of the tensors in `inputs` that gives one tensor; keep inputs 1e-3 away from kinks
    inputs : one float64 Tensor or several, those with requires_grad=True are checked
    directions : number of random directions for each input

    Raises
    ------
    DTypeError
        An input is not float64: rounding would hide the error that is looked for.
    ArithmeticError
        A gradient is wrong; the message names the input and both numbers.

    Examples
    --------
    >>> import numpy as np, minicnn
    >>> x = minicnn.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> minicnn.gradcheck(lambda x: x * x, [x])
    True
    """
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if not any(tensor.requires_grad for tensor in tensors):
        raise ArgumentError("gradcheck: no input has requires_grad=True")
    if any(tensor.dtype != np.float64 for tensor in tensors):
        raise DTypeError("gradcheck needs float64 inputs: float32 differences are too coarse")
    generator = np.random.default_rng(seed)
    for _ in range(directions):
        u = generator.standard_normal(f(*tensors).shape)
        for tensor in tensors:
            tensor.zero_grad()
        f(*tensors).backward(u)
        for position, tensor in enumerate(tensors):
            if tensor.requires_grad:
                _check_direction(f, tensors, position, u, generator.standard_normal(tensor.shape))
    return True


def _check_direction(f: Callable[..., Tensor], tensors: list[Tensor], position: int, u: Any, v: Any) -> None:
    tensor = tensors[position]
    analytic = 0.0 if tensor.grad is None else float((tensor.grad.array * v).sum())

    def value(step: float) -> float:
        moved = [*tensors]
        moved[position] = Tensor(tensor.array + step * v)
        with no_grad():
            return float((f(*moved).array * u).sum())

    numeric = (value(STEP) - value(-STEP)) / (2 * STEP)
    if not abs(analytic - numeric) <= ABSOLUTE + RELATIVE * max(abs(analytic), abs(numeric)):
        raise ArithmeticError(
            f"gradient of input {position} (shape {tensor.shape}): backward gives {analytic:.9g} along a random "
            f"direction, the difference quotient {numeric:.9g}"
        )
