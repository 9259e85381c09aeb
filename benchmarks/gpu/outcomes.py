"""The list of tests on a GPU, a line for each begin and each end: pytest_plugin.py writes it, session.py reads it."""

import json
from pathlib import Path

BEGUN, PASSED, FAILED = "begun", "passed", "failed"


def outcomes(path: Path) -> dict[str, str]:
    """How each test of a list ended: "passed", "failed", "skipped"; "begun", where its process did not live to tell."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {told["test"]: told["outcome"] for told in map(json.loads, lines)}


def note(path: Path, test: str, outcome: str, why: str = "") -> None:
    """One more line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"test": test, "outcome": outcome, "why": why}) + "\n")
