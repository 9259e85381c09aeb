"""What every measurement does alike: take options, say on which machine it ran, write the result as JSON."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from minicnn.bench.machine import facts

RESULTS = Path(__file__).parent / "results"


def command_line(name: str, doc: str | None) -> argparse.ArgumentParser:
    """A parser with what all measurements take; its help is the module's docstring."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc, formatter_class=raw)
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help=f"where {name}.json goes")
    return parser


def save(name: str, result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write results/NAME.json: the machine, the command, and the result."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    arguments = [Path(argument).name if os.sep in argument else argument for argument in sys.argv[1:]]
    command = " ".join(["python", "-m", f"benchmarks.{name}", *arguments])
    text = json.dumps({"command": command, "machine": facts(), **result}, indent=1) + "\n"
    beside = path.with_suffix(".part")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)
    print(f"wrote {path}", file=sys.stderr)
    return path


def load(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """What `save` wrote, or None."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None
