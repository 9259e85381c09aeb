"""Whole networks at 224 x 224 against PyTorch and ONNX Runtime, request by request in turns: results/endtoend.json.

    python -m benchmarks.endtoend --peer-python ../torch-env/bin/python

Each engine runs in a process of its own with the same number of threads; one of them works at a time.  Without
--peer-python, this Python is asked for torch and onnxruntime, and minicnn is timed alone where it has none.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .measuring import command_line, median_ratio, save

ROOT = Path(__file__).parents[1]
MODELS = ("VGG16", "ResNet50", "MobileNet", "MobileNetV2")
PEERS = {"torch": "torch", "torch-channels-last": "torch", "onnxruntime": "onnxruntime"}  # engine: its package
PAUSE = 0.3  # seconds before a request, in which the threads of the engine before fall asleep


class Engine:
    """A running `benchmarks.peers` process."""

    def __init__(self, name: str, python: str, threads: int):
        self.name = name
        environment = {**os.environ, "MINICNN_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        environment.pop("PYTHONPATH", None)
        command = [python, "-m", "benchmarks.peers", name]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)

    def seconds(self, model: str, batch: int) -> float:
        """One prediction."""
        time.sleep(PAUSE)
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"model": model, "batch": batch}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended with code {self.process.wait()}")
        return json.loads(answer)["seconds"]

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def version_of(package: str, python: str) -> str | None:
    """The version of a package that a Python has, or None."""
    command = [python, "-c", f"import {package}; print({package}.__version__)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def measure(engines: list[Engine], model: str, batch: int, rounds: int) -> dict[str, Any]:
    """Median seconds of each engine, and how many times as fast as the fastest of the others minicnn is."""
    for engine in engines:
        engine.seconds(model, batch)  # compiles, builds, fills caches
        engine.seconds(model, batch)
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            times[engine.name].append(engine.seconds(model, batch))
    medians = {name: round(statistics.median(values), 5) for name, values in times.items()}
    row: dict[str, Any] = {"model": model, "batch": batch, "rounds": rounds, "seconds": medians}
    peers = {name: medians[name] for name in PEERS if name in medians}
    if peers:
        row["peer"] = min(peers, key=peers.__getitem__)
        row["ratio"] = round(median_ratio(times[row["peer"]], times["minicnn"]), 3)
    return row


def main(argv: list[str] | None = None) -> int:
    parser = command_line("endtoend", __doc__)
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="a Python that can import torch")
    parser.add_argument("--model", action="append", choices=MODELS, help="time this one alone; may be repeated")
    parser.add_argument("--batch", action="append", type=int, help="images a request (default 1 and 8)")
    parser.add_argument("--rounds", type=int, default=15, help="timed requests to each engine (default 15)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each engine (default 2)")
    options = parser.parse_args(argv)
    versions = {package: version_of(package, options.peer_python) for package in dict.fromkeys(PEERS.values())}
    engines = [Engine("minicnn", sys.executable, options.threads)]
    engines += [Engine(name, options.peer_python, options.threads) for name, needs in PEERS.items() if versions[needs]]
    rows = []
    try:
        for model in options.model or MODELS:
            for batch in options.batch or (1, 8):
                rows.append(measure(engines, model, batch, options.rounds))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    finally:
        for engine in engines:
            engine.close()
    save("endtoend", {**versions, "threads": options.threads, "rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
