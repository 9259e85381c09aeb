"""Kernels compiled for other CPUs than this one: the register tile follows the target, and the results stay right.

Each target is a process of its own, `cpu_target.py`.  What this CPU cannot run is skipped; NEON's tile is compiled to
machine code for ARM, and its shape is run with the registers of x86.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("numba")
from llvmlite import binding

PROGRAM = Path(__file__).parents[1] / "cpu_target.py"
REGISTERS = ("xmm", "ymm", "zmm")  # of 4, 8 and 16 numbers


class Target(NamedTuple):
    """What Numba is told, and what should follow from it."""

    cpu: str
    features: str
    tile: list[int]
    widest: str  # registers in the machine code
    fused: bool


TARGETS = {
    "avx512": Target(
        "skylake-avx512", "+avx512f,+avx512cd,+avx512bw,+avx512dq,+avx512vl,+avx2,+fma", [16, 14, 2], "zmm", True
    ),
    "avx2": Target("haswell", "+avx2,+fma", [8, 6, 2], "ymm", True),
    "sse4.2": Target("nehalem", "+sse4.2", [4, 4, 2], "xmm", False),
    "shape of neon": Target("nehalem", "+fma,+neon", [4, 8, 3], "ymm", True),
}


def run(arguments: list[str], folder: Path, **variables: str) -> str:
    """What a program with variables of its own prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MINICNN", "NUMBA"))}
    environment = {**kept, "MINICNN_CACHE": str(folder), **variables}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", TARGETS)
def test_rungs_are_right_when_compiled_for_another_cpu(name, tmp_path):
    target, host = TARGETS[name], binding.get_host_cpu_features()
    missing = [feature for feature in target.features.split(",") if not host.get(feature[1:]) and feature != "+neon"]
    if missing:
        pytest.skip(f"this CPU cannot run what is compiled for {name}: it lacks {', '.join(missing)}")
    variables = {"NUMBA_CPU_NAME": target.cpu, "NUMBA_CPU_FEATURES": target.features}
    found = json.loads(run([str(PROGRAM)], tmp_path, **variables))
    assert found["tile"] == target.tile
    assert found["fused"] == target.fused
    code = found["code"]
    assert [name for name in REGISTERS if code[name]][-1] == target.widest
    assert bool(code["vfmadd"]) == target.fused


ARM = """
import re
from llvmlite import binding, ir
from minicnn.kernels import _host, _simd

binding.initialize_all_targets()
binding.initialize_all_asmprinters()
triple = "aarch64-unknown-linux-gnu"
machine = binding.Target.from_triple(triple).create_target_machine(cpu="generic", features="+neon", opt=3)
module = ir.Module()
module.triple = triple
_simd._Tile(module, _simd.ROWS, _simd.COLUMNS).function.linkage = "external"
compiled = binding.parse_assembly(str(module))
compiled.verify()
passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3))
passes.getModulePassManager().run(compiled, passes)
loop = max(re.split(r"^\\.\\w+:", machine.emit_assembly(compiled), flags=re.MULTILINE), key=lambda s: s.count("fmla"))
print(*_host.TILE, loop.count("fmla"), len(re.findall(r"\\bst[rp]\\b", loop)), machine.emit_object(compiled)[:4])
"""


def test_the_tile_for_neon_compiles_for_arm_and_stays_in_registers(tmp_path):
    """Its loop holds one multiply-add for each vector of sums, and stores nothing."""
    printed = run(["-c", ARM], tmp_path, NUMBA_CPU_FEATURES="+neon").split()
    assert printed == ["4", "8", "3", "24", "0", repr(b"\x7fELF")]


def tile(folder: Path, **variables: str) -> list[str]:
    return run(["-c", "from minicnn.kernels import _host; print(*_host.TILE)"], folder, **variables).split()


@pytest.mark.skipif(not binding.get_process_triple().startswith("x86_64"), reason="about CPUs of x86")
def test_the_tile_follows_what_numba_compiles_for(tmp_path):
    """A CPU's name alone leaves Numba with the extensions of this one."""
    assert tile(tmp_path, NUMBA_CPU_NAME="nehalem") == tile(tmp_path)
    for variables in ({"NUMBA_CPU_NAME": "generic"}, {"NUMBA_ENABLE_AVX": "0"}):
        assert tile(tmp_path, **variables) == ["4", "4", "2"]
