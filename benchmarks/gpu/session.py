"""Everything that a GPU is needed for, in one go of some minutes: a check of what is installed, tests, measurements.

    python -m benchmarks.gpu.session --out FOLDER

1. what is there: driver, CuPy, NVRTC, pytest; nothing is installed;
2. `python -m benchmarks.gpu.compile`, all kernels on all cores;
3. `pytest -m gpu`, every kernel on a few drawn cases: two fifths of the time at the most;
4. compute-sanitizer over a few kernels, where it is on the PATH: one fifth;
5. `python -m benchmarks.gpu` for the rest.

The first step decides whether there is any use in going on; the others are all tried.  Where a kernel ends a process,
or never ends, what it ran is named as failed, and a new process goes on after it.  FOLDER gets the result of the
benchmark, and in gpu-session/ what every step printed, the tests one by one, and summary.txt, all as it comes.

exit codes: 0 all well; 2 wrong usage, or a device or a package is missing; 4 tests failed, or did not run;
5 compute-sanitizer found something; 1 or 3 as benchmarks.gpu says, or 1 where kernels do not compile; of several, that
of the first step.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import IO, NamedTuple

from minicnn import kernels
from minicnn.errors import MinicnnError

from ..measuring import command_line
from .exit_codes import LOST, REFUSED, TESTS_FAILED, WRONG
from .outcomes import PASSED, outcomes
from .result import RUNNING, of_today, read_result, writable

ROOT = Path(__file__).parents[2]
SANITIZER_FOUND = 5
NEEDED = ("numpy", "h5py", "pytest", "hypothesis")
COMPILING, TESTS, SANITIZED = 0.15, 0.4, 0.2  # shares of the time, at the most
TRIES = 12  # of a step whose process a kernel ends
SILENCE = {"tests": 60.0, "benchmark": 120.0}  # seconds in which nothing is written: the kernel never ends
LAST_JOB, LEAST = 20.0, 30.0  # seconds that the last job may take longer than it should; of a try that is worth while
SHOWN = 15  # lines of what a step printed
PYTEST = ["-m", "gpu", "-q", "-p", "no:cacheprovider", "-p", "benchmarks.gpu.pytest_plugin", "-W", "default"]
ENVIRONMENT = {"MINICNN_HYPOTHESIS_PROFILE": "brief", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUNBUFFERED": "1"}
TOOLS = {  # of compute-sanitizer: the kernels that it looks at
    "memcheck": "maxpool2d or dense or (conv2d and forward)",
    "racecheck": "dense or batchnorm or channel_sum or (conv2d and forward)",
}
UNPOOLED = (  # CuPy's pool would lay arrays side by side in one allocation, where nobody sees one end
    "import sys, cupy, pytest; cupy.cuda.set_allocator(None); sys.exit(pytest.main(sys.argv[1:]))"
)


class Step(NamedTuple):
    """A command, the seconds that it may take, and the session's exit code where it fails; None: the command's own.

    It is ended when nothing has been written for the seconds of `silence`.
    """

    title: str
    command: list[str]
    seconds: float
    failure: int | None
    silence: float = inf


class Ending(NamedTuple):
    """How a step ended: its exit code, None where its time was over, negative where a signal ended it."""

    step: Step
    code: int | None
    seconds: float

    @property
    def exit_code(self) -> int:
        """That of the session, as far as this step goes."""
        if self.code == 0:
            return 0
        return self.step.failure or (self.code if self.code and self.code > 0 else WRONG)

    @property
    def early(self) -> bool:
        """Whether a kernel ended it, so that a new process can go on."""
        return self.code is not None and (self.code == LOST or self.code < 0)

    @property
    def said(self) -> str:
        return "ok" if self.code == 0 else "not done in its time" if self.code is None else self._ended

    @property
    def _ended(self) -> str:
        return f"exit code {self.code}" if self.code and self.code > 0 else f"ended by signal {-(self.code or 0)}"


def missing() -> list[str]:
    """What is not there, each in a sentence."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    found = [f"the package {name} is not installed: pip install -e '.[test]'" for name in absent]
    usable, said = kernels.cuda_usable()
    return found if usable else [*found, said]


def files() -> list[str]:
    """The files with tests of a GPU: only they are imported, so that nothing else need be installed."""
    found = [
        path for path in sorted((ROOT / "tests").rglob("test_*.py")) if "pytest.mark.gpu" in path.read_text("utf-8")
    ]
    return [str(path.relative_to(ROOT)) for path in found]


