"""The third build: AddressSanitizer and UndefinedBehaviorSanitizer, which end their process, so in one of its own."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from minicnn.errors import DeviceError

from .build import build, sanitizer_environment
from .device import install
from .launching import KERNELS

pytestmark = pytest.mark.cuda_emulated


def run(kernel: str, number: int) -> subprocess.CompletedProcess[str]:
    build(KERNELS / "overflows.cu", "asan")
    environment = sanitizer_environment()
    paths = (str(Path(__file__).parents[1]), *sys.path)
    environment["PYTHONPATH"] = ":".join(path for path in paths if path)
    program = [sys.executable, "-m", "emulator.sanitized", kernel, str(number)]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("kernel", "number", "total"), [("neighbours", 64, 128), ("global_array", 64, 64), ("vector_at", 4, 70)]
)
def test_right_kernel_passes(kernel: str, number: int, total: int):
    done = run(kernel, number)
    assert (done.returncode, done.stdout) == (0, f"sum {total}.0\n"), done.stderr


def test_a_process_without_the_sanitizer_is_refused_and_told_the_command_that_works():
    with pytest.raises(DeviceError, match=r"LD_PRELOAD=\$\(.*libasan\.so\) python PROGRAM$") as refused:
        install("asan")
    command, _, _ = str(refused.value).partition(": ")[2].partition("python PROGRAM")
    program = "from emulator.device import install; print(install('asan').mode)"
    environment = {**os.environ, "PYTHONPATH": ":".join([str(Path(__file__).parents[1]), *filter(None, sys.path)])}
    shell = f"{command} {shlex.quote(sys.executable)} -c {shlex.quote(program)}"
    done = subprocess.run(["sh", "-c", shell], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "asan\n"), done.stderr


def test_stacks_of_threads_are_no_fault():
    done = run("long_way", 3)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("kernel", "number", "said"),
    [
        ("neighbours", 65, "global-buffer-overflow"),
        ("global_array", 65, "heap-buffer-overflow"),
        ("vector_at", 1, "misaligned address"),
    ],
)
def test_fault_ends_the_process_and_names_its_line(kernel: str, number: int, said: str):
    done = run(kernel, number)
    assert done.returncode != 0
    assert said in done.stderr
    lines = (KERNELS / "overflows.cu").read_text().splitlines()
    text = "make_float4" if kernel == "vector_at" else "to[i] = 1"
    line = next(i for i, code in enumerate(lines, 1) if text in code)
    assert f"overflows.cu:{line}" in done.stderr
