"""An operation that changes the gradient alone."""

from typing import Any

from minicnn.autograd import Context, Function, Tensor


class ReverseGradient(Function):
    """y = x, and dx = -strength dy"""

    @staticmethod
    def forward(ctx: Context, x: Any, *, strength: float) -> Any:
        return x.copy()

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy * dy.dtype.type(-ctx.options["strength"])


def reverse_gradient(x: Tensor, strength: float = 1.0) -> Tensor:
    """x itself; the gradient that comes back is multiplied by -strength (Ganin and Lempitsky, 2015, section 3).

    >>> import minicnn
    >>> x = minicnn.Tensor([1.0, 2.0], requires_grad=True)
    >>> minicnn.ops.reverse_gradient(x, 0.5).sum().backward()
    >>> x.grad.numpy()
    array([-0.5, -0.5])
    """
    return ReverseGradient.apply(x, strength=float(strength))
