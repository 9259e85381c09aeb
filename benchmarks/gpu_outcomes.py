"""The list of tests on a GPU, a line for each beginning and each end: written by gpu_tests.py, read by gpu_session."""

import json
from pathlib import Path

BEGUN, PASSED, FAILED = "begun", "passed", "failed"
TESTS_FAILED = 4  # an exit code


def outcomes(path: Path) -> dict[str, str]:
    """How each test of a list ended: "passed", "failed", "skipped"; "begun", where its process did not live to tell."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {told["test"]: told["outcome"] for told in map(json.loads, lines)}


def note(path: Path, test: str, outcome: str, why: str = "") -> None:
    """One more line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"test": test, "outcome": outcome, "why": why}) + "\n")
