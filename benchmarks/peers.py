"""One engine in a process of its own, which answers requests for predictions: `python -m benchmarks.peers ENGINE`.

A request is a line of JSON {"model", "batch"}; the answer is {"seconds"} of one prediction on a prepared input.  The
engines are minicnn, torch, torch-channels-last and onnxruntime (on torch's model, exported); each is imported only
where it is asked for, so that they may live in different environments.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache

import numpy as np

Predict = Callable[[np.ndarray], object]
SIZE = 224


def minicnn_model(name: str) -> Predict:
    from minicnn import applications

    model = getattr(applications, name)(weights=None)
    return lambda x: model.predict(x, batch_size=len(x))


def torch_model(name: str, channels_last: bool = False) -> Predict:
    import torch  # pyright: ignore[reportMissingImports]

    from .torch_models import MODELS

    torch.set_num_threads(int(os.environ["MINICNN_NUM_THREADS"]))
    model = MODELS[name]().eval()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = model.to(memory_format=layout)

    def predict(x: np.ndarray) -> object:
        with torch.inference_mode():
            return model(torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)).numpy()

    return predict


def onnxruntime_model(name: str) -> Predict:
    import onnxruntime  # pyright: ignore[reportMissingImports]
    import torch  # pyright: ignore[reportMissingImports]

    from .torch_models import MODELS

    file, example = io.BytesIO(), torch.zeros(1, 3, SIZE, SIZE)
    names = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}
    torch.onnx.export(MODELS[name]().eval(), example, file, dynamo=False, **names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["MINICNN_NUM_THREADS"])
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})


ENGINES: dict[str, Callable[[str], Predict]] = {
    "minicnn": minicnn_model,
    "torch": torch_model,
    "torch-channels-last": lambda name: torch_model(name, channels_last=True),
    "onnxruntime": onnxruntime_model,
}


def main() -> int:
    make = cache(ENGINES[sys.argv[1]])
    answers = sys.stdout
    sys.stdout = sys.stderr  # nothing else may come between the answers
    for line in sys.stdin:
        request = json.loads(line)
        predict = make(request["model"])
        x = np.random.default_rng(0).standard_normal((request["batch"], SIZE, SIZE, 3), np.float32)
        begun = time.perf_counter()
        predict(x)
        print(json.dumps({"seconds": time.perf_counter() - begun}), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
