"""Put generated tables between their markers: in LADDER.md of every operation, in README.md and in docs/.

    python -m benchmarks.tables             write them
    python -m benchmarks.tables --check     exit with 1 where one is out of date

A marker is `<!-- table: NAME -->`; the table ends at the next `<!-- end -->`.  No number in them is written by hand.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minicnn import kernels

from . import curves, figures, ladders, picture, roofline
from .gpu import ladders as gpu_ladders
from .gpu import result as gpu_result
from .gpu import table as gpu_table
from .measuring import load

ROOT = Path(__file__).parents[1]
PAGE = """\
# {op}: the ladder

What it computes is defined in [reference.py](reference.py); its contract is in [\\_\\_init\\_\\_.py](__init__.py).

<!-- table: rungs -->
<!-- end -->

<!-- table: cuda -->
<!-- end -->
"""
TABLE = re.compile(r"<!-- table: (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)


def fill(text: str, render: Callable[[str], str]) -> str:
    """The text with `render(NAME)` between the markers of each table."""
    return TABLE.sub(lambda found: f"<!-- table: {found[1]} -->\n{render(found[1])}\n<!-- end -->", text)


def documents() -> dict[Path, str]:
    """Every document with tables, as it should be."""
    texts = {page: page.read_text("utf-8") for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]}
    wanted = {page: fill(text, _figure) for page, text in texts.items()}
    on_gpu = gpu_result.newest()
    for op in kernels.operations():
        page = ladders.path(op)
        text = page.read_text("utf-8") if page.exists() else PAGE.format(op=op)
        wanted[page] = fill(text, lambda name, op=op: _table(op, name, on_gpu))
    measured = {op: results for op in roofline.COLORS if (results := load(f"kernels/{op}"))}
    if "conv2d" in measured:
        wanted[ROOT / "docs" / "ladder.svg"] = picture.render(measured["conv2d"])
        wanted[ROOT / "docs" / "roofline.svg"] = roofline.render(measured)
    few = load("few_pictures")
    if few is not None:
        wanted[ROOT / "docs" / "few_pictures.svg"] = curves.render(few)
    return wanted


def _table(op: str, name: str, on_gpu: dict[str, Any] | None) -> str:
    """A table of a LADDER.md: the rungs, those for a GPU, or another measurement."""
    if name == "cuda":
        return gpu_ladders.render(op, on_gpu)
    return ladders.render(op, load(f"kernels/{op}")) if name == "rungs" else figures.render(name)


def _figure(name: str) -> str:
    """A table of README.md or docs/."""
    return gpu_table.render() if name == "gpu" else figures.render(name)


def main(argv: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__, formatter_class=raw)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a table is out of date")
    options = parser.parse_args(argv)
    stale = {p: text for p, text in documents().items() if not p.exists() or p.read_text("utf-8") != text}
    for page, text in stale.items():
        print(f"{'out of date' if options.check else 'written'}: {page}", file=sys.stderr)
        if not options.check:
            page.write_text(text, "utf-8")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
