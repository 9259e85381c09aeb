"""The tables of README.md and docs/, from what `startup`, `endtoend`, `frozen_epochs` and `threads` measured."""

from collections.abc import Callable
from typing import Any

from .measuring import load


def render(name: str) -> str:
    """The table of a measurement, or how to make it."""
    result = load(name)
    if result is None:
        return f"Not measured yet: `python -m benchmarks.{name}`."
    return f"{TABLES[name](result)}\n\n{source(result)}"


def source(result: dict[str, Any]) -> str:
    """By which command, on which machine and when."""
    facts = result["machine"]
    versions = f"numpy {facts['numpy']}, numba {facts['numba']}"
    versions += "".join(f", {name} {result[name]}" for name in ("torch", "onnxruntime") if result.get(name))
    return f"`{result['command']}`, {facts['cores']} cores of {facts['processor']}, {versions}, {facts['date']}."


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def milliseconds(seconds: float) -> str:
    """
    >>> milliseconds(0.01234), milliseconds(0.2)
    ('12.3 ms', '200 ms')
    """
    value = 1e3 * seconds
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def endtoend(result: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['model']}, {row['batch']} image{'s' if row['batch'] > 1 else ''}",
            milliseconds(row["seconds"]["minicnn"]),
            *(milliseconds(min(found)) if (found := _of(row, engine)) else "" for engine in ("torch", "onnxruntime")),
            f"{row['ratio']:.2f}" if "peer" in row else "",
        ]
        for row in result["rows"]
    ]
    return table(["prediction, 224 x 224", "minicnn", "PyTorch", "ONNX Runtime", "times as fast as the faster"], rows)


def _of(row: dict[str, Any], engine: str) -> list[float]:
    """The seconds of an engine in each of its ways."""
    return [seconds for name, seconds in row["seconds"].items() if name.startswith(engine)]


def startup(result: dict[str, Any]) -> str:
    imports, vgg16 = result["import"], result["vgg16"]
    packages = ", ".join(imports["minicnn"]["packages"])
    rows = [
        [f"`from minicnn import Tensor` (loads {packages})", milliseconds(imports["minicnn"]["seconds"])],
        ["of which NumPy", milliseconds(imports["numpy"]["seconds"])],
        ["first VGG16 prediction ever (compiles)", milliseconds(vgg16["cold"]["first"])],
        ["first VGG16 prediction of a later process", milliseconds(vgg16["warm"]["first"])],
        ["the next one", milliseconds(vgg16["warm"]["second"])],
    ]
    return table(["start", "time"], rows)


def frozen_epochs(result: dict[str, Any]) -> str:
    images = f"{result['images']} images of {result['size']} x {result['size']}"
    rows = [
        ["first epoch: the frozen base runs once", milliseconds(result["first_seconds"]), ""],
        ["later epochs", milliseconds(result["later_seconds"]), f"{result['ratio']:.2f}"],
        ["the head alone, on features made before", milliseconds(result["head_alone_seconds"]), "1"],
    ]
    return table([f"an epoch of VGG16 + head, {images}", "time", "ratio"], rows)


def threads(result: dict[str, Any]) -> str:
    titles = {
        "serial": "one thread, no pool",
        "minicnn": "minicnn's pool",
        "workqueue": "Numba, workqueue",
        "omp": "Numba, OpenMP",
        "tbb": "Numba, TBB",
    }
    rows = [
        [
            titles[way],
            f"{found['compile_seconds']:.2f} s",
            f"{found['call_microseconds']:.0f} µs",
            found.get("four_callers", ""),
            found.get("forked_child", ""),
        ]
        for way, found in result["ways"].items()
        if found
    ]
    return table(["", "to compile", "a small call", "four callers at once", "a forked child"], rows)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "endtoend": endtoend,
    "startup": startup,
    "frozen_epochs": frozen_epochs,
    "threads": threads,
}
