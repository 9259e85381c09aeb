"""One engine in a process of its own, which answers requests: `python -m peers.serve ENGINE`, in the folder above.

A request is a line of JSON {"task", "network", "batch", "check"}: one prediction, one step of training (SGD with
momentum) on a batch that is always the same, or one layer (peers/layer.py).  The answer is {"seconds"} of it, without
making the batch, and the loss of a step; or {"failure"}.  What was predicted goes to the file that `check` names.
Engines are imported only where they are asked for, so that they may live in different environments.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from . import layer

Network = dict[str, Any]
THREADS = int(os.environ.get("MINICNN_NUM_THREADS", "1"))
RATE, MOMENTUM = 1e-5, 0.9  # small enough that rounding errors do not grow from step to step


class Ready(NamedTuple):
    """What an engine runs on images (N,H,W,C) and classes (N,): it gives predictions, or the loss."""

    run: Callable[[np.ndarray, np.ndarray], Any]
    mirrored: bool = False  # whether it takes the images' mirror images


def minicnn_predict(network: Network, dense_storage: str = "float32") -> Ready:
    from minicnn.bench.networks import read

    model = read(network)
    model.dense_storage = dense_storage
    return Ready(lambda x, y: model.predict(x, batch_size=len(x)))


def minicnn_train(network: Network) -> Ready:
    from minicnn.bench.networks import read
    from minicnn.optimizers import SGD

    model = read(network)
    model.compile(SGD(RATE, momentum=MOMENTUM), "sparse_categorical_crossentropy")
    return Ready(lambda x, y: model.train_on_batch(x, y)[0])


def torch_predict(network: Network, channels_last: bool = False, compiled: bool = False) -> Ready:
    import torch  # pyright: ignore[reportMissingImports]

    from .network import load

    torch.set_num_threads(THREADS)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    made = load(network).eval().to(memory_format=layout)
    model = torch.compile(made) if compiled else made

    def predict(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)).numpy()

    return Ready(predict, made.mirrored)


def torch_train(network: Network, channels_last: bool = False) -> Ready:
    import torch  # pyright: ignore[reportMissingImports]

    from .network import load

    torch.set_num_threads(THREADS)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = load(network, logits=True).train().to(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM)

    def train(x: np.ndarray, y: np.ndarray) -> float:
        images = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)
        loss = torch.nn.functional.cross_entropy(model(images), torch.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return Ready(train)


def onnxruntime_predict(network: Network) -> Ready:
    from .network import load, session

    made = load(network)
    ready = session(made, (1, 3, network["size"], network["size"]), THREADS)

    def predict(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return ready.run(None, {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})[0]

    return Ready(predict, made.mirrored)


def keras_predict(network: Network) -> Ready:
    model = keras_model(network)
    return Ready(lambda x, y: model.predict_on_batch(x))


def keras_train(network: Network) -> Ready:
    import keras  # pyright: ignore[reportMissingImports]

    model = keras_model(network)
    model.compile(keras.optimizers.SGD(RATE, momentum=MOMENTUM), "sparse_categorical_crossentropy")
    return Ready(lambda x, y: model.train_on_batch(x, y))


def keras_model(network: Network) -> Any:
    """The network in Keras on TensorFlow, which takes its number of threads before anything else."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras  # pyright: ignore[reportMissingImports]
    import tensorflow  # pyright: ignore[reportMissingImports]

    tensorflow.config.threading.set_intra_op_parallelism_threads(THREADS)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    with open(network["config"], encoding="utf-8") as file:
        model = keras.models.model_from_json(file.read())
    with np.load(network["weights"]) as arrays:
        for made in layers(model):
            made.set_weights([arrays[f"{made.name}/{i}"] for i in range(len(made.weights))])
    return model


def layers(model: Any) -> Iterator[Any]:
    """The layers, those of nested models in their place."""
    for made in model.layers:
        yield from layers(made) if hasattr(made, "layers") else [made]


ENGINES: dict[str, dict[str, Callable[[Network], Any]]] = {
    "minicnn": {"predict": minicnn_predict, "train": minicnn_train, "layer": layer.minicnn},
    "minicnn-bfloat16": {"predict": partial(minicnn_predict, dense_storage="bfloat16")},
    "minicnn-int8": {"predict": partial(minicnn_predict, dense_storage="int8")},
    "torch": {"predict": torch_predict, "train": torch_train, "layer": partial(layer.torch, threads=THREADS)},
    "torch-channels-last": {
        "predict": partial(torch_predict, channels_last=True),
        "train": partial(torch_train, channels_last=True),
        "layer": partial(layer.torch, threads=THREADS, channels_last=True),
    },
    "torch-packed": {"layer": partial(layer.torch_packed, threads=THREADS)},
    "torch-compile": {"predict": partial(torch_predict, compiled=True)},
    "onnxruntime": {"predict": onnxruntime_predict, "layer": partial(layer.onnxruntime, threads=THREADS)},
    "keras": {"predict": keras_predict, "train": keras_train},
}


def main() -> int:
    engine = ENGINES[sys.argv[1]]
    made = cache(lambda task, network: engine[task](json.loads(network)))
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing else may come between the answers
    for line in sys.stdin:
        try:
            answer = respond(made, json.loads(line))
        except Exception as error:
            answer = {"failure": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"}
        print(json.dumps(answer), file=answers, flush=True)
    return 0


def respond(made: Callable[[str, str], Any], request: dict[str, Any]) -> dict[str, Any]:
    """One layer, one prediction or one step."""
    network, batch, check = request["network"], request["batch"], request["check"]
    ready = made(request["task"], json.dumps(network))
    if request["task"] == "layer":
        return layer.respond(ready, check)
    run, mirrored = ready
    generator = np.random.default_rng(batch)
    x = generator.standard_normal((batch, network["size"], network["size"], 3), np.float32)
    x = x * np.float32(network["deviation"]) + np.float32(network["mean"])
    y = generator.integers(0, network["classes"], batch)
    x = np.ascontiguousarray(x[:, ::-1, ::-1]) if mirrored else x
    begun = time.perf_counter()
    result = run(x, y)
    seconds = time.perf_counter() - begun
    if request["task"] == "train":
        return {"seconds": seconds, "loss": float(result)}
    if check:
        np.save(check, result)
    return {"seconds": seconds}


if __name__ == "__main__":
    sys.exit(main())
