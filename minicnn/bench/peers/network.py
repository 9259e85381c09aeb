"""A network in PyTorch, built from the steps and weights that `minicnn.bench.networks` wrote.

Keras pads an even image before a stride of 2 on one side alone, which PyTorch's convolutions cannot.  On the mirrored
image, with mirrored kernels, the same numbers are padded on the other side, and a padding of both sides gives them
without a further pass: a network that has such layers, and none that this would change, is built so.
"""

import io
import json
import math
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

Step = dict[str, Any]
CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
WINDOWS = (*CONVOLUTIONS, "MaxPooling2D", "AveragePooling2D")
ACTIVATIONS: dict[str, Any] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "swish": nn.SiLU,
    "silu": nn.SiLU,
    "hard_swish": nn.Hardswish,
}
IN_PLACE = ("relu", "relu6", "hard_sigmoid", "swish", "silu", "hard_swish")


def load(network: dict[str, Any], logits: bool = False) -> "Network":
    """The network of two files; without its last softmax when `logits` is set."""
    with open(network["steps"], encoding="utf-8") as file:
        steps = json.load(file)
    if logits:
        steps[-1]["activation"] = None
    with np.load(network["weights"]) as arrays:
        return Network(steps, {name: torch.from_numpy(arrays[name]) for name in arrays.files})


class Network(nn.Module):
    """The steps one after another; a value is let go after its last use."""

    def __init__(self, steps: list[Step], weights: dict[str, torch.Tensor]):
        super().__init__()
        windows = [step for step in steps if step["kind"] in WINDOWS]
        one_sided = any(padding(step, False) is None for step in windows)
        rows = [step["shape"] for step in steps if step["kind"] == "Flatten"]
        flat = any(shape[:-1] != [1, 1] for shape in rows)  # then it would matter which pixel is which
        self.mirrored = one_sided and not flat and all(padding(step, True) is not None for step in windows)
        self.places = [(step["inputs"], step["output"]) for step in steps]
        last = {slot: number for number, (inputs, _) in enumerate(self.places) for slot in inputs}
        self.spent = [[slot for slot in inputs if last[slot] == n] for n, (inputs, _) in enumerate(self.places)]
        self.layers, pixels = nn.ModuleList(), {}
        for step, spent in zip(steps, self.spent):
            arrays = [weights[f"{step['layer']}/{i}"] for i in range(4) if f"{step['layer']}/{i}" in weights]
            first = step["inputs"][0]
            self.layers.append(self._layer(step, arrays, pixels.get(first), in_place=first in spent))
            pixels[step["output"]] = step.get("shape") or (pixels.get(first) if step["kind"] == "Dropout" else None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {0: x}
        for layer, (inputs, output), spent in zip(self.layers, self.places, self.spent):
            operands = [values[slot] for slot in inputs]
            for slot in spent:
                values.pop(slot, None)
            values[output] = layer(*operands)
            del operands
        return values[self.places[-1][1]]

    def _layer(self, step: Step, arrays: list[torch.Tensor], pixels: list[int] | None, in_place: bool) -> nn.Module:
        """The module of a step, its activation behind it; in place where the numbers before are needed no more."""
        if step["kind"] in WINDOWS:
            parts = self._window(step, arrays)
        elif step["kind"] == "ZeroPadding2D":
            parts = [nn.ZeroPad2d(around(step["padding"], self.mirrored))]
        else:
            parts = _parts(step, arrays, pixels)
        if name := step["activation"]:
            options = {"inplace": bool(parts) or in_place} if name in IN_PLACE else {}
            parts.append(nn.Softmax(1) if name == "softmax" else ACTIVATIONS[name](**options))
        return parts[0] if len(parts) == 1 else nn.Sequential(*parts)

    def _window(self, step: Step, arrays: list[torch.Tensor]) -> list[nn.Module]:
        """Convolutions or a pool, after a padding of its own where the window cannot have it."""
        sides = padding(step, self.mirrored)
        if sides is None and step["kind"] == "AveragePooling2D":
            raise ValueError(f"layer {step['layer']}: PyTorch has no mean over windows that zeros pad on one side")
        border = -math.inf if step["kind"] == "MaxPooling2D" else 0.0
        before = [] if sides is not None else [nn.ConstantPad2d(around(step["padding"], self.mirrored), border)]
        taps, strides, sides = tuple(step["taps"]), tuple(step["strides"]), sides or (0, 0)
        if step["kind"] == "MaxPooling2D":
            return [*before, nn.MaxPool2d(taps, strides, sides)]
        if step["kind"] == "AveragePooling2D":
            return [nn.AvgPool2d(taps, strides, sides, count_include_pad=False)]
        window = strides, sides, tuple(step["dilation"])
        if step["kind"] == "Conv2D":
            return [*before, self._convolution(arrays[0].permute(3, 2, 0, 1), arrays[1:], window, step["groups"])]
        kernel = arrays[0].permute(2, 3, 0, 1).flatten(0, 1)[:, None]
        if step["kind"] == "DepthwiseConv2D":
            return [*before, self._convolution(kernel, arrays[1:], window, arrays[0].shape[2])]
        pointwise = self._convolution(arrays[1].permute(3, 2, 0, 1), arrays[2:], ((1, 1), (0, 0), (1, 1)), 1)
        return [*before, self._convolution(kernel, [], window, arrays[0].shape[2]), pointwise]

    def _convolution(self, kernel: torch.Tensor, bias: list[torch.Tensor], window: Any, groups: int) -> nn.Module:
        """By a kernel (F,C/groups,KH,KW)."""
        kernel = kernel.flip(2, 3) if self.mirrored else kernel
        channels, taps = kernel.shape[1] * groups, tuple(kernel.shape[2:])
        return _with(nn.Conv2d(channels, len(kernel), taps, *window, groups, bias=bool(bias)), kernel, *bias)


def _parts(step: Step, arrays: list[torch.Tensor], pixels: list[int] | None) -> list[nn.Module]:
    """The modules of a step that is no window."""
    kind = step["kind"]
    if kind == "Dense":
        return [_pointwise(arrays) if step["rank"] == 4 else _linear(arrays, pixels)]
    if kind == "BatchNormalization":
        return [_normalization(step, arrays)]
    if kind == "GlobalAveragePooling2D":
        return [nn.AdaptiveAvgPool2d(1)] if step["keepdims"] else [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if kind == "LayerNormalization":
        return [OfChannels(step["epsilon"], *arrays)]
    if kind == "LayerScale":
        return [Affine(arrays[0], torch.zeros(1), learned=True)]
    if kind == "Affine":
        return [Affine(torch.tensor(step["scale"]), torch.tensor(step["offset"]), learned=False)]
    known: dict[str, Any] = {
        "Add": Sum,
        "Multiply": Product,
        "CustomScaleLayer": lambda: Sum(step["scale"]),
        "Concatenate": Joined,
        "Flatten": nn.Flatten,
        "Pixel": Pixel,
        "Dropout": lambda: nn.Dropout(step["rate"]),
    }
    return [known[kind]()] if kind in known else []


class Sum(nn.Module):
    """x + scale (y + ...)"""

    def __init__(self, scale: float = 1.0):
        super().__init__()
        self.scale = scale

    def forward(self, x: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        for y in others:
            x = x + (y if self.scale == 1 else self.scale * y)
        return x


class Product(nn.Module):
    """x y, where y may have one pixel"""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * y


class Joined(nn.Module):
    """The channels of all one after another."""

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        return torch.cat(x, 1)


class Pixel(nn.Module):
    """A row as the channels of one pixel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)[:, :, None, None]


class Affine(nn.Module):
    """scale x + offset, by channels; the scale may be learned"""

    def __init__(self, scale: torch.Tensor, offset: torch.Tensor, learned: bool):
        super().__init__()
        self.scale = nn.Parameter(scale.float().reshape(-1, 1, 1), requires_grad=learned)
        self.offset = nn.Parameter(offset.float().reshape(-1, 1, 1), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addcmul(self.offset, self.scale, x)


class OfChannels(nn.Module):
    """Layer normalisation of the channels of each pixel."""

    def __init__(self, epsilon: float, gamma: torch.Tensor, beta: torch.Tensor):
        super().__init__()
        self.norm = _with(nn.LayerNorm(len(gamma), epsilon), gamma, beta)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x) if x.ndim == 2 else self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def session(network: Network, shape: tuple[int, ...], threads: int) -> Any:
    """ONNX Runtime's session of a network for images "x" of a shape (N,C,H,W) or another number of them."""
    import onnxruntime  # pyright: ignore[reportMissingImports]

    file, example = io.BytesIO(), torch.zeros(shape)
    names: Any = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "n"}}}
    torch.onnx.export(network.eval(), example, file, dynamo=False, **names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])


