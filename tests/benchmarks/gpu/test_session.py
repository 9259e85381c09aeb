"""benchmarks.gpu.session: what it does one after another, how long, what it leaves, and with which code it ends."""

import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from benchmark_cases import module


@pytest.fixture
def session(monkeypatch):
    """The module on a machine where all is there."""
    found = module("gpu.session")
    monkeypatch.setattr(found, "missing", list)
    return found


@pytest.fixture
def begun(session, monkeypatch) -> Callable[..., list[Any]]:
    """Steps that are not run: they take all of their time, by a clock that is theirs, and end with given codes."""

    def prepare(codes: dict[str, list[int]]) -> list[Any]:
        steps, left, now = [], {title: iter(found) for title, found in codes.items()}, [0.0]

        def run(self: Any, step: Any) -> Any:
            now[0] += step.seconds / (len(codes.get(step.title, [])) or 1)
            steps.append(step)
            self.endings.append(session.Ending(step, next(left.get(step.title, iter(())), 0), step.seconds))
            return self.endings[-1]

        monkeypatch.setattr(session.Session, "run", run)
        monkeypatch.setattr(session.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(session.shutil, "which", lambda name: f"/opt/{name}")
        return steps

    return prepare


def command(session: Any, program: str, **options: Any) -> Any:
    """A step that is a program in Python."""
    return session.Step("a step", [sys.executable, "-c", program], options.pop("seconds", 60.0), 4, **options)


def test_the_steps_in_their_order(session, begun, tmp_path):
    steps = begun({})
    assert session.main(["--out", str(tmp_path)]) == 0
    watched = [f"compute-sanitizer, {tool}" for tool in ("memcheck", "racecheck")]
    assert [step.title for step in steps] == ["compiling", "tests on the GPU", *watched, "benchmark"]
    compiling, tests, memcheck, _, measured = (step.command for step in steps)
    assert compiling[1:] == ["-m", "benchmarks.gpu.compile"]
    assert tests[1:5] == ["-m", "pytest", "-m", "gpu"]
    assert "tests/kernels/test_cuda_rungs.py" in tests
    assert "tests/test_docs.py" not in tests
    assert memcheck[:3] == ["/opt/compute-sanitizer", "--tool", "memcheck"]
    assert measured[measured.index("--out") + 1] == str(tmp_path)


@pytest.mark.parametrize("place", ["a file", "a file/below", "/proc/nope", ""])
def test_a_folder_that_is_none_is_refused(session, begun, place, tmp_path, capsys):
    steps = begun({})
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "gpu-session").write_text("mine too")
    assert session.main(["--out", str(tmp_path / place)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    folder = tmp_path / (place or "gpu-session")
    assert line.startswith(f"benchmarks.gpu.session: {folder} is no folder that can be written to (")
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["mine", "mine too"]
    assert not steps


def test_a_result_that_the_benchmark_would_refuse_is_refused_before_the_time_is_spent(session, begun, tmp_path, capsys):
    steps, today = begun({}), module("gpu.result").date.today().isoformat()
    path = tmp_path / f"gpu-nvidia-h200-{today}.json"
    path.write_text("{")
    (tmp_path / "gpu-nvidia-h200-2026-01-01.json").write_text("{")
    assert session.main(["--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"benchmarks.gpu.session: {path} is broken, or no result of benchmarks.gpu: remove it, or ")
    assert not steps


def test_all_ends_within_a_command_of_ten_minutes(session, begun, tmp_path):
    """Also where every step takes all of its time, and the last job of the benchmark more than it should."""
    steps = begun({})
    session.main(["--out", str(tmp_path)])
    assert 480 < sum(step.seconds for step in steps) <= 570
    measured = steps[-1]
    minutes = float(measured.command[measured.command.index("--minutes") + 1])
    assert 60 * minutes + session.LAST_JOB == pytest.approx(measured.seconds, abs=1)


@pytest.mark.parametrize(
    ("compiled", "tests", "measured", "code"),
    [
        (0, [0], [0], 0),
        (1, [0], [0], 1),
        (0, [4], [0], 4),
        (0, [4], [1], 4),
        (0, [2], [0], 4),
        (0, [0], [1], 1),
        (0, [3, 0], [3, -11, 0], 0),
        (0, [0], [-9], 1),
    ],
)
def test_the_exit_code_is_that_of_the_first_step_that_failed(session, begun, tmp_path, compiled, tests, measured, code):
    steps = begun({"compiling": [compiled], "tests on the GPU": tests, "benchmark": measured})
    assert session.main(["--out", str(tmp_path)]) == code
    assert sum(step.title == "benchmark" for step in steps) == len(measured)


@pytest.mark.parametrize("code", [3, -11])
def test_a_step_that_a_kernel_ends_goes_on_as_often_as_there_is_time(session, begun, tmp_path, code):
    steps = begun({"benchmark": [code] * 100})
    assert session.main(["--out", str(tmp_path)]) == (3 if code == 3 else 1)
    tries = [step for step in steps if step.title == "benchmark"]
    assert 2 < len(tries) <= session.TRIES
    assert all(later.seconds < earlier.seconds for earlier, later in pairwise(tries))
    steps.clear()
    begun({"benchmark": [code, code]})
    session.Session(tmp_path, 10.0).steps()
    assert sum(step.title == "benchmark" for step in steps) <= 1, "there is no time for another"


def test_all_that_is_printed_and_noted_is_in_the_folder(session, tmp_path, capsys):
    made = session.Session(tmp_path, 60.0)
    made.run(command(session, "print('measured'); raise SystemExit(3)"))
    assert capsys.readouterr().out.endswith("measured\n")
    (folder,) = tmp_path.iterdir()
    assert (folder / "01-a-step.log").read_text() == "measured\n"
    note = module("gpu.outcomes").note
    for test, outcome in (("a", "passed"), ("b", "begun"), ("b", "failed"), ("c", "begun")):
        note(folder / "tests.jsonl", test, outcome)
    made.run(command(session, ""))
    first, second, *tests = (folder / "summary.txt").read_text().splitlines()
    assert first.split()[-3:] == ["exit", "code", "3"]
    assert second.split()[-1] == "ok"
    assert tests == ["tests: 1 passed, 1 failed, 1 begun", "    failed: b", "    begun: c"]
    session.Session(tmp_path, 60.0)
    assert not list(folder.iterdir()), "tests that passed in another session are not left out of this one"


def test_a_step_that_takes_too_long_is_ended_and_what_ran_is_not_to_blame(session, tmp_path):
    (tmp_path / "gpu-a.running").write_text("conv2d forward v1_direct")
    ending = session.Session(tmp_path, 60.0).run(command(session, "import time; time.sleep(600)", seconds=0.0))
    assert ending.code is None
    assert ending.exit_code == 4
    assert not ending.early
    assert ending.said == "not done in its time"
    assert not list(tmp_path.glob("*.running"))


def test_a_step_that_has_nothing_to_say_is_ended_and_what_ran_is_to_blame(session, tmp_path):
    (tmp_path / "gpu-a.running").write_text("conv2d forward v1_direct")
    os.utime(tmp_path / "gpu-a.running", (0, 0))
    ending = session.Session(tmp_path, 60.0).run(command(session, "import time; time.sleep(600)", silence=0.0))
    assert ending.early
    assert ending.said == "ended by signal 9"
    assert ending.exit_code == 4
    assert list(tmp_path.glob("*.running"))


def test_whatever_is_written_is_heard(session, tmp_path):
    (tmp_path / "logs").mkdir()
    for path, when in (("result.json", 100), ("logs/a.log", 200)):
        (tmp_path / path).write_text("")
        os.utime(tmp_path / path, (when, when))
    os.utime(tmp_path / "logs", (0, 0))
    assert session.written_last(tmp_path) == 200


def test_what_is_missing_is_said_and_nothing_is_begun(monkeypatch, capsys, tmp_path):
    session = module("gpu.session")
    monkeypatch.setattr(session, "find_spec", lambda name: None if name == "pytest" else name)
    monkeypatch.setattr(session.kernels, "cuda_usable", lambda: (False, "there is no NVIDIA driver"))
    monkeypatch.setattr(session, "Session", lambda *arguments: pytest.fail("it was begun"))
    assert session.main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "benchmarks.gpu.session: the package pytest is not installed: pip install -e '.[test]'",
        "benchmarks.gpu.session: there is no NVIDIA driver",
    ]


def test_the_kernels_that_are_watched_exist(session):
    from minicnn import kernels

    names = {spec.op for spec in kernels.specs("cuda")} | {"forward"}
    for chosen in session.TOOLS.values():
        words = chosen.replace("(", " ").replace(")", " ").split()
        assert set(words) - {"or", "and"} <= names


DEVICE = """
import warnings
from minicnn.errors import DeviceError
from minicnn.kernels._device import register_device

class Device:
    lost = False
    def synchronize(self):
        if Device.lost:
            raise DeviceError("an illegal address")

def made():
    warnings.warn("CuPy is not of this year", DeprecationWarning)
    return Device()

def absent():
    raise DeviceError("there is no NVIDIA driver")

register_device("cuda", made)
"""
TESTS = """
import os, signal, warnings
import pytest
from minicnn import kernels

pytestmark = pytest.mark.gpu

def test_passes():
    warnings.warn("neither is NumPy", DeprecationWarning)
"""
FAULTS = """
def test_loses_the_device():
    type(kernels.device("cuda")).lost = True
    raise ValueError("a consequence")

def test_comes_after():
    assert not kernels.device("cuda").lost

def test_ends_the_process():
    os.kill(os.getpid(), signal.SIGKILL)

def test_comes_last():
    assert not kernels.device("cuda").lost
"""


@pytest.fixture
def tests_of(session, monkeypatch, tmp_path) -> Callable[..., Any]:
    """The ending of the step that runs tests, on a device that is none, and the folder that it leaves."""

    def ending(tests: str, device: str = DEVICE) -> tuple[Any, Path]:
        place = tmp_path / "tests"
        place.mkdir()
        (place / "pytest.ini").write_text("[pytest]\nmarkers = gpu\nfilterwarnings = error\naddopts = -ra\n")
        (place / "conftest.py").write_text(device)
        (place / "test_gpu.py").write_text(tests)
        monkeypatch.setattr(session, "files", lambda: [str(place)])
        made = session.Session(tmp_path / "out", 1200.0)
        return made.repeated(made.tests, session.time.monotonic() + 600), made.folder

    return ending


def named(path: Path) -> dict[str, str]:
    return {test.rpartition("::")[2]: outcome for test, outcome in module("gpu.outcomes").outcomes(path).items()}


def test_tests_go_on_after_a_kernel_that_ends_its_process(tests_of):
    ending, folder = tests_of(TESTS + FAULTS)
    assert ending.code == ending.exit_code == 4
    assert named(folder / "tests.jsonl") == {
        "test_passes": "passed",
        "test_loses_the_device": "failed",
        "test_comes_after": "passed",
        "test_ends_the_process": "begun",
        "test_comes_last": "passed",
    }
    assert len(list(folder.glob("*.log"))) == 3
    reasons = (folder / "tests.jsonl").read_text()
    assert '"the device was lost: an illegal address"' in reasons
    assert '"ValueError: a consequence"' in reasons


def test_warnings_of_others_are_no_failures(tests_of):
    ending, folder = tests_of(TESTS)
    assert ending.code == 0, (folder / "01-tests-on-the-GPU.log").read_text()


@pytest.mark.parametrize("tests", ["import pytest\npytestmark = pytest.mark.gpu\ndef test_a(): pytest.skip('no')", ""])
def test_tests_that_are_skipped_or_none_are_a_failure(tests_of, tests):
    ending, _ = tests_of(tests)
    assert ending.code == 4


def test_no_device_is_a_failure_that_is_said_once(tests_of):
    ending, folder = tests_of(TESTS + FAULTS, DEVICE.replace('"cuda", made', '"cuda", absent'))
    assert (ending.code, ending.exit_code) == (2, 4)
    assert "there is no NVIDIA driver" in (folder / "01-tests-on-the-GPU.log").read_text()
    assert not (folder / "tests.jsonl").exists()
