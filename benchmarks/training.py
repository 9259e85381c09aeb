"""A full step of training (forward, backward, SGD with momentum) against PyTorch and Keras, step by step in turns.

    python -m benchmarks.training --peer-python ../torch-env/bin/python

VGG16 on 32 x 32 pixels with 10 classes, ResNet50 on 224 x 224 with 1000; each engine in a process of its own, with the
same weights, batch and number of threads.  That all learn the same is seen from their losses: those of the steps after
the first depend on the gradients.  The result is results/training.json.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from minicnn.bench import engines
from minicnn.bench.networks import Network, write

from .measuring import command_line, save

CASES = (("VGG16", 32, 10, 32), ("VGG16", 32, 10, 8), ("ResNet50", 224, 1000, 8))  # name, size, classes, batch
PEERS = ("torch", "torch-channels-last", "keras")
CHECKED = 3  # steps whose losses are compared
TOLERANCE = 1e-4


def losses_of(processes: list[engines.Engine], network: Network, batch: int) -> dict[str, list[float]]:
    """The losses of the first steps of each engine.

    Raises
    ------
    ArithmeticError
        They differ by more than rounding explains.
    """
    losses = {e.name: [e.ask("train", network, batch)["loss"] for _ in range(CHECKED)] for e in processes}
    own = losses[engines.OWN]
    for name, found in losses.items():
        if not all(abs(a - b) <= TOLERANCE * abs(b) for a, b in zip(found, own)):
            raise ArithmeticError(f"{network.name}: the losses of {name} are {found}, those of minicnn {own}")
    return losses


def measure(
    case: tuple[str, int, int, int], peers: list[str], python: str, threads: int, rounds: int
) -> dict[str, Any]:
    """One row: medians, quartiles and ratios."""
    name, size, classes, batch = case
    with tempfile.TemporaryDirectory() as folder:
        network = write(name, size, Path(folder), classes)
        with engines.running(peers, python, threads) as processes:
            losses = losses_of(processes, network, batch)
            found = engines.timed(processes, "train", network, batch, rounds)
    row = {"model": network.name, "size": size, "classes": classes, "batch": batch, "threads": threads}
    return {**row, "rounds": rounds, **found, "losses": losses}


def main(argv: list[str] | None = None) -> int:
    parser = command_line("training", __doc__)
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="a Python that has the others")
    parser.add_argument("--model", choices={case[0] for case in CASES}, help="time this one alone")
    parser.add_argument("--threads", action="append", type=int, help="threads of each engine (default 2 and 1)")
    parser.add_argument("--rounds", type=int, default=9, help="timed steps of each engine (default 9)")
    options = parser.parse_args(argv)
    peers, versions = engines.installed(PEERS, options.peer_python)
    rows = []
    for threads in options.threads or (2, 1):
        for case in CASES:
            if options.model in (None, case[0]):
                rows.append(measure(case, peers, options.peer_python, threads, options.rounds))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    save("training", {**versions, "rows": rows}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