def padding(step: Step, mirrored: bool) -> tuple[int, ...] | None:
    """What to pad on both sides of each axis to have a window's outputs, on a mirrored image or not; or None."""
    sides = []
    for n, taps, stride, dilation, (before, after) in zip(
        step["size"], step["taps"], step["strides"], step["dilation"], step["padding"]
    ):
        room = n + before + after - (taps - 1) * dilation - 1
        side = after - room % stride if mirrored else before
        if side < 0 or (room - before - after + 2 * side) // stride != room // stride:
            return None
        sides.append(side)
    return tuple(sides)


def around(sides: list[list[int]], mirrored: bool) -> tuple[int, ...]:
    """(left, right, top, bottom)"""
    (top, bottom), (left, right) = ((side[::-1] if mirrored else side) for side in sides)
    return left, right, top, bottom


def _pointwise(arrays: list[torch.Tensor]) -> nn.Module:
    """A dense layer on the channels of each pixel."""
    return _with(nn.Conv2d(*arrays[0].shape, 1, bias=len(arrays) > 1), arrays[0].T[:, :, None, None], *arrays[1:])


def _linear(arrays: list[torch.Tensor], pixels: list[int] | None) -> nn.Module:
    """A dense layer; the rows of its kernel, where they stand for pixels (H,W,C), in PyTorch's order (C,H,W)."""
    kernel = arrays[0]
    if pixels:
        kernel = kernel.reshape(*pixels, -1).permute(2, 0, 1, 3).reshape(kernel.shape)
    return _with(nn.Linear(*kernel.shape, bias=len(arrays) > 1), kernel.T, *arrays[1:])


def _normalization(step: Step, arrays: list[torch.Tensor]) -> nn.Module:
    """Its gamma, beta or both may be left out."""
    *own, mean, variance = arrays
    made = nn.BatchNorm2d(len(mean), step["epsilon"], 1 - step["momentum"])
    made.running_mean.copy_(mean)
    made.running_var.copy_(variance)
    gamma = own.pop(0) if step["scale"] else torch.ones_like(mean)
    return _with(made, gamma, own[0] if own else torch.zeros_like(mean))


def _with(layer: Any, weight: torch.Tensor, bias: torch.Tensor | None = None) -> nn.Module:
    """The layer with these weights in place of those that it drew."""
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer
