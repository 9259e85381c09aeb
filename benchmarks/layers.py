"""Convolutions of known networks, each alone, against oneDNN and MLAS, in turns: results/layers.json.

    python -m benchmarks.layers --peer-python ../torch-env/bin/python
    python -m benchmarks.layers --peer-python ../torch-env/bin/python --model ResNet50 --threads 1

y = relu(conv(x, w) + b) on one image, for every distinct convolution of a network that is not depthwise; those of VGG16
are all 3x3 of stride 1.  minicnn runs its default rung with prepared weights; oneDNN is called by PyTorch, in both
layouts and with weights packed and the ReLU fused beforehand; MLAS by ONNX Runtime, on a model of this one layer.  Each
engine has a process of its own, its own layout of the images and the same number of threads.
"""

import json
import sys
from typing import Any

from minicnn.bench import engines, layers
from minicnn.bench.networks import convolutions
from minicnn.bench.shapes import build

from .measuring import command_line, save

MODELS = ("VGG16", "ResNet50", "MobileNetV2")
SIZE = 224


def convolutions_of(model: str, batch: int) -> dict[layers.Convolution, list[str]]:
    """The distinct convolutions of a network, named after the first layer of each, and the layers' names."""
    found = convolutions(build(model, SIZE)).items()
    return {layers.Convolution(f"{model} {names[0]}", layer, batch): names for layer, names in found}


def main(argv: list[str] | None = None) -> int:
    parser = command_line("layers", __doc__)
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="a Python that can import torch")
    parser.add_argument("--model", action="append", choices=MODELS, help="may be repeated (default VGG16)")
    parser.add_argument("--batch", action="append", type=int, help="images (default 1)")
    parser.add_argument("--threads", action="append", type=int, help="threads of each engine (default 2 and 1)")
    parser.add_argument("--rounds", type=int, default=9, help="timings of each engine (default 9)")
    options = parser.parse_args(argv)
    names, versions = engines.installed(layers.PEERS, options.peer_python)
    rows: list[dict[str, Any]] = []
    for threads in options.threads or (2, 1):
        with engines.running(names, options.peer_python, threads) as processes:
            for model in options.model or MODELS[:1]:
                for batch in options.batch or (1,):
                    for convolution, alike in convolutions_of(model, batch).items():
                        row = layers.measure(processes, convolution, options.rounds)
                        rows.append({**row, "threads": threads, "layers": alike})
                        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    save("layers", {**versions, "rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
