"""A network's prediction, or step of training, on a device: minicnn and PyTorch in turns, on the same weights.

Images are on the device before; predictions and losses go to the host, as the people who asked for them need them.
"""

import gc
from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn.bench.networks import draw, spread
from minicnn.bench.shapes import build
from minicnn.bench.steps import describe
from minicnn.errors import UnsupportedError
from minicnn.layers import BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Flatten, Input, MaxPooling2D
from minicnn.models import Model, Sequential
from minicnn.optimizers import SGD

from .gpu_cases import NetworkJob
from .gpu_device import Bench, clocks
from .gpu_floors import network_floor, works
from .gpu_timing import in_turns, told
from .gpu_torch import MOMENTUM, RATE
from .kernel_cases import TINY

SIZE = 224
TOLERANCE = {
    "float32": 1e-3,
    "tf32": 5e-3,
    "bfloat16": 5e-2,
}  # of the outputs' length: rounding errors of deep networks
LOSS_TOLERANCE = {"float32": 1e-3, "tf32": 1e-2, "bfloat16": 5e-2}  # of the first loss
Call = Callable[[], Any]


class Networks:
    """Measures networks on a device; the last one that was built is kept."""

    def __init__(self, bench: Bench):
        self.bench, self.device, self.torch = bench, bench.device, bench.torch
        self._kept: tuple[str, Model, list[dict[str, Any]]] | None = None

    def rows(self, job: NetworkJob) -> list[dict[str, Any]]:
        """One row.

        Raises
        ------
        UnsupportedError
            The model has no such precision.
        ArithmeticError
            PyTorch computes something else.
        """
        model, steps = self._network(job.model)
        weights, before = _arrays(model), model.get_weights()
        if job.precision != getattr(model, "precision", "float32"):
            if not hasattr(model, "precision"):
                raise UnsupportedError(f"models have no precision yet: {job.precision} is left out")
            model.precision = job.precision
        calls = self._calls(job, model, steps, weights)
        errors = self._compared(job, calls)
        seconds, quartiles = {}, {}
        for name, times in in_turns(calls, self.device.synchronize, self.bench.pace).items():
            seconds[name], quartiles[name] = told(times)
        at = clocks(self.device)
        if job.task == "train":
            model.set_weights(before)
        calls.clear()
        gc.collect()
        self.bench.give_back()
        layers = works(model, steps, job.batch)
        least = network_floor(self.bench.name, job.precision, layers, job.task == "train")
        named = {"model": job.model, "task": job.task, "batch": job.batch, "precision": job.precision}
        figures = {"size": model.input_shape[1], "seconds": seconds, "quartiles": quartiles}
        return [{"job": job.title, **named, **figures, "floor": least, "errors": errors, "clocks": at}]

    def _network(self, name: str) -> tuple[Model, list[dict[str, Any]]]:
        """A model on the device, with weights at random, and its steps."""
        if self._kept is None or self._kept[0] != name:
            self._kept = None
            gc.collect()
            model = tiny() if name == TINY else build(name, SIZE)
            draw(model)
            model.compile(SGD(RATE, momentum=MOMENTUM), "sparse_categorical_crossentropy")
            self._kept = name, model.to(self.device.name), describe(model)
        _, model, steps = self._kept
        return model, steps

    def _calls(
        self, job: NetworkJob, model: Model, steps: list[dict[str, Any]], weights: dict[str, np.ndarray]
    ) -> dict[str, Call]:
        """What is timed, by engine."""
        generator = np.random.default_rng(job.batch)
        mean, deviation = map(np.float32, spread(model))
        images = generator.standard_normal((job.batch, *model.input_shape[1:]), np.float32) * deviation + mean
        y, x = generator.integers(0, model.output_shape[-1], job.batch), self.device.from_host(images)
        if job.task == "predict":
            calls: dict[str, Call] = {"minicnn": lambda: self._host(model.predict(x, batch_size=job.batch, verbose=0))}
        else:
            calls = {"minicnn": lambda: model.train_on_batch(x, y)[0]}
        if self.torch is not None:
            for engine, compiled in [("torch", False), *([("torch-compile", True)] if job.compiled else [])]:
                network = self.torch.network(steps, weights, logits=job.task == "train")
                if job.task == "predict":
                    calls[engine] = self.torch.predictor(network, x, job.precision, compiled)
                else:
                    calls[engine] = self.torch.trainer(network, x, y, job.precision, compiled)
        return calls

    def _host(self, array: Any) -> np.ndarray:
        return array if isinstance(array, np.ndarray) else self.device.to_host(array)

    def _compared(self, job: NetworkJob, calls: dict[str, Call]) -> dict[str, float]:
        """By how much what PyTorch gives differs; steps of networks with dropout differ in what they drop."""
        own, errors = calls["minicnn"](), {}
        tolerance = (TOLERANCE if job.task == "predict" else LOSS_TOLERANCE)[job.precision]
        drops = job.task == "train" and job.model.startswith("EfficientNet")
        for name, call in calls.items():
            if name != "minicnn":
                found = call()
                error = float(np.linalg.norm(found - own) / np.linalg.norm(own))
                errors[name] = float(f"{error:.1e}")
                if not drops and not error <= tolerance:
                    raise ArithmeticError(f"{name} and minicnn differ by {error:.1e}")
        return errors


def _arrays(model: Model) -> dict[str, np.ndarray]:
    """All weights on the host, as `minicnn.bench.networks.write` names them."""
    return {f"{layer.name}/{i}": w for layer in model.layers for i, w in enumerate(layer.get_weights())}


def tiny() -> Model:
    """A network of every kind of layer that the four have, for the emulator."""
    layers = [
        Conv2D(8, 3, activation="relu"),
        BatchNormalization(),
        DepthwiseConv2D(3, padding="same", activation="relu6"),
        MaxPooling2D(),
        Flatten(),
        Dense(5, activation="softmax"),
    ]
    return Sequential([Input((8, 8, 3)), *layers])
