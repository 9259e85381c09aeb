"""benchmarks.gpu_session: what it does one after another, and with which code it ends."""

import sys
from typing import Any

import pytest
from benchmark_cases import module


@pytest.fixture
def session(monkeypatch):
    """The module on a machine where all is there."""
    found = module("gpu_session")
    monkeypatch.setattr(found, "missing", list)
    return found


def ending_with(session: Any, code: int, failure: int | None = None) -> Any:
    return session.Step("step", [sys.executable, "-c", f"raise SystemExit({code})"], 60.0, failure)


def benchmark_of(monkeypatch: pytest.MonkeyPatch, session: Any, *codes: int) -> list[list[str]]:
    """Let the benchmark end with these codes, one after another; gives the commands that are called."""
    called, left = [], iter(codes)
    right = session.run

    def run(step: Any) -> Any:
        if step.title != "benchmark":
            return right(step)
        called.append(step.command)
        return session.Ending(step, next(left), 1.0)

    monkeypatch.setattr(session, "run", run)
    return called


def test_the_steps_and_their_time(session, monkeypatch):
    monkeypatch.setattr(session.shutil, "which", lambda name: None)
    (tests,) = session.steps(10.0)
    assert tests.command[1:5] == ["-m", "pytest", "-m", "gpu"]
    assert "tests/kernels/test_cuda_rungs.py" in tests.command
    assert "tests/test_docs.py" not in tests.command
    assert tests.seconds == pytest.approx(240)
    monkeypatch.setattr(session.shutil, "which", lambda name: f"/opt/{name}")
    watched = session.steps(10.0)[1:]
    assert [step.command[:3] for step in watched] == [
        ["/opt/compute-sanitizer", "--tool", tool] for tool in ("memcheck", "racecheck")
    ]
    assert sum(step.seconds for step in watched) == pytest.approx(120)


@pytest.mark.parametrize(
    ("tests", "measured", "code"), [(0, [0], 0), (1, [0], 4), (1, [1], 4), (0, [1], 1), (0, [3, 0], 0), (0, [3] * 3, 3)]
)
def test_the_exit_code_is_that_of_the_first_step_that_failed(session, monkeypatch, tmp_path, tests, measured, code):
    monkeypatch.setattr(session, "steps", lambda minutes: [ending_with(session, tests, session.TESTS_FAILED)])
    called = benchmark_of(monkeypatch, session, *measured)
    assert session.main(["--out", str(tmp_path)]) == code
    assert len(called) == len(measured), "a lost device is tried again, in a new process"


def test_a_step_that_takes_too_long_is_ended(session):
    step = session.Step("sleep", [sys.executable, "-c", "import time; time.sleep(60)"], 0.0, 4)
    ending = session.run(step)
    assert ending.code is None
    assert ending.exit_code == 4
    assert ending.said == "not done in its time"


def test_what_is_missing_is_said_and_nothing_is_begun(monkeypatch, capsys):
    session = module("gpu_session")
    monkeypatch.setattr(session, "find_spec", lambda name: None if name == "cupy" else name)
    monkeypatch.setattr(session.kernels, "cuda_usable", lambda: (False, "there is no NVIDIA driver"))
    monkeypatch.setattr(session, "run", lambda step: pytest.fail("it was begun"))
    assert session.main([]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "benchmarks.gpu_session: the package cupy is not installed",
        "benchmarks.gpu_session: there is no NVIDIA driver",
    ]


def test_how_the_packages_of_the_tests_are_installed_is_said(monkeypatch):
    session = module("gpu_session")
    monkeypatch.setattr(session, "find_spec", lambda name: None if name == "pytest" else name)
    monkeypatch.setattr(session.kernels, "cuda_usable", lambda: (True, "NVIDIA H200"))
    assert session.missing() == ["the package pytest is not installed: pip install -e '.[test]'"]


def test_the_kernels_that_are_watched_exist(session):
    from minicnn import kernels

    names = {spec.op for spec in kernels.specs("cuda")} | {"forward"}
    for chosen in session.TOOLS.values():
        words = chosen.replace("(", " ").replace(")", " ").split()
        assert set(words) - {"or", "and"} <= names
