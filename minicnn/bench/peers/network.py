"""A network in PyTorch, built from the steps and weights that `minicnn.bench.networks` wrote.

Keras pads an even image before a stride of 2 on one side alone, which PyTorch's convolutions cannot.  On the mirrored
image, with mirrored kernels, the same numbers are padded on the other side, and a padding of both sides gives them
without a further pass: a network that has such layers, and none that this would change, is built so.
"""

import io
import json
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

Step = dict[str, Any]
WINDOWS = ("Conv2D", "DepthwiseConv2D", "MaxPooling2D")


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
        flat = any(step["kind"] == "Flatten" for step in steps)  # then it would matter which pixel is which
        self.mirrored = one_sided and not flat and all(padding(step, True) is not None for step in windows)
        self.layers, pixels = nn.ModuleList(), {}
        for step in steps:
            arrays = [weights[f"{step['layer']}/{i}"] for i in range(4) if f"{step['layer']}/{i}" in weights]
            self.layers.append(self._layer(step, arrays, pixels.get(step["inputs"][0])))
            pixels[step["output"]] = step.get("shape")
        self.places = [(step["inputs"], step["output"]) for step in steps]
        last = {slot: number for number, (inputs, _) in enumerate(self.places) for slot in inputs}
        self.spent = [[slot for slot in inputs if last[slot] == n] for n, (inputs, _) in enumerate(self.places)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {0: x}
        for layer, (inputs, output), spent in zip(self.layers, self.places, self.spent):
            operands = [values[slot] for slot in inputs]
            for slot in spent:
                values.pop(slot, None)
            values[output] = layer(*operands)
            del operands
        return values[self.places[-1][1]]

    def _layer(self, step: Step, arrays: list[torch.Tensor], pixels: list[int] | None) -> nn.Module:
        kind = step["kind"]
        if kind in WINDOWS:
            parts = self._window(step, arrays)
        elif kind == "Dense":
            parts = [_linear(arrays, pixels)]
        elif kind == "BatchNormalization":
            parts = [_normalization(step, arrays)]
        elif kind == "GlobalAveragePooling2D":
            parts = [nn.AdaptiveAvgPool2d(1)] if step["keepdims"] else [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        else:
            known = {
                "Add": Sum,
                "Flatten": nn.Flatten,
                "Reshape": nn.Flatten,
                "Dropout": lambda: nn.Dropout(step["rate"]),
            }
            parts = [known[kind]()] if kind in known else []
        activations = {"relu": nn.ReLU(inplace=True), "relu6": nn.ReLU6(inplace=True), "softmax": nn.Softmax(1)}
        if step["activation"]:
            parts.append(activations[step["activation"]])
        return parts[0] if len(parts) == 1 else nn.Sequential(*parts)

    def _window(self, step: Step, arrays: list[torch.Tensor]) -> list[nn.Module]:
        """A convolution or a pool, after a padding of its own where the window cannot have it."""
        sides, (top_bottom, left_right) = padding(step, self.mirrored), step["padding"]
        before = [] if sides is not None else [nn.ZeroPad2d((*left_right, *top_bottom))]
        taps, strides, sides = tuple(step["taps"]), tuple(step["strides"]), sides or (0, 0)
        if step["kind"] == "MaxPooling2D":
            return [*before, nn.MaxPool2d(taps, strides, sides)]
        kernel = arrays[0]
        if step["kind"] == "Conv2D":
            kernel, groups = kernel.permute(3, 2, 0, 1), step["groups"]
        else:
            kernel, groups = kernel.permute(2, 3, 0, 1).flatten(0, 1)[:, None], kernel.shape[2]
        kernel = kernel.flip(2, 3) if self.mirrored else kernel
        channels, dilation = kernel.shape[1] * groups, tuple(step["dilation"])
        made = nn.Conv2d(channels, len(kernel), taps, strides, sides, dilation, groups, bias=len(arrays) > 1)
        return [*before, _with(made, kernel, *arrays[1:])]


class Sum(nn.Module):
    """x + y"""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


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


def _linear(arrays: list[torch.Tensor], pixels: list[int] | None) -> nn.Module:
    """A dense layer; the rows of its kernel, where they stand for pixels (H,W,C), in PyTorch's order (C,H,W)."""
    kernel = arrays[0]
    if pixels:
        kernel = kernel.reshape(*pixels, -1).permute(2, 0, 1, 3).reshape(kernel.shape)
    return _with(nn.Linear(*kernel.shape, bias=len(arrays) > 1), kernel.T, *arrays[1:])


def _normalization(step: Step, arrays: list[torch.Tensor]) -> nn.Module:
    made = nn.BatchNorm2d(len(arrays[0]), step["epsilon"], 1 - step["momentum"])
    made.running_mean.copy_(arrays[2])
    made.running_var.copy_(arrays[3])
    return _with(made, *arrays[:2])


def _with(layer: Any, weight: torch.Tensor, bias: torch.Tensor | None = None) -> nn.Module:
    """The layer with these weights in place of those that it drew."""
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer
