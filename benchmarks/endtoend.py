"""Whole networks at 224 x 224 against PyTorch, ONNX Runtime and Keras, request by request in turns.

    python -m benchmarks.endtoend --peer-python ../torch-env/bin/python

Each engine runs in a process of its own with the same weights and the same number of threads; one of them works at a
time.  Without --peer-python, this Python is asked for them, and minicnn is timed alone where it has none.  An engine
that fails at a network is left out, and named.  The result is results/endtoend.json.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from minicnn.bench import engines
from minicnn.bench.networks import Network, write

from .measuring import command_line, save

MODELS = ("VGG16", "ResNet50", "MobileNet", "MobileNetV2")
SIZE = 224


def measure(network: Network, names: list[str], python: str, options: Any) -> list[dict[str, Any]]:
    """One row for each number of threads and images."""
    rows = []
    for threads in options.threads or (2, 1):
        with engines.running(names, python, threads) as processes:
            able = engines.able(processes, "predict", network)
            for batch in options.batch or (1, 8):
                row = engines.measure(able, network, batch, options.rounds)
                rows.append({**row, "threads": threads})
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = command_line("endtoend", __doc__)
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="a Python that has the others")
    parser.add_argument("--model", action="append", choices=MODELS, help="time this one alone; may be repeated")
    parser.add_argument("--engine", action="append", choices=engines.PEERS, help="against this alone; may be repeated")
    parser.add_argument("--batch", action="append", type=int, help="images a request (default 1 and 8)")
    parser.add_argument("--threads", action="append", type=int, help="threads of each engine (default 2 and 1)")
    parser.add_argument("--rounds", type=int, default=15, help="timed requests to each engine (default 15)")
    options = parser.parse_args(argv)
    names, versions = engines.installed(options.engine or engines.PEERS, options.peer_python)
    rows = []
    for model in options.model or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(write(model, SIZE, Path(folder)), names, options.peer_python, options)
    save("endtoend", {**versions, "rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
