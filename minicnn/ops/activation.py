"""Elementwise nonlinearities, softmax, and PReLU."""

from collections.abc import Callable
from typing import Any

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.errors import ArgumentError, ShapeError


class Activation(Function):
    """y = f(x) for one of the named functions of kernels.activation"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, name: str, **parameters: Any) -> Any:
        y = kernels.activation.forward(x, name, **parameters)
        ctx.save(y if kernels.activation.slope_is_that_of_output(name, **parameters) else x, y)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, y = ctx.saved
        return kernels.activation.backward(x, y, dy, **ctx.options)


class Softmax(Function):
    """y = exp(x) / sum of exp(x) along the last axis, or its logarithm"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, log: bool) -> Any:
        y = kernels.softmax.forward(x, log=log)
        ctx.save(x, y)  # a loss may ask for x
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return kernels.softmax.backward(ctx.saved[1], dy, log=ctx.options["log"])


class PReLU(Function):
    """y = x where x > 0, else alpha x"""

    @staticmethod
    def forward(ctx: Context, x: Any, alpha: Any) -> Any:
        ctx.save(x, alpha)
        return kernels.prelu.forward(x, alpha)

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        x, alpha = ctx.saved
        return kernels.prelu.backward(x, alpha, dy)


def finished(
    product: type[Function], operands: tuple[Tensor | None, ...], options: dict[str, Any], name: str | None
) -> Tensor:
    """f(product of operands): in one operation where the slope of f is known from y, else in two."""
    if name in kernels.activation.ACTIVATIONS and kernels.activation.slope_is_that_of_output(name):
        return product.apply(*operands, **options, **finishing(name))
    y = product.apply(*operands, **options)
    return y if name is None else activation(y, name)


def finishing(name: str | None) -> dict[str, str]:
    """The options that say which activation an operation ends with: none where there is none."""
    return {} if name is None else {"activation": name}


def before_activation(y: Any, dy: Any, name: str | None) -> Any:
    """The gradient before f, from y = f(...) and the gradient dy after it; dy itself where there is no f."""
    return dy if name is None else kernels.activation.backward(y, y, dy, name)


def activation(x: Tensor, name: str, **parameters: Any) -> Tensor:
    """y = f(x) for f by Keras' name: "relu", "sigmoid", "softmax", "gelu", ...

    Raises
    ------
    ArgumentError
        The name is unknown, and the message lists the known ones; or a parameter that the function does not have.

    Examples
    --------
    >>> import minicnn
    >>> minicnn.ops.activation(minicnn.Tensor([-1.0, 2.0]), "relu").numpy()
    array([0., 2.])
    """
    if name in ("softmax", "log_softmax"):
        axis = parameters.pop("axis", -1)
        if parameters:
            raise ArgumentError(f"activation {name!r} does not take {', '.join(parameters)}")
        return softmax(x, axis, log=name == "log_softmax")
    if name in COMPOSED:
        if parameters:
            raise ArgumentError(f"activation {name!r} does not take {', '.join(parameters)}")
        return COMPOSED[name](x)
    if name == "linear":
        kernels.activation.resolve(name, parameters)
        return x
    return Activation.apply(x, name=name, **parameters)


def relu(x: Tensor, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0) -> Tensor:
    """Keras' general rectifier: slope (x - threshold) below the threshold, x above it, at most max_value.

    >>> import minicnn
    >>> minicnn.ops.relu(minicnn.Tensor([-1.0, 2.0, 9.0]), max_value=6, negative_slope=0.5).numpy()
    array([-0.5,  2. ,  6. ])
    """
    return Activation.apply(x, name="relu", max_value=max_value, negative_slope=negative_slope, threshold=threshold)


def softmax(x: Tensor, axis: int = -1, log: bool = False) -> Tensor:
    """exp(x) / sum of exp(x) along an axis, computed without overflow; with `log`, its logarithm.

    >>> import minicnn
    >>> minicnn.ops.softmax(minicnn.Tensor([0.0, 0.0])).numpy()
    array([0.5, 0.5])
    """
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"softmax: axis {axis} of an array of shape {x.shape}")
    if axis % x.ndim == x.ndim - 1:
        return Softmax.apply(x, log=log)
    order = [i for i in range(x.ndim) if i != axis % x.ndim] + [axis % x.ndim]
    back = sorted(range(x.ndim), key=order.__getitem__)
    return Softmax.apply(x.transpose(*order), log=log).transpose(*back)


def prelu(x: Tensor, alpha: Tensor) -> Tensor:
    """x where positive, else alpha x; alpha has the shape of one sample, or 1 along shared axes.

    Source: He et al., "Delving Deep into Rectifiers", 2015, equation 1.

    >>> import minicnn
    >>> minicnn.ops.prelu(minicnn.Tensor([[-2.0, 2.0]]), minicnn.Tensor([0.5, 0.5])).numpy()
    array([[-1.,  2.]])
    """
    return PReLU.apply(x, alpha)


COMPOSED: dict[str, Callable[[Tensor], Tensor]] = {  # the rarer activations, of operations that there are
    "hard_shrink": lambda x: relu(x, threshold=0.5) - relu(-x, threshold=0.5),
    "hard_tanh": lambda x: relu(x, max_value=1) - relu(-x, max_value=1),
    "log_sigmoid": lambda x: -activation(-x, "softplus"),
    "soft_shrink": lambda x: relu(x - 0.5) - relu(-x - 0.5),
    "sparse_plus": lambda x: relu(x + 1, max_value=2) ** 2 * 0.25 + relu(x - 1),
    "squareplus": lambda x: (x + (x * x + 4) ** 0.5) * 0.5,
    "tanh_shrink": lambda x: x - activation(x, "tanh"),
}
NAMES = (*kernels.activation.ACTIVATIONS, *COMPOSED, "softmax", "log_softmax")
