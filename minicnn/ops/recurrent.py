"""Recurrent networks: each step as equations, and the one loop over time that all of them share.

A step takes x, what the inputs give to all gates (x = W inputs + b, one dense product for all steps), and the states
before; it gives the states after.  Its gates lie side by side along the last axis, in Keras' order.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from minicnn import kernels
from minicnn.autograd import Context, Function, Tensor
from minicnn.autograd.function import check_dtypes
from minicnn.errors import ShapeError

States = tuple[Any, ...]


class _Product:
    """m = (h d) U + b over all steps, and the sums of its gradients; d is a dropout mask, the same at every step.

    U (U,G) is a matrix, or the kernel (KH,KW,U,G) of a convolution that keeps the size of its images.
    """

    def __init__(self, w: Any, b: Any, dropout: Any):
        self.w, self.b, self.dropout = w, b, dropout
        self.dw = np.zeros_like(w)
        self.db = None if b is None else np.zeros_like(b)

    def forward(self, h: Any) -> Any:
        if self.w.ndim == 4:
            return kernels.conv2d.forward(self._dropped(h), self.w, self.b, padding="same")
        return kernels.dense.forward(self._dropped(h), self.w, self.b)

    def backward(self, h: Any, dm: Any) -> Any:
        """dh; dU and db grow."""
        if self.db is not None:
            self.db += kernels.channel_sum.forward(dm)
        if self.w.ndim == 4:
            self.dw += kernels.conv2d.backward_weights(self._dropped(h), dm, self.w.shape, padding="same")
            return self._dropped(kernels.conv2d.backward_input(dm, self.w, h.shape, padding="same"))
        self.dw += kernels.dense.backward_weights(self._dropped(h), dm)
        return self._dropped(kernels.dense.backward_input(dm, self.w))

    def _dropped(self, h: Any) -> Any:
        return h if self.dropout is None else h * self.dropout


class _Step:
    """Base of the steps: `forward` gives the states after and what `backward` needs of the step."""

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1

    def __init__(self, w: Any, b: Any, dropout: Any, activation: str, recurrent_activation: str):
        self.product = _Product(w, b, dropout)
        self.activation, self.recurrent_activation = activation, recurrent_activation

    def forward(self, x: Any, states: States) -> tuple[States, Any]:
        raise NotImplementedError

    def backward(self, kept: Any, states: States, gradients: States) -> tuple[Any, States]:
        """(dx, gradients of the states before) from the gradients of those after."""
        raise NotImplementedError

    def weight_gradients(self) -> tuple[Any, Any]:
        """(dU, db) of all steps that went backward."""
        return self.product.dw, self.product.db


class SimpleRNNStep(_Step):
    """h' = f(x + h U)

    Source: Elman, "Finding Structure in Time", 1990.
    """

    def forward(self, x: Any, states: States) -> tuple[States, Any]:
        z = x + self.product.forward(states[0])
        h = _squash(z, self.activation)
        return (h,), (z, h)

    def backward(self, kept: Any, states: States, gradients: States) -> tuple[Any, States]:
        z, h = kept
        dz = _slope(z, h, gradients[0], self.activation)
        return dz, (self.product.backward(states[0], dz),)


class LSTMStep(_Step):
    """i, f, o = s(x + h U),  g = a(x + h U),  c' = f c + i g,  h' = o a(c')      gates in the order i, f, g, o

    Sources: Hochreiter & Schmidhuber, "Long Short-Term Memory", 1997; the forget gate f: Gers et al., 2000.
    """

    gates, states = 4, 2

    def forward(self, x: Any, states: States) -> tuple[States, Any]:
        h, c = states
        z = _parts(x + self.product.forward(h), 4)
        i, f, o = (_squash(z[gate], self.recurrent_activation) for gate in (0, 1, 3))
        g = _squash(z[2], self.activation)
        c = f * c + i * g
        s = _squash(c, self.activation)
        return (o * s, c), (z, i, f, g, o, c, s)

    def backward(self, kept: Any, states: States, gradients: States) -> tuple[Any, States]:
        z, i, f, g, o, c, s = kept
        dh, dc = gradients
        dc = dc + _slope(c, s, dh * o, self.activation)
        gate, inner = self.recurrent_activation, self.activation
        passed = (z[0], i, dc * g), (z[1], f, dc * states[1]), (z[3], o, dh * s)
        di, df, do = (_slope(total, y, dy, gate) for total, y, dy in passed)
        dz = np.concatenate([di, df, _slope(z[2], g, dc * i, inner), do], axis=-1)
        return dz, (self.product.backward(states[0], dz), dc * f)


class GRUStep(_Step):
    """z, r = s(x + m),  g = a(x + r m),  h' = z h + (1 - z) g,  where m = h U + b      gates in the order z, r, g

    The reset gate r acts after the product (`reset_after`), as in cuDNN.
    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
    """

    gates = 3

    def forward(self, x: Any, states: States) -> tuple[States, Any]:
        h, (x_z, x_r, x_g) = states[0], _parts(x, 3)
        m_z, m_r, m_g = _parts(self.product.forward(h), 3)
        sums = [x_z + m_z, x_r + m_r]
        z, r = (_squash(total, self.recurrent_activation) for total in sums)
        sums.append(x_g + r * m_g)
        g = _squash(sums[2], self.activation)
        return (z * h + (1 - z) * g,), (sums, z, r, g, m_g)

    def backward(self, kept: Any, states: States, gradients: States) -> tuple[Any, States]:
        (sum_z, sum_r, sum_g), z, r, g, m_g = kept
        h, dh = states[0], gradients[0]
        dz = _slope(sum_z, z, dh * (h - g), self.recurrent_activation)
        dg = _slope(sum_g, g, dh * (1 - z), self.activation)
        dr = _slope(sum_r, r, dg * m_g, self.recurrent_activation)
        dm = np.concatenate([dz, dr, dg * r], axis=-1)
        return np.concatenate([dz, dr, dg], axis=-1), (dh * z + self.product.backward(h, dm),)


class GRUResetBeforeStep(_Step):
    """z, r = s(x + h U),  g = a(x + (r h) U),  h' = z h + (1 - z) g      gates in the order z, r, g

    The reset gate r acts before the product, as in the paper: Cho et al., 2014.
    """

    gates = 3

    def __init__(self, w: Any, b: Any, dropout: Any, activation: str, recurrent_activation: str):
        super().__init__(w, b, dropout, activation, recurrent_activation)
        units, xp = len(w), kernels.array_module(w)
        self.of_gates, self.of_candidate = (
            _Product(xp.ascontiguousarray(part), None, dropout) for part in (w[:, : 2 * units], w[:, 2 * units :])
        )

    def forward(self, x: Any, states: States) -> tuple[States, Any]:
        h, units = states[0], states[0].shape[-1]
        sums = _parts(x[:, : 2 * units] + self.of_gates.forward(h), 2)
        z, r = (_squash(total, self.recurrent_activation) for total in sums)
        sums.append(x[:, 2 * units :] + self.of_candidate.forward(r * h))
        g = _squash(sums[2], self.activation)
        return (z * h + (1 - z) * g,), (sums, z, r, g)

    def backward(self, kept: Any, states: States, gradients: States) -> tuple[Any, States]:
        (sum_z, sum_r, sum_g), z, r, g = kept
        h, dh = states[0], gradients[0]
        dg = _slope(sum_g, g, dh * (1 - z), self.activation)
        reset = self.of_candidate.backward(r * h, dg)
        dz = _slope(sum_z, z, dh * (h - g), self.recurrent_activation)
        dr = _slope(sum_r, r, reset * h, self.recurrent_activation)
        gates = np.concatenate([dz, dr], axis=-1)
        before = dh * z + reset * r + self.of_gates.backward(h, gates)
        return np.concatenate([gates, dg], axis=-1), (before,)

    def weight_gradients(self) -> tuple[Any, Any]:
        return np.concatenate([self.of_gates.dw, self.of_candidate.dw], axis=-1), None


def _parts(z: Any, count: int) -> list[Any]:
    """The gates, which lie side by side along the last axis."""
    size = z.shape[-1] // count
    return [z[..., k * size : (k + 1) * size] for k in range(count)]


def _squash(z: Any, name: str) -> Any:
    """f(z) for f by name."""
    if name in ("softmax", "log_softmax"):
        return kernels.softmax.forward(z, log=name == "log_softmax")
    return z if name == "linear" else kernels.activation.forward(z, name)


def _slope(z: Any, y: Any, dy: Any, name: str) -> Any:
    """dz from dy, where y = f(z)."""
    if name in ("softmax", "log_softmax"):
        return kernels.softmax.backward(y, dy, log=name == "log_softmax")
    return dy if name == "linear" else kernels.activation.backward(z, y, dy, name)


class Recurrence(Function):
    """y[n,t] = all states after step t of sample n, side by side; where mask[n,t] is 0 they stay as they were"""

    @staticmethod
    def forward(ctx: Context, x: Any, w: Any, b: Any, mask: Any, dropout: Any, *initial: Any, kind: type[_Step],
                activation: str, recurrent_activation: str) -> Any:  # fmt: skip
        step = kind(w, b, dropout, activation, recurrent_activation)
        nothing = np.zeros_like(x, shape=(len(x), *x.shape[2:-1], w.shape[-2]))
        states = tuple(nothing if state is None else state for state in initial)
        y = np.empty_like(x, shape=(*x.shape[:-1], w.shape[-2] * step.states))
        trail = []
        for t in range(x.shape[1]):
            after, kept = step.forward(x[:, t], states)
            if any(ctx.needs):
                trail.append((states, kept))
            if mask is not None:
                counts = _counts(mask, t, x)
                after = tuple(np.where(counts, new, old) for new, old in zip(after, states))
            states = after
            y[:, t] = np.concatenate(states, axis=-1)
        ctx.save(step, trail, x.shape, mask)
        return y

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        step, trail, shape, mask = ctx.saved
        dx = np.empty_like(dy, shape=shape)
        through = [0] * step.states  # what comes back from the step after
        for t in reversed(range(shape[1])):
            gradients = tuple(own + later for own, later in zip(_parts(dy[:, t], step.states), through))
            skipped: Any = [0] * step.states
            if mask is not None:
                counts = _counts(mask, t, dy)
                skipped = [np.where(counts, 0, gradient) for gradient in gradients]
                gradients = tuple(np.where(counts, gradient, 0) for gradient in gradients)
            states, kept = trail.pop()
            dx[:, t], before = step.backward(kept, states, gradients)
            through = [share + passed for share, passed in zip(before, skipped)]
        return dx, *step.weight_gradients(), None, None, *through


def _counts(mask: Any, t: int, x: Any) -> Any:
    """Whether step t of each sample counts, as booleans that broadcast to a step of x."""
    return (mask[:, t] != 0).reshape(-1, *[1] * (x.ndim - 2))


def _recurrence(
    name: str, kind: type[_Step], x: Tensor, w: Tensor, b: Tensor | None, initial: Sequence[Tensor | None],
    mask: Tensor | None, dropout: Tensor | None, activations: tuple[str, str],
) -> Tensor:  # fmt: skip
    """The states after every step, when the shapes fit."""
    check_dtypes(name, *(tensor.array for tensor in (x, w, b, dropout, *initial) if tensor is not None))
    ranks = (x.ndim, w.ndim) in ((3, 2), (5, 4))
    if not ranks or not x.shape[1] or (w.shape[-2] * kind.gates, x.shape[-1]) != (w.shape[-1],) * 2:
        raise ShapeError(f"{name}: x (N,T,{kind.gates}U) and w (U,{kind.gates}U) are {x.shape} and {w.shape}")
    state = (x.shape[0], *x.shape[2:-1], w.shape[-2])
    expected = [("b", b, w.shape[-1:]), ("mask", mask, x.shape[:2]), ("dropout", dropout, state)]
    for what, tensor, shape in [*expected, *(("an initial state", h, state) for h in initial)]:
        if tensor is not None and tensor.shape != shape:
            raise ShapeError(f"{name}: {what} must have shape {shape}; it has {tensor.shape}")
    options = {"kind": kind, "activation": activations[0], "recurrent_activation": activations[1]}
    return Recurrence.apply(x, w, b, mask, dropout, *initial, **options)


def simple_rnn(
    x: Tensor, w: Tensor, h: Tensor | None = None, mask: Tensor | None = None, dropout: Tensor | None = None,
    activation: str = "tanh",
) -> Tensor:  # fmt: skip
    """The state h after every step: (N,T,U), from x (N,T,U) and w (U,U); h begins as (N,U), or as 0.

    `mask` (N,T) is 0 where a step is left out; `dropout` (N,U) multiplies the state in the product.

    >>> import numpy as np, minicnn
    >>> x, w = minicnn.Tensor(np.ones((1, 3, 2))), minicnn.Tensor(np.eye(2))
    >>> minicnn.ops.simple_rnn(x, w, activation="linear").numpy()[0, :, 0]
    array([1., 2., 3.])
    """
    return _recurrence("simple_rnn", SimpleRNNStep, x, w, None, [h], mask, dropout, (activation, "linear"))


def lstm(
    x: Tensor, w: Tensor, h: Tensor | None = None, c: Tensor | None = None, mask: Tensor | None = None,
    dropout: Tensor | None = None, activation: str = "tanh", recurrent_activation: str = "sigmoid",
) -> Tensor:  # fmt: skip
    """The states h and c after every step, side by side: (N,T,2U), from x (N,T,4U) and w (U,4U).

    With x (N,T,H,W,4U) and w (KH,KW,U,4U), the recurrent product is a convolution that keeps the size of its images
    (Shi et al., "Convolutional LSTM Network", 2015).  The rest is as in `simple_rnn`.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.lstm(minicnn.Tensor(np.ones((1, 3, 8))), minicnn.Tensor(np.ones((2, 8)))).shape
    (1, 3, 4)
    """
    return _recurrence("lstm", LSTMStep, x, w, None, [h, c], mask, dropout, (activation, recurrent_activation))


def gru(
    x: Tensor, w: Tensor, b: Tensor | None = None, h: Tensor | None = None, mask: Tensor | None = None,
    dropout: Tensor | None = None, activation: str = "tanh", recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
) -> Tensor:  # fmt: skip
    """The state h after every step: (N,T,U), from x (N,T,3U), w (U,3U) and, with reset_after, b (3U,).

    The rest is as in `simple_rnn`.

    >>> import numpy as np, minicnn
    >>> minicnn.ops.gru(minicnn.Tensor(np.ones((1, 3, 6))), minicnn.Tensor(np.ones((2, 6)))).shape
    (1, 3, 2)
    """
    kind = GRUStep if reset_after else GRUResetBeforeStep
    if b is not None and not reset_after:
        raise ShapeError("gru: b belongs to the product of reset_after; without it the bias is part of x")
    return _recurrence("gru", kind, x, w, b, [h], mask, dropout, (activation, recurrent_activation))
