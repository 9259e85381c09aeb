"""Everything that a GPU is needed for, in one go of some minutes: a check of what is installed, tests, measurements.

    python -m benchmarks.gpu_session --minutes 12

1. what is there: driver, CuPy, NVRTC, pytest; nothing is installed;
2. `pytest -m gpu`, every kernel on a few drawn cases: two fifths of the time at the most;
3. compute-sanitizer over a few kernels, where it is on the PATH: one fifth;
4. `python -m benchmarks.gpu` for the rest; where the device is lost, again, with what comes after.

The first step decides whether there is any use in going on; the others are all tried.  A table at the end says how each
ended.  exit codes: 0 all well; 2 a device or a package is missing; 4 tests failed; 5 compute-sanitizer found something;
1 or 3 as benchmarks.gpu says; of several, that of the first step.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from minicnn import kernels

from .gpu import LOST, REFUSED, WRONG
from .measuring import command_line

ROOT = Path(__file__).parents[1]
TESTS_FAILED, SANITIZER_FOUND = 4, 5
NEEDED = ("numpy", "h5py", "cupy", "pytest", "hypothesis")
TESTS, SANITIZED = 0.4, 0.2  # shares of the time
TRIES = 3  # of the benchmark, where the device is lost
PYTEST = ["-m", "gpu", "-q", "-p", "no:cacheprovider"]
TOOLS = {  # of compute-sanitizer: the kernels that it looks at
    "memcheck": "maxpool2d or dense or (conv2d and forward)",
    "racecheck": "dense or batchnorm or channel_sum or (conv2d and forward)",
}
UNPOOLED = (  # CuPy's pool would lay arrays side by side in one allocation, where nobody sees one end
    "import sys, cupy, pytest; cupy.cuda.set_allocator(None); sys.exit(pytest.main(sys.argv[1:]))"
)


class Step(NamedTuple):
    """A command, the seconds that it may take, and the session's exit code where it fails; None: the command's own."""

    title: str
    command: list[str]
    seconds: float
    failure: int | None


class Ending(NamedTuple):
    """How a step ended: its exit code, None where its time was over."""

    step: Step
    code: int | None
    seconds: float

    @property
    def exit_code(self) -> int:
        """That of the session, as far as this step goes."""
        if self.code == 0:
            return 0
        return self.step.failure or self.code or WRONG

    @property
    def said(self) -> str:
        return "ok" if self.code == 0 else "not done in its time" if self.code is None else f"exit code {self.code}"


def missing() -> list[str]:
    """What is not there, each in a sentence."""
    how = ": pip install -e '.[test]'"
    absent = [name for name in NEEDED if find_spec(name) is None]
    found = [f"the package {name} is not installed{'' if name == 'cupy' else how}" for name in absent]
    usable, said = kernels.cuda_usable()
    return found if usable else [*found, said]


def files() -> list[str]:
    """The files with tests of a GPU: only they are imported, so that nothing else need be installed."""
    found = [
        path for path in sorted((ROOT / "tests").rglob("test_*.py")) if "pytest.mark.gpu" in path.read_text("utf-8")
    ]
    return [str(path.relative_to(ROOT)) for path in found]


def steps(minutes: float) -> list[Step]:
    """What comes before the benchmark."""
    tests, sanitized = 60 * minutes * TESTS, 60 * minutes * SANITIZED
    command = [sys.executable, "-m", "pytest", *PYTEST, *files()]
    found = [Step("tests on the GPU", command, tests, TESTS_FAILED)]
    tool = shutil.which("compute-sanitizer")
    for check, chosen in TOOLS.items() if tool else ():
        watched = [str(tool), "--tool", check, "--error-exitcode", "86", sys.executable, "-c", UNPOOLED]
        command = [*watched, *PYTEST, "-k", chosen, *files()]
        found.append(Step(f"compute-sanitizer, {check}", command, sanitized / len(TOOLS), SANITIZER_FOUND))
    return found


def run(step: Step) -> Ending:
    """Run a step in the checkout; all of its processes end with its time."""
    print(f"--- {step.title}: {' '.join(step.command)}", flush=True)
    begun = time.monotonic()
    environment = {**os.environ, "MINICNN_HYPOTHESIS_PROFILE": "brief"}
    process = subprocess.Popen(step.command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        code: int | None = process.wait(max(1.0, step.seconds))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        code = None
    return Ending(step, code, time.monotonic() - begun)


def benchmark(end: float, out: Path) -> list[Ending]:
    """The benchmark until the time is over; begun anew in a new process where the device was lost."""
    endings: list[Ending] = []
    while len(endings) < TRIES and (not endings or endings[-1].code == LOST):
        left = max(0.0, end - time.monotonic())
        command = [sys.executable, "-m", "benchmarks.gpu", "--minutes", f"{left / 60:.2f}", "--out", str(out)]
        endings.append(run(Step("benchmark", command, left + 60, None)))
    return endings


def main(argv: list[str] | None = None) -> int:
    parser = command_line("gpu_session", __doc__, "gpu-DEVICE-DATE")
    parser.add_argument("--minutes", type=float, default=12.0, metavar="N", help="for all of it (default 12)")
    options = parser.parse_args(argv)
    end = time.monotonic() + 60 * options.minutes
    if absent := missing():
        print("\n".join(f"benchmarks.gpu_session: {sentence}" for sentence in absent), file=sys.stderr)
        return REFUSED
    if shutil.which("compute-sanitizer") is None:
        print("compute-sanitizer is not on the PATH: memory and races are not watched", flush=True)
    checks, measured = [run(step) for step in steps(options.minutes)], benchmark(end, options.out.resolve())
    for ending in checks + measured:
        print(f"{ending.step.title:32} {ending.seconds:6.0f} s  {ending.said}")
    return next((ending.exit_code for ending in [*checks, measured[-1]] if ending.exit_code), 0)


if __name__ == "__main__":
    sys.exit(main())