class Session:
    """Steps one after another, and a folder with all that they leave.

    Raises
    ------
    FileAccessError
        The folder cannot be written to.
    FileFormatError
        In it is a result that the benchmark, which comes last, would not go on with.
    """

    def __init__(self, out: Path, seconds: float):
        for path in of_today(writable(out)):
            read_result(path)
        self.out, self.folder = out, out / "gpu-session"
        shutil.rmtree(self.folder, ignore_errors=True)
        writable(self.folder)
        self.seconds, self.end = seconds, time.monotonic() + seconds
        self.endings: list[Ending] = []

    def steps(self) -> int:
        """All of them; the exit code."""
        last = [self.run(Step("compiling", _python("-m", "benchmarks.gpu.compile"), COMPILING * self.seconds, WRONG))]
        last.append(self.repeated(self.tests, time.monotonic() + TESTS * self.seconds))
        last += [self.run(step) for step in self.watched()]
        last.append(self.repeated(self.benchmark, self.end))
        return next((ending.exit_code for ending in last if ending.exit_code), 0)

    def tests(self, seconds: float) -> Step:
        """The tests that are not in the list yet."""
        command = _python("-m", "pytest", *PYTEST, "--list", str(self.folder / "tests.jsonl"), *files())
        return Step("tests on the GPU", command, seconds, TESTS_FAILED, SILENCE["tests"])

    def watched(self) -> list[Step]:
        """A few of the tests under NVIDIA's tools."""
        tool, found = shutil.which("compute-sanitizer"), []
        for check, chosen in TOOLS.items() if tool else ():
            arguments = [*PYTEST, "--list", str(self.folder / f"{check}.jsonl"), "-k", chosen, *files()]
            command = [str(tool), "--tool", check, "--error-exitcode", "86", *_python("-c", UNPOOLED, *arguments)]
            seconds = SANITIZED * self.seconds / len(TOOLS)
            found.append(Step(f"compute-sanitizer, {check}", command, seconds, SANITIZER_FOUND))
        return found

    def benchmark(self, seconds: float) -> Step:
        """What is not measured yet, the last job of which has time to end."""
        minutes = f"{max(0.0, seconds - LAST_JOB) / 60:.2f}"
        command = _python("-m", "benchmarks.gpu", "--minutes", minutes, "--out", str(self.out))
        return Step("benchmark", command, seconds, None, SILENCE["benchmark"])

    def repeated(self, step: Callable[[float], Step], end: float) -> Ending:
        """The last ending of a step that is begun anew, while there is time, where a kernel has ended its process."""
        ending = self.run(step(end - time.monotonic()))
        for _ in range(TRIES - 1):
            left = end - time.monotonic()
            if not ending.early or left < LEAST:
                break
            ending = self.run(step(left))
        return ending

    def run(self, step: Step) -> Ending:
        """Run a step in the checkout, and note how it ended."""
        log = self.folder / f"{len(self.endings) + 1:02}-{step.title.replace(',', '').replace(' ', '-')}.log"
        print(f"--- {step.title}: {' '.join(step.command)}", flush=True)
        begun = time.monotonic()
        with log.open("w") as file:
            code = self._waited(step, file)
        if code is None:
            for path in self.out.glob(f"*{RUNNING}"):  # what ran when the time was over is not to blame
                path.unlink()
        self.endings.append(Ending(step, code, time.monotonic() - begun))
        (self.folder / "summary.txt").write_text(self.summary(), "utf-8")
        print("\n".join(log.read_text("utf-8", "replace").splitlines()[-SHOWN:]), flush=True)
        return self.endings[-1]

    def _waited(self, step: Step, output: IO[str]) -> int | None:
        """The exit code of a command, all of whose processes end with its time."""
        end = time.monotonic() + max(1.0, step.seconds)
        environment = {**os.environ, **ENVIRONMENT}
        process = subprocess.Popen(
            step.command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        silent_since, late = time.time(), False
        while process.poll() is None and not late:
            time.sleep(0.1)
            silent_since, late = max(silent_since, written_last(self.out)), time.monotonic() > end
            if late or time.time() - silent_since > step.silence:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return None if late else process.returncode

    def summary(self) -> str:
        """A table of the steps, and the tests that did not pass."""
        lines = [f"{ending.step.title:32} {ending.seconds:6.0f} s  {ending.said}" for ending in self.endings]
        for path in sorted(self.folder.glob("*.jsonl")):
            found = outcomes(path)
            counts = ", ".join(f"{count} {outcome}" for outcome, count in Counter(found.values()).items())
            lines.append(f"{path.stem}: {counts}")
            lines += [f"    {outcome}: {test}" for test, outcome in found.items() if outcome != PASSED]
        return "\n".join(lines) + "\n"


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def written_last(folder: Path) -> float:
    """When a file below a folder was last written, as `time.time` counts."""
    latest = 0.0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it was renamed in between
            latest = max(latest, path.stat().st_mtime)
    return latest


def main(argv: list[str] | None = None) -> int:
    parser = command_line("gpu.session", __doc__, "gpu-session/ and gpu-DEVICE-DATE")
    parser.add_argument("--minutes", type=float, default=9.0, metavar="N", help="for all of it (default: 9)")
    options, begun = parser.parse_args(argv), time.monotonic()
    if absent := missing():
        print("\n".join(f"benchmarks.gpu.session: {sentence}" for sentence in absent), file=sys.stderr)
        return REFUSED
    if shutil.which("compute-sanitizer") is None:
        print("compute-sanitizer is not on the PATH: memory and races are not watched", flush=True)
    try:
        session = Session(options.out.resolve(), 60 * options.minutes - (time.monotonic() - begun))
    except MinicnnError as error:
        print(f"benchmarks.gpu.session: {error}", file=sys.stderr)
        return REFUSED
    code = session.steps()
    print(session.summary(), end="")
    return code


if __name__ == "__main__":
    sys.exit(main())
