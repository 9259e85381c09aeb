"""minicnn's pool of threads against Numba's threading layers: results/threads.json, the ground of decision 3.

    python -m benchmarks.threads

Each way runs in processes of its own: what a compilation costs, what waking the threads costs, and what happens to two
callers at once and to a forked child.
"""

import json
import os
import subprocess
import sys
from typing import Any

from .measuring import command_line, save

PREAMBLE = """
import os, statistics, threading, time
import numba
import numpy as np
from minicnn import kernels
from minicnn.kernels._threads import SERIAL_WORK, parallel_for

def body(start, stop, x, w, y):
    for i in range(start, stop):
        for j in range(y.shape[1]):
            total = np.float32(0)
            for a in range(w.shape[0]):
                total += x[i, j + a] * w[a]
            y[i, j] = total

def whole(x, w, y):
    for i in numba.prange(y.shape[0]):
        for j in range(y.shape[1]):
            total = np.float32(0)
            for a in range(w.shape[0]):
                total += x[i, j + a] * w[a]
            y[i, j] = total

WAY, ROWS, COLUMNS = os.environ["WAY"], int(os.environ.get("ROWS", "64")), 256
x, w = np.ones((ROWS, COLUMNS + 2), np.float32), np.ones(3, np.float32)
y = np.zeros((ROWS, COLUMNS), np.float32)
kernels.set_num_threads(2)
numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
if WAY == "minicnn":
    compiled = numba.njit(nogil=True)(body)
    call = lambda: parallel_for(compiled, ROWS, SERIAL_WORK, x, w, y)
elif WAY == "serial":
    compiled = numba.njit(nogil=True)(body)
    call = lambda: compiled(0, ROWS, x, w, y)
else:
    compiled = numba.njit(parallel=True, nogil=True)(whole)
    call = lambda: compiled(x, w, y)
numba.njit(lambda v: v + 1)(1.0)  # what the first compilation of a process costs is not counted
begun = time.perf_counter()
call()
compile_seconds = time.perf_counter() - begun
"""

TIME = """
seconds = []
for _ in range(300):
    begun = time.perf_counter()
    call()
    seconds.append(time.perf_counter() - begun)
    time.sleep(0.002)
print(compile_seconds, statistics.median(seconds))
"""

CALLERS = """
def many():
    for _ in range(300):
        call()
callers = [threading.Thread(target=many) for _ in range(4)]
for caller in callers: caller.start()
for caller in callers: caller.join()
print("works" if (y == 3).all() else "wrong result")
"""

FORK = """
child = os.fork()
if child == 0:
    y[:] = 0
    call()
    os._exit(0 if (y == 3).all() else 3)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print({0: "works", 3: "wrong result"}.get(code, f"the child dies ({code})"))
"""


def run(code: str, way: str, timeout: float = 120, **variables: str) -> str:
    """The last line that a program prints, or how it ended without one."""
    environment = {**os.environ, "WAY": way, **variables}
    if way not in ("minicnn", "serial"):
        environment["NUMBA_THREADING_LAYER"] = way
    command = [sys.executable, "-W", "ignore", "-c", PREAMBLE + code]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode == 0:
        return done.stdout.splitlines()[-1]
    reason = next((line for line in done.stderr.splitlines() if "ccess" in line or "Terminating" in line), "")
    return f"dies ({done.returncode}) {reason}".strip()


def measure(way: str) -> dict[str, Any] | None:
    """All figures of one way; None where this Numba does not have it."""
    timed = run(TIME, way)
    if timed.startswith("dies"):
        return None
    compiled, small = (float(value) for value in timed.split())
    found = {"compile_seconds": round(compiled, 3), "call_microseconds": round(1e6 * small, 1)}
    if way != "serial":
        found |= {"four_callers": run(CALLERS, way), "forked_child": run(FORK, way, timeout=20)}
    return found


def main(argv: list[str] | None = None) -> int:
    parser = command_line("threads", __doc__)
    options = parser.parse_args(argv)
    ways = {way: measure(way) for way in ("serial", "minicnn", "workqueue", "omp", "tbb")}
    print(json.dumps(ways, indent=1), file=sys.stderr)
    save("threads", {"ways": ways}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
