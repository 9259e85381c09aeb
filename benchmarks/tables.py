"""Put generated tables between their markers in LADDER.md of every operation and in README.md.

    python -m benchmarks.tables             write them
    python -m benchmarks.tables --check     exit with 1 where one is out of date

A marker is `<!-- table: NAME -->`; the table ends at the next `<!-- end -->`.  No number in them is written by hand.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from minicnn import kernels

from . import figures, ladders
from .measuring import load

README = Path(__file__).parents[1] / "README.md"
TABLE = re.compile(r"<!-- table: (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)


def fill(text: str, render: Callable[[str], str]) -> str:
    """The text with `render(NAME)` between the markers of each table."""
    return TABLE.sub(lambda found: f"<!-- table: {found[1]} -->\n{render(found[1])}\n<!-- end -->", text)


def documents() -> dict[Path, str]:
    """Every document with tables, as it should be."""
    results = load("kernels")
    wanted = {README: fill(README.read_text("utf-8"), figures.render)}
    for op in kernels.operations():
        page = ladders.path(op)
        text = page.read_text("utf-8") if page.exists() else f"# {op}\n\n<!-- table: rungs -->\n<!-- end -->\n"
        wanted[page] = fill(text, lambda name, op=op: ladders.render(op, results))
    return wanted


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a table is out of date")
    options = parser.parse_args(argv)
    stale = [page for page, text in documents().items() if not page.exists() or page.read_text("utf-8") != text]
    for page in stale:
        print(f"{'out of date' if options.check else 'written'}: {page}", file=sys.stderr)
        if not options.check:
            page.write_text(documents()[page], "utf-8")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
