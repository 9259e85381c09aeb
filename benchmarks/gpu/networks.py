"""A network's prediction, or step of training, on a device: minicnn and PyTorch in turns, on the same weights.

Images are on the device before; predictions and losses go to the host, as the people who asked for them need them.
What it takes to bring images from the host is timed apart, by the same network: several batches, of the host and of the
device ("resident") in turns.
"""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minicnn.bench.networks import draw, spread
from minicnn.bench.shapes import build
from minicnn.bench.steps import describe
from minicnn.kernels import to_host
from minicnn.layers import BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Flatten, Input, MaxPooling2D
from minicnn.models import Model, Sequential
from minicnn.optimizers import SGD

from ..kernel_cases import TINY
from .cases import PARTS, NetworkJob
from .device import Bench, clocks
from .floors import network_floor, works
from .pytorch import COMPILED, MOMENTUM, RATE
from .timing import in_turns, told

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
        UnsupportedError, MemoryError
            The device cannot do it.
        """
        model, steps = self._network(job.model)
        model.precision = job.precision
        named = {"job": job.title, "model": job.model, "task": job.task, "batch": job.batch, "precision": job.precision}
        row: dict[str, Any] = {
            **named,
            "size": model.input_shape[1],
            "errors": {},
            "wrong": {},
            "left_out": {},
            "torch": {},
        }
        calls = self._calls(job, model, steps, row)
        times = in_turns(calls, self.device.synchronize, self.bench.pace, partial(self._begin, job))
        timings = {name: told(found) for name, found in times.items()}
        row |= {"seconds": {name: seconds for name, (seconds, _) in timings.items()}, "clocks": clocks(self.device)}
        row["quartiles"] = {name: around for name, (_, around) in timings.items()}
        row["runs"] = {name: len(found) for name, found in times.items()}
        layers = works(model, steps, job.batch)
        row["floor"] = network_floor(self.bench.name, job.precision, layers, job.task == "train")
        calls.clear()
        gc.collect()
        self.bench.give_back()
        return [row]

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
        self, job: NetworkJob, model: Model, steps: list[dict[str, Any]], row: dict[str, Any]
    ) -> dict[str, Call]:
        """What is timed, by engine; PyTorch's where it computes the same."""
        weights, generator = _arrays(model), np.random.default_rng(job.batch)
        mean, deviation = map(np.float32, spread(model))
        images = generator.standard_normal((job.batch, *model.input_shape[1:]), np.float32) * deviation + mean
        y, x = generator.integers(0, model.output_shape[-1], job.batch), self.device.from_host(images)
        if job.task == "stream":
            return {
                name: partial(self._predict, model, a, job.batch // PARTS)
                for name, a in (("minicnn", images), ("resident", x))
            }
        predicts = job.task == "predict"
        if predicts:
            calls: dict[str, Call] = {"minicnn": partial(self._predict, model, x, job.batch)}
        else:
            calls = {"minicnn": lambda: model.train_on_batch(x, y)[0]}
        own = calls["minicnn"]()
        engines = {"torch": False, **({"torch-compile": True} if job.compiled else {})} if self.torch else {}
        for engine, compiled in engines.items():
            with self.bench.noting(engine, row, "left_out"):
                self._begin(job, engine)
                network = self.torch.network(steps, weights, logits=not predicts)
                if predicts:
                    call: Call = self.torch.predictor(network, x, job.precision, compiled)
                else:
                    call = self.torch.trainer(network, x, y, job.precision, compiled)
                if self._agrees(job, engine, call(), own, row):
                    calls[engine] = call
                    row["torch"][engine] = self.torch.settings(COMPILED[job.task] if compiled else None)
        return calls

    def _agrees(self, job: NetworkJob, engine: str, found: Any, own: Any, row: dict[str, Any]) -> bool:
        """Whether PyTorch computes the same; noted as an error, or as wrong.

        A step of a network that drops numbers differs in which.
        """
        error = float(np.linalg.norm(found - own) / np.linalg.norm(own))
        drops = job.task == "train" and job.model.startswith("EfficientNet")
        if right := drops or error <= (TOLERANCE if job.task == "predict" else LOSS_TOLERANCE)[job.precision]:
            row["errors"][engine] = float(f"{error:.1e}")
        else:
            row["wrong"][engine] = f"relative error {error:.1e}"
        return right

    def _begin(self, job: NetworkJob, engine: str) -> None:
        self.bench.begin(job.title if engine == "minicnn" else f"{job.title}: {engine}")

    def _predict(self, model: Model, images: Any, batch: int) -> np.ndarray:
        return to_host(model.predict(images, batch_size=batch, verbose=0))


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
