"""One direction of an operation on a device: all of its rungs, and PyTorch, compared and then timed in turns.

What is timed is a CUDA graph of one call, launched again and again: the time is the device's, not the host's, whose
part a prediction does not pay either.  A call that cannot be captured is timed as it is, and named in the row.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from minicnn import kernels
from minicnn.bench.cases import Case
from minicnn.bench.rungs import chosen
from minicnn.bench.timing import four_digits
from minicnn.errors import UnsupportedError
from minicnn.kernels._precision import ENDINGS, rung_of_precision

from .cases import LayerJob
from .device import Bench, drawn_on
from .floors import Work, floors
from .pytorch import Torch
from .timing import in_turns, told

TOLERANCE = {"float32": 1e-5, "tf32": 1e-3, "bfloat16": 1e-2, "float16": 1e-3}  # of the result's length
PEER_TOLERANCE = {**TOLERANCE, "float32": 1e-4, "tf32": 2e-3, "bfloat16": 2e-2}  # that PyTorch may differ by
TORCH = {"float32": "torch", "tf32": "torch-tf32", "bfloat16": "torch-bfloat16"}  # precision: engine
NO_COUNTERPART = "it has no one call for this"


class Layers:
    """Measures layers on a device."""

    def __init__(self, bench: Bench):
        self.bench, self.device, self.torch = bench, bench.device, bench.torch
        self.draw = drawn_on(bench.device)

    def rows(self, job: LayerJob) -> Iterator[dict[str, Any]]:
        """A row for each direction, as it is done."""
        for case in job.cases(self.draw):
            yield {"job": job.title, "batch": job.batch, **self._row(case)}
            self.bench.give_back()
            self.bench.begin(job.title)  # what makes the next case

    def _begin(self, case: Case, name: str) -> None:
        self.bench.begin(f"{case.op} {case.direction} {name}")

    def _row(self, case: Case) -> dict[str, Any]:
        calls: dict[str, Callable[[], Any]] = {}
        row: dict[str, Any] = {
            "errors": {},
            "wrong": {},
            "left_out": {},
            "not_captured": [],
            "default": _by_precision(case),
            "torch": {},
        }
        expected = self._rungs(case, calls, row)
        with self.bench.noting("default", row):
            self._begin(case, "default")
            row["default"] |= dict(zip(("call", "prediction"), chosen(case)))
        if self.torch is not None and expected is not None:
            self._peers(self.torch, case, calls, row, expected)
        seconds, quartiles = {}, {}
        times = in_turns(calls, self.device.synchronize, self.bench.pace, partial(self._begin, case))
        for name, found in times.items():
            seconds[name], quartiles[name] = told(found)
        work = Work(case.flops, case.moved)
        named = {"op": case.op, "direction": case.direction, "case": case.name, "shape": case.shape}
        figures = {"flops": case.flops, "bytes": case.moved, "unit": case.unit, "work": case.work}
        return {
            **named,
            "seconds": seconds,
            "quartiles": quartiles,
            "runs": {name: len(found) for name, found in times.items()},
            "floors": floors(self.bench.name, work),
            **figures,
            **row,
        }

    def _rungs(self, case: Case, calls: dict[str, Callable[[], Any]], row: dict[str, Any]) -> list[Any] | None:
        """Note a call for each rung that computes what the lowest one does, and give that.

        All are compared before one is called on the case's own arrays: steps of optimizers change them.
        """
        expected, right = None, []
        for spec in kernels.specs("cuda"):
            if (spec.op, spec.direction) == (case.op, case.direction):
                with self.bench.noting(spec.rung, row):
                    self._begin(case, spec.rung)
                    found = outputs(case, spec.rung)
                    expected = found if expected is None else expected
                    if self._agrees(spec.rung, found, expected, TOLERANCE[precision_of(spec.rung)], row):
                        right.append(spec.rung)
        for rung in right:
            with self.bench.noting(rung, row):
                self._begin(case, rung)
                calls[rung] = self._captured(rung, case.ready(rung), row)
        return expected

    def _captured(self, name: str, call: Callable[[], Any], row: dict[str, Any]) -> Callable[[], Any]:
        call()  # loads what is launched
        try:
            return self.device.capture(call)[1]
        except UnsupportedError:
            row["not_captured"].append(name)
            return call

    def _agrees(self, name: str, found: list[Any], expected: list[Any], tolerance: float, row: dict[str, Any]) -> bool:
        """Whether results are as near as they should be; noted as an error, or as wrong."""
        error = distance(found, expected)
        right = error <= tolerance
        if right:
            row["errors"][name] = float(f"{error:.1e}")
        else:
            row["wrong"][name] = f"relative error {error:.1e}"
        return right

    def _peers(
        self, torch: Torch, case: Case, calls: dict[str, Callable[[], Any]], row: dict[str, Any], expected: list[Any]
    ) -> None:
        """Note PyTorch's calls, in each precision where there are products."""
        from .pytorch_ops import peer

        for precision, name in TORCH.items() if case.flops else [("float32", "torch")]:
            with self.bench.noting(name, row, "left_out"), torch.precision(precision):
                self._begin(case, name)
                made = peer(torch, case, precision)
                if made is None:
                    raise UnsupportedError(NO_COUNTERPART)
                if made.result is None or self._agrees(
                    name, [torch.array(made.result(made.run()))], expected[:1], PEER_TOLERANCE[precision], row
                ):
                    calls[name] = torch.captured(made.run)
                    row["torch"][name] = torch.settings()


def _by_precision(case: Case) -> dict[str, str]:
    """The rungs that run by default where a precision is asked for that the direction has a rung of."""
    rungs = [spec.rung for spec in kernels.specs("cuda") if (spec.op, spec.direction) == (case.op, case.direction)]
    found = {}
    for precision in TORCH:
        with kernels.precision(precision):
            if rung := rung_of_precision(rungs):
                found[precision] = rung
    return found


def default_rung(row: dict[str, Any], precision: str) -> str | None:
    """The rung that runs by default on a row's case, with weights that are prepared; None where that is not known."""
    return row["default"].get("prediction" if precision == "float32" else precision)


def precision_of(rung: str) -> str:
    """
    >>> precision_of("v8_tensor_bf16"), precision_of("v4_blocked")
    ('bfloat16', 'float32')
    """
    return next((name for name, ending in ENDINGS.items() if rung.endswith(ending)), "float32")


def outputs(case: Case, rung: str) -> list[Any]:
    """What a call computes on the device: its results, or the arrays that it changes, on copies of its operands."""
    operands = [a.copy() if hasattr(a, "dtype") else a for a in case.call.args]
    options = {name: value for name, value in case.call.keywords.items() if name != "out"}
    result = case.call.func(*operands, **options, rung=rung)
    results = result if isinstance(result, (tuple, list)) else (result,)
    return [value for value in results if value is not None] or [a for a in operands if hasattr(a, "dtype")]


def distance(found: list[Any], expected: list[Any]) -> float:
    """The length of the difference of arrays of the device, relative to that of what is expected."""
    apart = sum(float(((a - b) ** 2).sum()) for a, b in zip(found, expected, strict=True))
    return math.sqrt(apart) / (math.sqrt(sum(float((b**2).sum()) for b in expected)) or 1.0)


def rate(row: dict[str, Any], engine: str) -> float:
    """GFLOP/s or GB/s of a rung."""
    return four_digits(row["work"] / row["seconds"][engine])
