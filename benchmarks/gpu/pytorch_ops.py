"""The operations of minicnn's kernels as PyTorch computes them: what a layer is timed against.

Gradients are called as autograd calls them, without its tape.  An operation or direction that is not here has no
counterpart of one call: PyTorch makes it of several, or draws random numbers on the way.
"""

from collections.abc import Callable
from typing import Any

from minicnn.bench.cases import Case

from .pytorch import Torch
from .pytorch_convolution import Peer, channels_first, channels_last, convolution

CONVOLUTIONS = ("conv2d", "depthwise_conv2d", "conv2d_transpose")
EPSILON = 1e-3
Maker = Callable[[Any, Case, list[Any]], Peer | None]
OPERATIONS: dict[tuple[str, str], Maker] = {}


def peer(torch: Torch, case: Case, precision: str) -> Peer | None:
    """A case as PyTorch computes it, in bfloat16 on arrays of bfloat16; None where it has no counterpart."""
    make = convolution if case.op in CONVOLUTIONS else OPERATIONS.get((case.op, case.direction))
    if make is None:
        return None
    dtype = torch.torch.bfloat16 if precision == "bfloat16" else torch.torch.float32
    operands = [torch.tensor(a).to(dtype) if hasattr(a, "dtype") else a for a in case.call.args]
    return make(torch.torch, case, operands)


def _of(op: str, *directions: str) -> Callable[[Maker], Maker]:
    """Note how directions of an operation are computed."""

    def noted(make: Maker) -> Maker:
        OPERATIONS.update({(op, direction): make for direction in directions})
        return make

    return noted


def _same(y: Any) -> Any:
    return y


@_of("dense", "forward", "backward_input", "backward_weights")
def _dense(torch: Any, case: Case, operands: list[Any]) -> Peer:
    a, b = operands[:2]
    a = a.T if case.direction == "backward_weights" else a
    b = b.T if case.direction == "backward_input" else b
    return Peer(lambda: torch.mm(a, b), _same)


@_of("maxpool2d", "forward", "backward")
def _maxpool2d(torch: Any, case: Case, operands: list[Any]) -> Peer:
    x, dy = channels_first(operands[0]), channels_first(operands[-1])
    taps, strides = (list(case.call.keywords[name]) for name in ("pool_size", "strides"))
    if case.direction == "forward":
        return Peer(lambda: torch.max_pool2d(x, taps, strides), channels_last)
    _, places = torch.nn.functional.max_pool2d(x, taps, strides, return_indices=True)
    backward = torch.ops.aten.max_pool2d_with_indices_backward
    return Peer(lambda: backward(dy, x, taps, strides, [0, 0], [1, 1], False, places), channels_last)


@_of("avgpool2d", "forward", "backward")
def _avgpool2d(torch: Any, case: Case, operands: list[Any]) -> Peer:
    first = channels_first(operands[0])
    taps, strides = (list(case.call.keywords[name]) for name in ("pool_size", "strides"))
    if case.direction == "forward":
        return Peer(lambda: torch.nn.functional.avg_pool2d(first, taps, strides), channels_last)
    x = channels_first(first.new_empty(operands[1]))
    backward = torch.ops.aten.avg_pool2d_backward
    return Peer(lambda: backward(first, x, taps, strides, [0, 0], False, True, None), channels_last)


@_of("global_avgpool2d", "forward")
def _global_avgpool2d(torch: Any, case: Case, operands: list[Any]) -> Peer:
    return Peer(lambda: operands[0].mean((1, 2)), _same)


@_of("global_maxpool2d", "forward")
def _global_maxpool2d(torch: Any, case: Case, operands: list[Any]) -> Peer:
    return Peer(lambda: operands[0].amax((1, 2)), _same)


@_of("batchnorm", "forward_train", "backward_train")
def _batchnorm(torch: Any, case: Case, operands: list[Any]) -> Peer:
    """By whichever of its ways PyTorch chooses; the case's gradient has statistics of its own, which it cannot take."""
    x, last = channels_first(operands[0]), operands[2]

    def forward() -> Any:
        return torch._batch_norm_impl_index(x, last, last, None, None, True, 0.1, EPSILON, True)

    if case.direction == "forward_train":
        return Peer(lambda: forward()[0], channels_last)
    dy = channels_first(operands[1])
    _, mean, inverse_std, reserved, way = forward()
    kept = last, None, None, mean, inverse_std, True, EPSILON, [True, True, True], reserved
    backward = torch.ops.aten._batch_norm_impl_index_backward
    return Peer(lambda: backward(way, x, dy, *kept), None)


