"""Compile every kernel for a GPU, as many at once as there are cores; what comes after finds them in the cache folder.

    python -m benchmarks.gpu.compile                     for the GPU that is there
    python -m benchmarks.gpu.compile --target sm_90     without one

exit codes: 0 all are there; 1 some do not compile (they are named), or cannot be kept; 2 wrong usage, no compiler, or
no GPU and no target.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from minicnn import kernels
from minicnn.errors import ArgumentError, DeviceError, MinicnnError
from minicnn.kernels._gpu.cubin_cache import cached_cubin, cubin_folder
from minicnn.kernels._gpu.file import CudaFile, Macros, builds
from minicnn.kernels._gpu.nvrtc import check_target, target_for

from .exit_codes import MEASURED, REFUSED, WRONG


def compile_all(target: str, threads: int) -> tuple[int, list[str]]:
    """How many builds there are for a target, and the sentences of those that do not compile."""
    number = int(target.removeprefix("sm_"))
    wanted = [(file, variant) for file, variant in builds() if file.target <= number]

    def failure(build: tuple[CudaFile, Macros]) -> str | None:
        file, variant = build
        try:
            cached_cubin(file.path, target, variant)
        except DeviceError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(threads) as pool:  # the compiler runs without Python's lock, and takes several at once
        return len(wanted), [said for said in pool.map(failure, wanted) if said]


def main(argv: list[str] | None = None) -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m benchmarks.gpu.compile", description=__doc__, formatter_class=raw)
    parser.add_argument("--target", metavar="sm_NN", help="an architecture (default: that of the GPU)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, metavar="N", help="(default: all cores)")
    options = parser.parse_args(argv)
    begun = time.monotonic()
    try:
        if options.threads < 1:
            raise ArgumentError(f"--threads is a whole number from 1 on, got {options.threads}")
        target = options.target or target_for(kernels.device("cuda").capability)
        check_target(target)  # finds the compiler, before there are threads
    except MinicnnError as error:
        print(f"benchmarks.gpu.compile: {error}", file=sys.stderr)
        return REFUSED
    kept = cubin_folder() is not None
    count, failures = compile_all(target, options.threads)
    print("\n".join([*failures, f"{count} builds for {target}, {len(failures)} of which failed"]))
    print(f"{time.monotonic() - begun:.0f} s with {options.threads} threads")
    return MEASURED if kept and not failures else WRONG


if __name__ == "__main__":
    sys.exit(main())
