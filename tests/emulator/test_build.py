"""Libraries are built once for a content, by one process at a time, and anew where they are damaged."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicnn.kernels._gpu.source import signatures

from . import build as building
from .build import BuildError, build
from .module import Module

pytestmark = pytest.mark.cuda_emulated
SOURCE = """
#ifdef WITH
#include "factor.cuh"
#else
#define FACTOR 2
#endif
extern "C" __global__ void scale(float *x) { x[threadIdx.x] *= FACTOR; }
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel file, with a header beside it, and a cache of its own that holds no kernel yet."""
    cache = tmp_path / "cache" / "emulator"
    cache.mkdir(parents=True)
    for made in building._runtime(building.MODES["fast"]):  # which is not what is tested here
        (cache / made.name).symlink_to(made)
    monkeypatch.setenv("MINICNN_CACHE", str(cache.parent))
    folder = tmp_path / "op"
    folder.mkdir()
    (folder / "factor.cuh").write_text("#define FACTOR 3\n")
    (folder / "scale.cu").write_text(SOURCE)
    return folder / "scale.cu"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The last argument of each run of the compiler."""
    seen, run = [], building._gxx

    def noted(source: Path, *arguments: str | Path) -> None:
        seen.append(Path(arguments[-1]).name)
        run(source, *arguments)

    monkeypatch.setattr(building, "_gxx", noted)
    return seen


def factor(source: Path, defines: tuple[str, ...] = ()) -> float:
    """What the kernel multiplies by, as it is built now."""
    signatures.cache_clear()
    x = np.ones(4, np.float32)
    Module(source, "fast", defines).launch("scale", (1,), (4,), (x,))
    return x[0]


def test_same_content_is_built_once(source: Path, commands: list[str]):
    assert factor(source) == factor(source) == 2
    assert commands.count("unit.o") == commands.count("out.so") == 1


@pytest.mark.parametrize(
    ("change", "defines", "expected"),
    [
        (lambda source: source.write_text(SOURCE.replace("FACTOR 2", "FACTOR 5")), (), 5),
        (lambda source: (source.parent / "factor.cuh").write_text("#define FACTOR 7\n"), ("WITH",), 7),
        (lambda source: None, ("WITH",), 3),
    ],
    ids=["kernel", "header", "macro"],
)
def test_other_content_is_built_anew(source: Path, change: Callable, defines: tuple[str, ...], expected: float):
    factor(source)
    factor(source, ("WITH",))
    change(source)
    assert factor(source, defines) == expected


def test_flags_and_macros_are_part_of_the_content(source: Path):
    key = building._key([source], building.MODES["fast"], ())
    assert building._key([source], building.MODES["fast"]._replace(runtime=("-O0",)), ()) != key
    assert building._key([source], building.MODES["fast"], ("TILE=8",)) != key


@pytest.mark.parametrize(("name", "other"), [("compiler", ("g++", "another version")), ("cpu", "another")])
def test_compiler_and_cpu_are_part_of_the_content(source: Path, monkeypatch: pytest.MonkeyPatch, name: str, other: Any):
    key = building._key([source])
    assert building._key([source]) == key
    monkeypatch.setattr(building, name, lambda: other)
    assert building._key([source]) != key