@_of("layernorm", "forward", "backward")
def _layernorm(torch: Any, case: Case, operands: list[Any]) -> Peer:
    x, second, gamma = operands[:3]
    if case.direction == "forward":
        return Peer(lambda: torch.native_layer_norm(x, gamma.shape, second, gamma, EPSILON)[0], _same)
    mean, inverse_std = operands[3:5]
    backward, wanted = torch.ops.aten.native_layer_norm_backward, [True, True, True]
    return Peer(lambda: backward(second, x, gamma.shape, mean, inverse_std, gamma, gamma, wanted)[0], _same)


@_of("activation", "forward", "backward")
def _activation(torch: Any, case: Case, operands: list[Any]) -> Peer | None:
    x, aten, function = operands[0], torch.ops.aten, torch.nn.functional
    known = {
        "relu": (torch.relu, lambda dy, x: aten.threshold_backward(dy, x, 0)),
        "gelu": (function.gelu, aten.gelu_backward),
        "swish": (function.silu, aten.silu_backward),
    }
    name = next(argument for argument in operands if isinstance(argument, str))
    if name not in known:
        return None
    forward, backward = known[name]
    return Peer(lambda: forward(x), _same) if case.direction == "forward" else Peer(lambda: backward(x, x), None)


@_of("softmax", "forward", "backward")
def _softmax(torch: Any, case: Case, operands: list[Any]) -> Peer:
    if case.direction == "forward":
        return Peer(lambda: torch.softmax(operands[0], -1), _same)
    y, dy = operands[:2]
    return Peer(lambda: torch.ops.aten._softmax_backward_data(dy, y, -1, y.dtype), _same)


@_of("softmax_crossentropy", "forward")
def _crossentropy(torch: Any, case: Case, operands: list[Any]) -> Peer:
    x, target = operands
    return Peer(lambda: torch.nn.functional.cross_entropy(x, target, reduction="none"), _same)


@_of("elementwise", "add", "multiply", "maximum")
def _elementwise(torch: Any, case: Case, operands: list[Any]) -> Peer:
    function, (a, b) = getattr(torch, {"multiply": "mul"}.get(case.direction, case.direction)), operands[:2]
    return Peer(lambda: function(a, b), _same)


@_of("concatenate", "forward")
def _concatenate(torch: Any, case: Case, operands: list[Any]) -> Peer:
    x = operands[0]
    return Peer(lambda: torch.cat([x, x], -1), _same)


@_of("channel_sum", "forward")
def _channel_sum(torch: Any, case: Case, operands: list[Any]) -> Peer:
    x = operands[0]
    return Peer(lambda: x.sum(tuple(range(x.ndim - 1))), _same)


@_of("upsample2d", "forward", "backward")
def _upsample2d(torch: Any, case: Case, operands: list[Any]) -> Peer:
    x = channels_first(operands[0])
    if case.direction == "forward":
        return Peer(lambda: torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear"), channels_last)
    sizes = list(x.shape[2:]), [*x.shape[:2], *(n // 2 for n in x.shape[2:])]
    backward = torch.ops.aten.upsample_bilinear2d_backward
    return Peer(lambda: backward(x, *sizes, False, 2.0, 2.0), channels_last)


@_of("prelu", "forward")
def _prelu(torch: Any, case: Case, operands: list[Any]) -> Peer:
    x, alpha = channels_first(operands[0]), operands[1].flatten()
    return Peer(lambda: torch.prelu(x, alpha), channels_last)


@_of("dropout", "forward", "backward")
def _dropout(torch: Any, case: Case, operands: list[Any]) -> Peer:
    """The product with a mask that is there; drawing it is not timed on either side."""
    x, kept = operands[0], operands[1] > 0.5
    return Peer(lambda: torch.ops.aten.native_dropout_backward(x, kept, 2.0), _same)


@_of("pad2d", "forward")
def _pad2d(torch: Any, case: Case, operands: list[Any]) -> Peer:
    (top, bottom), (left, right) = operands[1]
    return Peer(lambda: torch.nn.functional.pad(operands[0], (0, 0, left, right, top, bottom)), _same)


@_of("optimizer_step", "sgd", "adam")
def _optimizer_step(torch: Any, case: Case, operands: list[Any]) -> Peer:
    p, g, *state = ([array] for array in operands)
    if case.direction == "sgd":
        options = {"weight_decay": 0.0, "momentum": 0.9, "lr": 1e-9, "dampening": 0.0, "nesterov": False}
        return Peer(lambda: torch._fused_sgd_(p, g, *state, **options, maximize=False, is_first_step=False), None)
    steps = [torch.ones((), device=p[0].device)]
    options = {"lr": 1e-9, "beta1": 0.9, "beta2": 0.999, "weight_decay": 0.0, "eps": 1e-7, "amsgrad": False}
    return Peer(lambda: torch._fused_adam_(p, g, *state, [], steps, **options, maximize=False), None)
