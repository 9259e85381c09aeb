"""Whole networks, and layers, by several engines, request by request in turns.

Each engine runs in a process of its own with the same number of threads and the same weights; one of them works at a
time.  What they compute is compared before it is timed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import minicnn
from minicnn.errors import ArgumentError, MissingExtraError, UnsupportedError

from .networks import Network, write
from .timing import median, median_ratio, quartiles

OWN = "minicnn"
STORED = {s: f"{OWN}-{s}" for s in ("bfloat16", "int8")}  # minicnn with the weights of dense layers in fewer bits
WAYS = (OWN, *STORED.values())
PEERS = ("torch", "torch-channels-last", "torch-compile", "onnxruntime", "keras")  # that compute networks
PACKAGES = {  # engine: what it needs
    "torch": ("torch",),
    "torch-channels-last": ("torch",),
    "torch-compile": ("torch",),
    "torch-packed": ("torch",),
    "onnxruntime": ("torch", "onnx", "onnxruntime"),  # on torch's model, exported
    "keras": ("keras", "tensorflow"),
}
MOST_PIXELS = 1 << 24  # a network may have a hundred channels or two for each
PAUSE = 0.3  # seconds before a request, in which the threads of the engine before fall asleep
TOLERANCE = 1e-3  # of the outputs' length: weights at random let rounding errors of deep networks grow
STORED_TOLERANCE = 5e-2  # the same for weights in fewer bits


class Subject(Protocol):
    """What engines are asked to compute."""

    @property
    def name(self) -> str: ...
    def as_json(self) -> dict[str, Any]:
        """As peers/ reads it."""
        ...


class Engine:
    """A running `minicnn.bench.peers.serve` process."""

    def __init__(self, name: str, python: str, threads: int):
        self.name = name
        environment = {**os.environ, "MINICNN_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        environment.pop("PYTHONPATH", None)
        if name in WAYS:  # this very copy, wherever it was imported from
            environment["PYTHONPATH"] = str(Path(minicnn.__file__).parents[1])
        place = os.path.abspath(python) if os.path.dirname(python) else python  # as seen from here, not from `cwd`
        command = [place, "-W", "ignore", "-m", "peers.serve", name]
        self.process = subprocess.Popen(
            command,
            cwd=Path(__file__).parent,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, task: str, subject: Subject, batch: int, check: str | None = None) -> dict[str, Any]:
        """The answer to a request; what was computed goes to the file `check`.

        Raises
        ------
        UnsupportedError
            The engine fails at it.
        """
        time.sleep(PAUSE)
        assert self.process.stdin
        assert self.process.stdout
        request = {"task": task, "network": subject.as_json(), "batch": batch, "check": check}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise UnsupportedError(f"{self.name} ended with code {self.process.wait()}")
        found = json.loads(answer)
        if "failure" in found:
            raise UnsupportedError(f"{self.name} fails at {subject.name}: {found['failure']}")
        return found

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


@contextmanager
def running(names: Sequence[str], python: str, threads: int) -> Iterator[list[Engine]]:
    """minicnn and other engines, the others by a Python that has them."""
    with ExitStack() as stack:
        engines = [Engine(name, sys.executable if name in WAYS else python, threads) for name in (OWN, *names)]
        for engine in engines:
            stack.callback(engine.close)
        yield engines


def version_of(package: str, python: str) -> str | None:
    """The version of a package that a Python has, or None."""
    command = [python, "-c", f"import {package}; print({package}.__version__)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ArgumentError(f"--peer-python: {python} cannot be run: {error.strerror}") from None
    return done.stdout.strip() if done.returncode == 0 else None


def check_installed(names: Sequence[str], python: str) -> None:
    """Refuse engines that a Python does not have.

    Raises
    ------
    MissingExtraError, ArgumentError
    """
    for name in names:
        for package in PACKAGES.get(name, ()):
            if version_of(package, python) is None:
                raise MissingExtraError(package, None, f"timing against {name} by {python} (see --peer-python)")


def installed(names: Sequence[str], python: str) -> tuple[list[str], dict[str, str]]:
    """Those of the engines that a Python has, and the versions of what they need."""
    needed = dict.fromkeys(package for name in names for package in PACKAGES[name])
    found = {package: version for package in needed if (version := version_of(package, python))}
    return [name for name in names if all(package in found for package in PACKAGES[name])], found


def able(engines: list[Engine], task: str, subject: Subject, batch: int = 1) -> list[Engine]:
    """The engines that can do something; of each other, a line on stderr says why it cannot."""
    found = []
    for engine in engines:
        try:
            engine.ask(task, subject, batch)
        except UnsupportedError as error:
            print(f"left out: {error}", file=sys.stderr, flush=True)
        else:
            found.append(engine)
    return found


def measure(engines: list[Engine], network: Network, batch: int, rounds: int) -> dict[str, Any]:
    """Median seconds of each engine, and how many times as fast as the fastest of the others minicnn is.

    Raises
    ------
    ArithmeticError
        An engine computes something else than minicnn.
    """
    errors = errors_of(engines, "predict", network, batch)
    row = {"model": network.name, "size": network.size, "batch": batch, "rounds": rounds}
    return {**row, **timed(engines, "predict", network, batch, rounds), "errors": errors}


def errors_of(engines: list[Engine], task: str, subject: Subject, batch: int) -> dict[str, float]:
    """By how much, relative to their length, the outputs of the others differ from minicnn's.

    Raises
    ------
    ArithmeticError
        By more than rounding explains.
    """
    outputs = {}
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            path = str(Path(folder) / f"{engine.name}.npy")
            engine.ask(task, subject, batch, check=path)
            outputs[engine.name] = np.load(path)
    own = outputs.pop(OWN)
    errors = {name: float(np.linalg.norm(y - own) / np.linalg.norm(own)) for name, y in outputs.items()}
    for name, error in errors.items():
        if not error <= (STORED_TOLERANCE if name in WAYS else TOLERANCE):
            raise ArithmeticError(f"{name} and minicnn differ on {subject.name} by {error:.1e}")
    return errors


def timed(engines: list[Engine], task: str, subject: Subject, batch: int, rounds: int) -> dict[str, Any]:
    """Medians and quartiles of each engine, and the ratios of the others' times to minicnn's."""
    for engine in engines:
        engine.ask(task, subject, batch)  # compiles, builds, fills caches
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            times[engine.name].append(engine.ask(task, subject, batch)["seconds"])
    result: dict[str, Any] = {
        "seconds": {name: median(values) for name, values in times.items()},
        "quartiles": {name: quartiles(values) for name, values in times.items()},
        "ratios": {n: round(median_ratio(values, times[OWN]), 3) for n, values in times.items() if n != OWN},
    }
    peers = [name for name in result["ratios"] if name not in WAYS]
    if peers:
        peer = min(peers, key=result["seconds"].__getitem__)
        result |= {"peer": peer, "ratio": result["ratios"][peer]}
    return result


def compare_with(
    name: str, peers: Sequence[str], python: str, batch: int, size: int, threads: int, rounds: int
) -> dict[str, Any]:
    """The prediction of one network by minicnn and other engines.

    Raises
    ------
    MissingExtraError, ArgumentError, ShapeError, UnsupportedError, ArithmeticError
    """
    if batch * size * size > MOST_PIXELS:
        said = f"{batch} images of {size} x {size} are {batch * size * size:,} pixels"
        raise ArgumentError(f"{said}; at most {MOST_PIXELS:,} are timed")
    check_installed(peers, python)
    with tempfile.TemporaryDirectory() as folder:
        network = write(name, size, Path(folder))
        with running(peers, python, threads) as engines:
            return {**measure(engines, network, batch, rounds), "threads": threads}
