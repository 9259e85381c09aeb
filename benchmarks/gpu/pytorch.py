"""PyTorch beside minicnn, in the same process and on the same device: cuDNN, channels last, each shape autotuned."""

import importlib
import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn.kernels import Device

from .device import EMULATED

RATE, MOMENTUM = 1e-5, 0.9  # small enough that rounding errors do not grow from step to step
CALLS_BEFORE_CAPTURE = 3  # as PyTorch asks for
COMPILED = {"predict": "reduce-overhead", "train": "default"}  # the mode of torch.compile; the first has CUDA graphs


def available(device: Device) -> "Torch | None":
    """PyTorch, where it is installed and can compute on the device; on the processor beside the emulated one."""
    if importlib.util.find_spec("torch") is None:
        return None
    torch = importlib.import_module("torch")
    if device.name == EMULATED:
        return Torch(torch, device, "cpu")
    return Torch(torch, device, "cuda") if torch.cuda.is_available() else None


class Torch:
    """PyTorch's side of a measurement."""

    def __init__(self, torch: Any, device: Device, where: str):
        self.torch, self.device, self.where = torch, device, where
        torch.backends.cudnn.benchmark = True

    def tensor(self, array: Any) -> Any:
        """An array of the device as a tensor there, without a copy where DLPack knows the device."""
        if self.where == "cuda":
            return self.torch.from_dlpack(array)
        return self.torch.from_numpy(self.device.to_host(array) if not isinstance(array, np.ndarray) else array)

    def array(self, tensor: Any) -> Any:
        """A tensor as a contiguous float32 array of the device."""
        tensor = tensor.detach().float().contiguous()
        return self.device.xp.from_dlpack(tensor) if self.where == "cuda" else self.device.from_host(tensor.numpy())

    @contextmanager
    def precision(self, name: str) -> Iterator[None]:
        """Within the block, products of float32 arrays are made of float32, or of TF32; there is no tape.

        PyTorch 2.9 has newer names for this, `fp32_precision`; once they are set, its compiler, which reads the older
        ones until 2.11, refuses to work.  The older ones set both.
        """
        backends = self.torch.backends
        backends.cudnn.allow_tf32 = backends.cuda.matmul.allow_tf32 = name == "tf32"
        with self.torch.no_grad():
            yield

    def settings(self, compiled: str | None = None) -> dict[str, Any]:
        """What products of float32 arrays are made of now, as PyTorch says, and the mode in which it has compiled."""
        matmul, convolution = self.torch.backends.cuda.matmul.allow_tf32, self.torch.backends.cudnn.allow_tf32
        said = {"matmul_tf32": matmul, "convolution_tf32": convolution}
        return said | ({"compiled": compiled} if compiled else {})

    def captured(self, run: Callable[[], Any]) -> Callable[[], Any]:
        """A function that launches again what `run` launches, by a CUDA graph, without PyTorch's own work between."""
        if self.where != "cuda":
            return run
        cuda = self.torch.cuda
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):
            for _ in range(CALLS_BEFORE_CAPTURE):
                run()
        cuda.current_stream().wait_stream(side)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            kept = run()

        def replay(kept: Any = kept) -> Any:
            graph.replay()
            return kept

        return replay

    def network(self, steps: list[dict[str, Any]], weights: dict[str, np.ndarray], logits: bool = False) -> Any:
        """The network of `minicnn.bench.steps.describe`; without its last softmax when `logits` is set."""
        from minicnn.bench.peers.network import Network

        told = json.loads(json.dumps(steps))
        if logits:
            told[-1]["activation"] = None
        made = Network(told, {name: self.torch.from_numpy(array) for name, array in weights.items()})
        return made.to(self.where, memory_format=self.torch.channels_last)

    def images(self, x: Any, network: Any) -> Any:
        """Images (N,H,W,C) of the device as a network takes them."""
        images = self.tensor(x).permute(0, 3, 1, 2)
        images = images.flip(2, 3) if network.mirrored else images
        return images.contiguous(memory_format=self.torch.channels_last)

    def predictor(self, network: Any, x: Any, precision: str, compiled: bool) -> Callable[[], np.ndarray]:
        """A prediction, whose outputs go to the host."""
        torch, dtype = self.torch, self.torch.bfloat16 if precision == "bfloat16" else self.torch.float32
        made, images = network.eval().to(dtype), self.images(x, network).to(dtype)
        model = torch.compile(made, mode=COMPILED["predict"]) if compiled else made

        def predict() -> np.ndarray:
            with self.precision(precision), torch.inference_mode():
                return model(images).float().cpu().numpy()

        return predict

    def trainer(self, network: Any, x: Any, y: np.ndarray, precision: str, compiled: bool) -> Callable[[], float]:
        """A step of SGD with momentum; in bfloat16 by autocast, which keeps the weights in float32."""
        torch = self.torch
        images, classes = self.images(x, network), torch.from_numpy(y).to(self.where)
        made = network.train()
        optimizer = torch.optim.SGD(made.parameters(), RATE, MOMENTUM, fused=True)
        model = torch.compile(made, mode=COMPILED["train"]) if compiled else made

        def train() -> float:
            with self.precision(precision), torch.enable_grad():
                with torch.autocast(self.where, torch.bfloat16, enabled=precision == "bfloat16"):
                    loss = torch.nn.functional.cross_entropy(model(images), classes)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                return loss.item()

        return train
