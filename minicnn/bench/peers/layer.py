"""One convolution alone, as each engine runs it within a network: y = relu(conv(x, w) + b).

Images and outputs lie in the engine's own layout, and what it prepares of the weights is prepared, before the clock
starts.  A layer is {"step", "x", "w"}: a step as `minicnn.bench.networks` describes it, and the shapes of the images
(N,H,W,C) and of the kernel (KH,KW,C/groups,F).  Every engine draws the same numbers.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

LEAST_SECONDS = 0.03  # a layer is repeated for so long within one timing
Layer = dict[str, Any]


class Ready(NamedTuple):
    """What is timed, and how its result becomes y (N,OH,OW,F)."""

    run: Callable[[], Any]
    outputs: Callable[[Any], np.ndarray]


def respond(ready: Ready, check: str | None) -> dict[str, float]:
    """Seconds of a run; what it computes goes to a file, when one is named."""
    result = ready.run()  # other engines have had the caches meanwhile
    if check:
        np.save(check, ready.outputs(result))
    begun, runs = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < LEAST_SECONDS:
        ready.run()
        runs += 1
    return {"seconds": passed / runs}


def operands(layer: Layer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, w and b; w such that outputs are as large as inputs."""
    generator = np.random.default_rng(0)
    x, w, b = (generator.standard_normal(shape, np.float32) for shape in (layer["x"], layer["w"], layer["w"][-1:]))
    return x, w * np.float32(np.prod(layer["w"][:3]) ** -0.5), b


def minicnn(layer: Layer) -> Ready:
    """The default rung, with its weights prepared as for prediction."""
    from minicnn.kernels import conv2d

    x, w, b = operands(layer)
    step = layer["step"]
    window: Any = {name: tuple(step[name]) for name in ("strides", "dilation")} | {"groups": step["groups"]}
    window["padding"] = tuple(map(tuple, step["padding"]))
    run = partial(conv2d.forward, x, conv2d.prepare(w, x.shape, **window), b, **window, activation="relu")
    return Ready(partial(run, out=run()), np.asarray)


def torch(layer: Layer, threads: int, channels_last: bool = False) -> Ready:
    """oneDNN by way of conv2d and relu_, in one of PyTorch's two layouts."""
    made, images, outputs = _torch_layer(layer, threads, channels_last)
    return _inferring(partial(made.layers[0], images), outputs)


def torch_packed(layer: Layer, threads: int) -> Ready:
    """oneDNN with the ReLU fused and weights in its own order, as PyTorch calls it in a compiled and frozen network."""
    import torch  # pyright: ignore[reportMissingImports]

    made, images, outputs = _torch_layer(layer, threads, True)
    conv, _ = made.layers[0]
    window = list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups
    packed = torch.ops.mkldnn._reorder_convolution_weight(conv.weight.detach(), *window, list(images.shape))
    convolution = torch.ops.mkldnn._convolution_pointwise
    return _inferring(partial(convolution, images, packed, conv.bias, *window, "relu", [], ""), outputs)


def onnxruntime(layer: Layer, threads: int) -> Ready:
    """MLAS, on arrays that are bound once; ONNX Runtime fuses the ReLU."""
    from onnxruntime import OrtValue  # pyright: ignore[reportMissingImports]

    from .network import session

    made, images, outputs = _torch_layer(layer, threads, False)
    ready = session(made, tuple(images.shape), threads)
    y = OrtValue.ortvalue_from_numpy(made(images).detach().numpy())
    binding = ready.io_binding()
    binding.bind_cpu_input("x", images.numpy())
    binding.bind_ortvalue_output("y", y)
    return Ready(partial(ready.run_with_iobinding, binding), lambda _: outputs(y.numpy()))


def _torch_layer(layer: Layer, threads: int, channels_last: bool) -> tuple[Any, Any, Callable[[Any], np.ndarray]]:
    """A network of this one layer, its images, and what makes y (N,OH,OW,F) from its results."""
    import torch  # pyright: ignore[reportMissingImports]

    from .network import Network

    torch.set_num_threads(threads)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x, w, b = operands(layer)
    name = layer["step"]["layer"]
    made = Network([layer["step"]], {f"{name}/0": torch.from_numpy(w), f"{name}/1": torch.from_numpy(b)})
    turn = -1 if made.mirrored else 1
    images = torch.from_numpy(x[:, ::turn, ::turn].copy()).permute(0, 3, 1, 2).contiguous(memory_format=layout)

    def outputs(y: Any) -> np.ndarray:
        return np.asarray(y).transpose(0, 2, 3, 1)[:, ::turn, ::turn]

    return made.eval().to(memory_format=layout), images, outputs


def _inferring(run: Callable[[], Any], outputs: Callable[[Any], np.ndarray]) -> Ready:
    """A run without PyTorch's tape."""
    import torch  # pyright: ignore[reportMissingImports]

    return Ready(torch.inference_mode()(run), outputs)
