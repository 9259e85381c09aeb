"""The rungs of a case: compared with the definition in double precision, then timed in turns."""

from collections.abc import Collection
from typing import Any

import numpy as np

from minicnn import kernels
from minicnn.errors import ArgumentError, UnsupportedError

from .cases import Call, Case
from .timing import four_digits, interleaved, median, quartiles

TOLERANCE = 1e-5  # of the outputs' length: what Winograd may make
SMALL = 100_000  # multiply-adds or numbers that the reference can do in no time


def rungs_of(case: Case) -> list[str]:
    """The rungs that a direction has here, lowest first."""
    return [spec.rung for spec in kernels.specs() if (spec.op, spec.direction) == (case.op, case.direction)]


def too_slow(case: Case, rung: str) -> bool:
    """Whether it is the reference, and the case more than its loops in Python can do while one waits."""
    return rung == "reference" and (case.flops / 2 or case.moved / 4) > SMALL


def wanted(case: Case, names: Collection[str] | None) -> list[str]:
    """Those of the named rungs that the direction has; of all, when None, those that are not too slow.

    Raises
    ------
    ArgumentError
        The operation has no rung of a name.
    """
    if names is None:
        return [rung for rung in rungs_of(case) if not too_slow(case, rung)]
    known = kernels.rungs(case.op)
    for name in names:
        if name not in known:
            raise ArgumentError(f"{case.op} has no rung {name!r} here; it has {', '.join(known)}")
    return [rung for rung in rungs_of(case) if rung in names]


def judge(case: Case) -> tuple[str, list[np.ndarray]]:
    """(rung, outputs) in double precision: the reference, or the highest rung in NumPy where that takes too long."""
    found = [s for s in kernels.specs() if (s.op, s.direction) == (case.op, case.direction) and not s.needs_numba]
    rung = found[-1 if too_slow(case, found[0].rung) else 0].rung
    return rung, outputs(case.call, rung, np.float64)


def outputs(call: Call, rung: str, dtype: Any = None) -> list[np.ndarray]:
    """What a call computes: its results, or the arrays that it changes, on copies of its operands."""
    operands = [_copied(a, dtype) if isinstance(a, np.ndarray) else a for a in call.args]
    options = {name: value for name, value in call.keywords.items() if name != "out"}
    result = call.func(*operands, **options, rung=rung)
    results = result if isinstance(result, tuple) else (result,)
    arrays = [value for value in results if value is not None]
    return arrays or [a for a in operands if isinstance(a, np.ndarray)]


def _copied(array: np.ndarray, dtype: Any) -> np.ndarray:
    """A copy, in another dtype where it has numbers, not places, and one is given."""
    return np.array(array, dtype if array.dtype.kind == "f" else None)


def error_of(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The length of the difference, relative to that of what is expected.

    >>> error_of([np.array([3.0, 4.5])], [np.array([3.0, 4.0])])
    0.1
    """
    distance = np.sqrt(sum(np.sum((np.asarray(a, np.float64) - b) ** 2) for a, b in zip(found, expected)))
    return float(distance / (np.sqrt(sum(np.sum(np.square(b)) for b in expected)) or 1.0))


def able(case: Case, names: Collection[str]) -> list[str]:
    """Those of the rungs that can do the case, lowest first."""
    found = []
    for rung in rungs_of(case):
        if rung in names:
            try:
                case.call(rung=rung)
            except UnsupportedError:
                continue
            found.append(rung)
    return found


def chosen(case: Case) -> tuple[str, str]:
    """The rungs that run by default: in a call on its own, and with weights that were prepared for prediction."""
    found = []
    for call in (case.call, case.ready(None)):
        with kernels.record() as calls:
            call()
        found.append(next(rung for op, direction, rung in calls if (op, direction) == (case.op, case.direction)))
    return found[0], found[1]


def measure(case: Case, names: Collection[str], rounds: int, slow: float) -> list[dict[str, Any]]:
    """One row for each of the named rungs that can do the case, all of them timed in turns.

    Raises
    ------
    ArithmeticError
        A rung computes something else than the definition.
    """
    fit = able(case, names)
    _, expected = judge(case)
    calls = {rung: case.ready(rung) for rung in fit}
    errors: dict[str, float] = {}
    for rung, call in calls.items():
        errors[rung] = error_of([call()] if case.packs else outputs(case.call, rung), expected)
        if not errors[rung] <= TOLERANCE:
            raise ArithmeticError(
                f"{case.op} {case.direction} on rung {rung}, {case.shape}: relative error {errors[rung]:.1e}"
            )
    by_numpy = {spec.rung for spec in kernels.specs() if spec.op == case.op and not spec.needs_numba}
    seconds = interleaved(calls, rounds, slow, lingering=by_numpy)
    return [_row(case, rung, times, errors[rung]) for rung, times in seconds.items()]


def _row(case: Case, rung: str, times: list[float], error: float) -> dict[str, Any]:
    middle = median(times)
    return {
        "op": case.op,
        "direction": case.direction,
        "case": case.name,
        "shape": case.shape,
        "rung": rung,
        "seconds": middle,
        "quartiles": quartiles(times),
        "runs": len(times),
        "rate": four_digits(case.work / middle),
        "unit": case.unit,
        "flops": case.flops,
        "bytes": case.moved,
        "error": float(f"{error:.1e}"),
    }
