"""Time networks, layers and every kernel on a GPU, against PyTorch: results/gpu-DEVICE-DATE.json, and a table.

    python -m benchmarks.gpu --minutes 10
    python -m benchmarks.gpu --minutes 3 --only ResNet50

Networks are timed as people call them: images on the device, predictions to the host.  Layers are timed as CUDA graphs
of one call, every rung and PyTorch's call (cuDNN, channels last, autotuned) in turns, the median of several samples of
20 ms.  All are compared before they are timed.  A layer's time in the table, and how many times as fast as PyTorch
that is, are those of the rung that runs by default in the precision; the fastest rung is named with its time where it
is another one.  Beside each stands the floor: the least that the device's data sheet allows for so many operations and
bytes (benchmarks/gpu/floors.py).

The most important comes first.  Every finished part is written at once; the same command goes on after it, on the same
day, with the same device and versions.  PyTorch is left out where it is not installed.

exit codes: 0 measured; 1 something was wrong or failed (it is named, the rest is measured); 2 wrong usage, or no
device; 3 the device was lost on the way (what ran then is named, and left out when the same command goes on).
"""

import argparse
import sys
import time
from collections.abc import Callable, Container, Iterable, Iterator
from functools import partial
from typing import Any

from minicnn.errors import ArgumentError, DeviceError, MinicnnError, UnsupportedError

from ..measuring import RESULTS, command_line
from . import cases, table
from .cases import Job, LayerJob, NetworkJob
from .device import EMULATED, Bench, facts, opened
from .exit_codes import LOST, MEASURED, REFUSED, WRONG
from .layers import Layers
from .networks import Networks
from .pytorch import available
from .result import Result
from .timing import Pace

NO_TIME = "no time was left"
PACE = Pace(rounds=7, sample=0.02, slow=1.0)
TINY = Pace(rounds=1, sample=0.0, slow=60.0)  # to see that it runs: the times of an emulator mean nothing


class Measurement:
    """Jobs one after another, until the time is over."""

    def __init__(self, bench: Bench, result: Result, minutes: float):
        self.bench, self.result = bench, result
        self.end = time.monotonic() + 60 * minutes
        self.layers, self.networks = Layers(bench), Networks(bench)

    def run(self, jobs: Iterable[Job]) -> int:
        """The exit code."""
        for job in last_if_alike(list(jobs), self.result.content["lost"]):
            if self.result.done(job.title):
                continue
            if time.monotonic() + job.seconds > self.end:
                self.result.leave_out(job.title, NO_TIME)
            elif not self._do(job):
                return LOST
        wrong = any(row.get("wrong") for row in self.result.rows)
        return WRONG if wrong or self.result.content["failed"] or self.result.content["lost"] else MEASURED

    def _do(self, job: Job) -> bool:
        """Measure one job; False when the device is lost."""
        end = partial(self.result.finish, job.title)
        try:
            self.result.begin(job.title)
            for row in self._rows(job):
                self.result.add(row)
                print(table.line(row), file=sys.stderr, flush=True)
        except (UnsupportedError, MemoryError) as error:
            end = partial(self.result.leave_out, job.title, str(error))
            print(f"left out: {job.title}: {error}", file=sys.stderr, flush=True)
        except Exception as error:  # the jobs after it must not be lost with it
            end = partial(self.result.fail, job.title, f"{type(error).__name__}: {error}")
            print(f"FAILED: {job.title}: {error}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            self.result.idle()
            raise
        if not self._alive():
            return False
        self.result.idle()
        end()
        return True

    def _rows(self, job: Job) -> Iterator[dict[str, Any]]:
        yield from self.layers.rows(job) if isinstance(job, LayerJob) else self.networks.rows(job)

    def _alive(self) -> bool:
        """Whether the device still computes: a kernel that failed has ended it for this process, and is named."""
        try:
            self.bench.device.synchronize()
        except DeviceError as error:
            print(f"the device is lost: {self.result.lose(str(error))}: {error}", file=sys.stderr, flush=True)
            return False
        return True


def last_if_alike(jobs: list[Job], lost: Container[str]) -> list[Job]:
    """The jobs, but last the networks' that do what has lost the device for another network: they may do so too."""
    suspect = {(j.task, j.precision) for j in jobs if isinstance(j, NetworkJob) and j.title in lost}
    return sorted(jobs, key=lambda j: isinstance(j, NetworkJob) and (j.task, j.precision) in suspect)


def parser() -> argparse.ArgumentParser:
    made = command_line("gpu", __doc__, "gpu-DEVICE-DATE")
    minutes = "no job begins that may end later (default: 10)"
    made.add_argument("--minutes", type=float, default=10.0, metavar="N", help=minutes)
    only = "jobs whose title, or what the table prints of them, contains this text (default: all), in any case, as "
    only += "'VGG16, prediction', 'dense VGG16 fc1' or 'softmax forward', whose other directions are measured too"
    made.add_argument("--only", default="", metavar="TEXT", help=only)
    made.add_argument("--device", default="cuda", choices=("cuda", EMULATED), help="where kernels run (default: cuda)")
    made.add_argument("--tiny", action="store_true", help="tiny shapes and one sample, to see that it runs")
    return made


def _check(options: argparse.Namespace, jobs: Callable[[], Iterator[Job]]) -> None:
    """Refuse options by which nothing would be measured, or what is no result be kept as one."""
    if options.device == EMULATED and (not options.tiny or options.out.resolve() == RESULTS):
        raise ArgumentError(f"--device {EMULATED} needs --tiny and --out: what it takes is no result")
    if not options.minutes >= 0:
        raise ArgumentError(f"--minutes is a number from 0 on, got {options.minutes}")
    if not any(cases.fits(job, options.only) for job in jobs()):
        raise ArgumentError(f"no job has {options.only!r} in its title, which looks like {_titles(list(jobs()))}")


def _titles(jobs: list[Job]) -> str:
    """The first title of each kind, and with which words the others begin."""
    first = {type(job): repr(job.title) for job in reversed(jobs)}
    named = dict.fromkeys(job.op if isinstance(job, LayerJob) else job.model for job in jobs)
    return f"{' or '.join(first.values())}; others begin with {', '.join(named)}"


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    jobs = cases.tiny_jobs if options.tiny else cases.jobs
    try:
        _check(options, jobs)
        device = opened(options.device)
        told = facts(device)
        result = Result(options.out, told)
    except MinicnnError as error:
        print(f"benchmarks.gpu: {error}", file=sys.stderr)
        return REFUSED
    bench = Bench(device, told["name"], available(device), TINY if options.tiny else PACE, result.begin)
    code = Measurement(bench, result, options.minutes).run(job for job in jobs() if cases.fits(job, options.only))
    print(table.text(result.content))
    print(f"wrote {result.path}", file=sys.stderr)
    return code
