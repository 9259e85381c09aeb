"""A convolution, depthwise or transposed ones too, as PyTorch computes it: cuDNN on images with channels last.

Where Keras pads one side more than the other, which PyTorch cannot, images and kernels are mirrored before the clock
starts, so that the padding falls to the other side (`minicnn.bench.peers.network`).  The products are the same ones.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from minicnn.bench.cases import Case
from minicnn.kernels import Window, resolve_window

Shape = tuple[int, ...]


class Peer(NamedTuple):
    """What is timed, and how its result becomes minicnn's; None where values cannot be compared."""

    run: Callable[[], Any]
    result: Callable[[Any], Any] | None


def convolution(torch: Any, case: Case, operands: list[Any]) -> Peer | None:
    """One direction on tensors in minicnn's order of axes; None where no padding of PyTorch's fits."""
    first, second, *shape = operands
    x_shape = shape[0] if case.direction == "backward_input" else first.shape
    w_shape = shape[0] if case.direction == "backward_weights" else second.shape
    made = _geometry(torch, case, tuple(x_shape), tuple(w_shape))
    if made is None:
        return None
    pixels, weights = (1, 2), (0, 1)
    first = made.turned(first, pixels)
    second = made.turned(second, pixels if case.direction == "backward_weights" else weights)
    return {"forward": made.forward, "backward_input": made.backward_input, "backward_weights": made.backward_weights}[
        case.direction
    ](first, second)


def channels_first(x: Any) -> Any:
    """(N,H,W,C) seen as (N,C,H,W): channels last in memory, as PyTorch calls it."""
    return x.permute(0, 3, 1, 2)


def channels_last(y: Any) -> Any:
    """(N,C,H,W) seen as (N,H,W,C)."""
    return y.permute(0, 2, 3, 1)


def _geometry(torch: Any, case: Case, x_shape: Shape, w_shape: Shape) -> "Geometry | None":
    """The window in PyTorch's terms; that of a transposed convolution slides over its output."""
    from minicnn.bench.peers.network import padding

    options = case.call.keywords
    strides, transposed = options["strides"], case.op == "conv2d_transpose"
    size: Any = tuple(n * s for n, s in zip(x_shape[1:3], strides)) if transposed else x_shape[1:3]
    dilation, groups = options.get("dilation", (1, 1)), options.get("groups", 1)
    window = resolve_window(size, (w_shape[0], w_shape[1]), strides, options["padding"], dilation, groups)
    step = {**window._asdict(), "size": size, "taps": w_shape[:2]}
    for mirrored in (False, True):
        sides = padding(step, mirrored)
        if sides is not None:
            made = Geometry(torch, case.op, window, sides, x_shape, w_shape, mirrored)
            return made if not transposed or made.spreads_to(size) else None
    return None


class Geometry(NamedTuple):
    """A convolution in PyTorch's terms."""

    torch: Any
    op: str
    window: Window
    sides: Shape
    x_shape: Shape
    w_shape: Shape
    mirrored: bool

    def spreads_to(self, size: Shape) -> bool:
        """Whether a transposed convolution without `output_padding` gives images of a size."""
        sides = zip(self.x_shape[1:3], self.window.strides, self.sides, self.w_shape)
        return all((n - 1) * s - 2 * p + k == out for (n, s, p, k), out in zip(sides, size))

    def turned(self, array: Any, axes: Shape) -> Any:
        return array.flip(*axes) if self.mirrored else array

    @property
    def options(self) -> tuple[Any, ...]:
        """stride, padding, dilation, transposed, output_padding, groups"""
        groups = self.x_shape[3] if self.op == "depthwise_conv2d" else self.window.groups
        transposed = self.op == "conv2d_transpose"
        return self.window.strides, self.sides, self.window.dilation, transposed, (0, 0), groups

    def kernel(self, w: Any) -> Any:
        """(KH,KW,C/groups,F) as (F,C/groups,KH,KW); depthwise, (KH,KW,C,M) as (C M,1,KH,KW)."""
        if self.op == "depthwise_conv2d":
            return w.permute(2, 3, 0, 1).flatten(0, 1)[:, None].contiguous()
        return w.permute(3, 2, 0, 1).contiguous(memory_format=self.torch.channels_last)

    def forward(self, x: Any, w: Any) -> Peer:
        images, kernel = channels_first(x), self.kernel(w)

        def run() -> Any:
            return self.torch.convolution(images, kernel, None, *self.options)

        return Peer(run, lambda y: self.turned(channels_last(y), (1, 2)))

    def backward_input(self, dy: Any, w: Any) -> Peer:
        x = dy.new_empty(self.x_shape)
        return self._gradient(dy, x, self.kernel(w), 0, lambda dx: self.turned(channels_last(dx), (1, 2)))

    def backward_weights(self, x: Any, dy: Any) -> Peer:
        def result(dw: Any) -> Any:
            axes = (0, 1, 2, 3) if self.op == "depthwise_conv2d" else (2, 3, 1, 0)
            dw = dw.permute(2, 3, 0, 1).reshape(self.w_shape) if self.op == "depthwise_conv2d" else dw
            return self.turned(dw.permute(*axes), (0, 1))

        return self._gradient(dy, x, self.kernel(x.new_empty(self.w_shape)), 1, result)

    def _gradient(self, dy: Any, x: Any, w: Any, place: int, result: Callable[[Any], Any]) -> Peer:
        wanted = [place == 0, place == 1, False]
        images, gradients = channels_first(x), channels_first(dy)
        backward = self.torch.ops.aten.convolution_backward
        return Peer(lambda: backward(gradients, images, w, None, *self.options, wanted)[place], result)
