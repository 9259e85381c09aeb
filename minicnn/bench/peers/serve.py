"""One engine in a process of its own, which answers requests: `python -m peers.serve ENGINE`, in the folder above.

A request is a line of JSON {"task", "network", "batch", "check"}: one prediction, or one step of training (SGD with
momentum) on a batch that is always the same.  The answer is {"seconds"} of it, without making the batch; with what was
predicted where `check` asks for it, or with the loss; or {"failure"}.  Engines are imported only where they are asked
for, so that they may live in different environments.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

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
    import onnxruntime  # pyright: ignore[reportMissingImports]
    import torch  # pyright: ignore[reportMissingImports]

    from .network import load

    file, example = io.BytesIO(), torch.zeros(1, 3, network["size"], network["size"])
    made = load(network).eval()
    torch.onnx.export(made, example, file, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])

    def predict(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return session.run(None, {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})[0]

    return Ready(predict, made.mirrored)


ENGINES: dict[str, dict[str, Callable[[Network], Ready]]] = {
    "minicnn": {"predict": minicnn_predict, "train": minicnn_train},
    "minicnn-bfloat16": {"predict": lambda network: minicnn_predict(network, "bfloat16")},
    "minicnn-int8": {"predict": lambda network: minicnn_predict(network, "int8")},
    "torch": {"predict": torch_predict, "train": torch_train},
    "torch-channels-last": {
        "predict": lambda network: torch_predict(network, channels_last=True),
        "train": lambda network: torch_train(network, channels_last=True),
    },
    "torch-compile": {"predict": lambda network: torch_predict(network, compiled=True)},
    "onnxruntime": {"predict": onnxruntime_predict},
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


def respond(made: Callable[[str, str], Ready], request: dict[str, Any]) -> dict[str, Any]:
    """One prediction or one step."""
    network, batch = request["network"], request["batch"]
    run, mirrored = made(request["task"], json.dumps(network))
    generator = np.random.default_rng(batch)
    x = generator.standard_normal((batch, network["size"], network["size"], 3), np.float32)
    y = generator.integers(0, network["classes"], batch)
    x = np.ascontiguousarray(x[:, ::-1, ::-1]) if mirrored else x
    begun = time.perf_counter()
    result = run(x, y)
    seconds = time.perf_counter() - begun
    if request["task"] == "train":
        return {"seconds": seconds, "loss": float(result)}
    return {"seconds": seconds, "output": np.asarray(result).tolist()} if request["check"] else {"seconds": seconds}


if __name__ == "__main__":
    sys.exit(main())
