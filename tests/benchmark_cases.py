"""What the tests of the benchmarks share: their modules, and the cells of their tables."""

import importlib
from typing import Any


def module(name: str) -> Any:
    """A module of benchmarks/."""
    return importlib.import_module(f"benchmarks.{name}")


def cells(table: str) -> list[list[str]]:
    """The rows of a table below its header."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
