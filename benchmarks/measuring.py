"""What every measurement does alike: take options, say on which machine it ran, write the result as JSON."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minicnn.bench.machine import facts

RESULTS = Path(__file__).parent / "results"


def command_line(name: str, doc: str | None, file: str = "") -> argparse.ArgumentParser:
    """A parser with what all measurements take; its help is the module's docstring, `file` what it writes."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc, formatter_class=raw)
    said = f"where {file or name}.json goes (default: benchmarks/results in the checkout)"
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help=said)
    return parser


def save(name: str, result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write results/NAME.json: the machine, the command, and the result; NAME may be MEASUREMENT/PART."""
    path = folder / f"{name}.json"
    _write(path, {"command": command(name.partition("/")[0]), "machine": facts(), **result})
    print(f"wrote {path}", file=sys.stderr)
    return path


def conclude(name: str, result: dict[str, Any], folder: Path = RESULTS) -> int:
    """Say a result that is short, write it, and end well."""
    print(json.dumps(result), file=sys.stderr)
    save(name, result, folder)
    return 0


def command(name: str) -> str:
    """The command line that this process is, without folders."""
    arguments = [Path(argument).name if os.sep in argument else argument for argument in sys.argv[1:]]
    return " ".join(["python", "-m", f"benchmarks.{name}", *arguments])


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    os.replace(beside, path)


class Pieces:
    """The pieces of a long measurement, kept in NAME.pieces.json as they come: the same command goes on from there.

    Those of another command are not used.
    """

    def __init__(self, name: str, folder: Path = RESULTS):
        self.name, self.folder = name, folder
        self.path, self.command = folder / f"{name}.pieces.json", command(name)
        kept = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}
        self.found: dict[str, Any] = kept["pieces"] if kept.get("command") == self.command else {}

    def get(self, piece: str, measure: Callable[[], Any]) -> Any:
        """The piece, which is measured and written when it is not there; any plain value."""
        if piece not in self.found:
            self.found[piece] = measure()
            _write(self.path, {"command": self.command, "pieces": self.found})
            print(f"{piece}: {self.found[piece]}", file=sys.stderr, flush=True)
        return self.found[piece]

    def conclude(self, result: dict[str, Any]) -> int:
        """As the function does, of what was made of the pieces, whose file is removed."""
        done = conclude(self.name, result, self.folder)
        self.path.unlink(missing_ok=True)
        return done


def load(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """What `save` wrote, or None."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None