def test_shim_is_part_of_the_content(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    key = building._key(building._headers(source))
    shim = tmp_path / "shim"
    shim.mkdir()
    for path in building.SHIM.iterdir():
        (shim / path.name).write_bytes(path.read_bytes() + b"\n" * (path.name == "warp.h"))
    monkeypatch.setattr(building, "SHIM", shim)
    assert building._key(building._headers(source)) != key


@pytest.mark.parametrize("keep", [0, 1000, -1], ids=["empty", "truncated", "one byte short"])
def test_damaged_library_is_built_anew(source: Path, keep: int):
    library = build(source)
    whole = library.read_bytes()
    library.write_bytes(whole[:keep])
    assert build(source) == library
    assert len(library.read_bytes()) == len(whole)
    assert factor(source) == 2


def test_changed_byte_is_noticed(source: Path):
    library = build(source)
    content = bytearray(library.read_bytes())
    content[len(content) // 2] ^= 1
    library.write_bytes(content)
    build(source)
    assert library.read_bytes() != content


def test_nothing_is_left_of_a_build_that_fails(source: Path):
    folder = building.cache_folder()
    source.write_text(SOURCE.replace("FACTOR;", "NOTHING;"))
    with pytest.raises(BuildError, match=r"scale\.cu does not compile: .*scale\.cu:7:.*NOTHING.* was not declared"):
        build(source)
    assert not [path for path in folder.iterdir() if path.suffix not in (".o", ".lock")]


def test_several_processes_build_once(source: Path):
    program = (
        "import sys; from pathlib import Path; import emulator.build as b\n"
        "from emulator.module import Module; import numpy as np\n"
        "run, seen = b._gxx, []\n"
        "b._gxx = lambda *a: (seen.append(a), run(*a))\n"
        "x = np.ones(4, 'f'); Module(Path(sys.argv[1])).launch('scale', (1,), (4,), (x,)); print(len(seen), x[0])"
    )
    paths = ":".join(path for path in (str(Path(__file__).parents[1]), *sys.path) if path)
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-c", program]
    processes = [
        subprocess.Popen([*command, str(source)], env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [process.communicate()[0].split() for process in processes]
    assert sorted(said) == [["0", "2.0"], ["0", "2.0"], ["2", "2.0"]]


def test_shared_memory_in_a_template_is_refused(source: Path):
    source.write_text(
        "template <int N> __device__ void turn(float *x) {\n"
        "    __shared__ float s[N];\n"
        "    s[threadIdx.x] = x[threadIdx.x];\n"
        "    __syncthreads();\n"
        "    x[threadIdx.x] = s[N - 1 - threadIdx.x];\n"
        "}\n"
        'extern "C" __global__ void k(float *x) { turn<64>(x); }\n'
    )
    with pytest.raises(BuildError, match=r"scale\.cu has shared memory inside a template .*turn<64>\(float\*\)::s"):
        build(source)


def test_an_error_within_a_macro_of_the_emulator_names_the_line_of_the_kernel_file(source: Path):
    source.write_text('extern "C" __global__ void scale(float *x) {\n    int i = threadIdx;\n    x[i] = 1;\n}\n')
    with pytest.raises(BuildError, match=r"^scale\.cu does not compile: \S*/op/scale\.cu:2:\d+: error: cannot convert"):
        build(source)


def test_dynamic_shared_memory_that_is_declared_as_in_cuda_is_refused_with_the_form_that_works(source: Path):
    source.write_text('extern "C" __global__ void scale(float *x) { extern __shared__ float s[]; x[0] = s[0]; }\n')
    with pytest.raises(BuildError, match=r"of .s.; dynamic shared memory is declared by DYNAMIC_SHARED\(type, name\)"):
        build(source)


@pytest.mark.parametrize("mode", ["fast", "checked"])
def test_a_kernel_may_print(source: Path, mode: str, capfd: pytest.CaptureFixture[str]):
    printing = 'if (threadIdx.x < 2) printf("thread %d has %g\\n", int(threadIdx.x), x[threadIdx.x]);'
    source.write_text(f'extern "C" __global__ void scale(float *x) {{ {printing} }}\n')
    Module(source, mode).launch("scale", (1,), (4,), (np.float32([5, 6, 7, 8]),))
    assert capfd.readouterr().out == "thread 0 has 5\nthread 1 has 6\n"


def test_file_that_the_cache_does_not_know_is_refused(source: Path, tmp_path: Path):
    (tmp_path / "elsewhere.cuh").write_text("#define FACTOR 3\n")
    source.write_text(SOURCE.replace("#define FACTOR 2", '#include "../elsewhere.cuh"'))
    with pytest.raises(BuildError, match=r"scale\.cu includes .*elsewhere\.cuh; it may include"):
        build(source)


def test_twin_comes_before_the_header_of_its_name(source: Path):
    source.write_text(
        '#include "ptx.cuh"\nextern "C" __global__ void scale(float *x) { x[threadIdx.x] *= float_of_half(0x4000); }\n'
    )
    assert factor(source) == 2


def test_what_ptx_has_is_refused_where_it_is_not_included(source: Path):
    kernel = 'extern "C" __global__ void scale(float *x) { DYNAMIC_SHARED(float, s); s[0] = 2; x[0] *= s[0]; }\n'
    source.write_text(kernel)
    with pytest.raises(BuildError, match=r'^scale\.cu does not include "ptx\.cuh", which has DYNAMIC_SHARED of scale'):
        build(source)
    source.write_text(f'#include "ptx.cuh"\n{kernel}')
    assert build(source)
    (source.parent / "factor.cuh").write_text('#include "ptx.cuh"\n')
    source.write_text(f'#include "factor.cuh"\n{kernel}')
    assert build(source)


def test_missing_compiler_is_told(monkeypatch: pytest.MonkeyPatch):
    building.compiler.cache_clear()
    monkeypatch.setenv("CXX", "no-such-compiler")
    try:
        with pytest.raises(BuildError, match=r"needs the C\+\+ compiler no-such-compiler .*: install g\+\+"):
            building.compiler()
    finally:
        building.compiler.cache_clear()
