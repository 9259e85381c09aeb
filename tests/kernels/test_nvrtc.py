"""The compile path of the CUDA kernels, which is the same with a GPU and without."""

import ctypes
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from minicnn.errors import DeviceError
from minicnn.kernels._gpu import nvrtc as nvrtc
from minicnn.kernels._gpu.source import INCLUDE

pytestmark = [
    pytest.mark.cuda_compile,
    pytest.mark.skipif(sys.platform != "linux", reason="NVRTC is installed with the tests on Linux only"),
]

TARGETS = tuple(f"sm_{number}" for number in nvrtc.CHECKED)
SMALL = """
#include "ptx.cuh"
extern "C" __global__ void reversed(const float *x, float *y, int n) {
    DYNAMIC_SHARED(float, rows);
    __shared__ float tile[33];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    tile[threadIdx.x] = rows[threadIdx.x] = x[i];
    __syncthreads();
    if (i < n) y[i] = tile[32 - threadIdx.x] + rows[threadIdx.x + 1];
}
extern "C" __global__ void __launch_bounds__(WIDTH) fused(const float *x, float *y, int n) {
    y[n] = x[n] * x[n + 1] - x[n + 2];
}
"""
PRESSED = """
extern "C" __global__ void __launch_bounds__(1024) pressed(float *x) {
    float values[200];
    for (int i = 0; i < 200; i++) values[i] = x[i];
    __syncthreads();
    for (int i = 0; i < 200; i++) x[i * i] = values[i] * x[i + 999];
    for (int i = 0; i < 200; i++) x[i * i] = values[i] * values[199 - i];
}
extern "C" __global__ void indexed(float *x, int n) {
    float values[200];
    for (int i = 0; i < n; i++) values[i * i % 200] = x[i];
    x[0] = values[n];
}
"""


@pytest.fixture
def compiled(tmp_path):
    """A function that compiles a text."""

    def compile_text(text: str, target: str = "sm_80", *defines: str) -> nvrtc.Compiled:
        source = tmp_path / "cuda.cu"
        source.write_text(text)
        return nvrtc.compile_cubin(source, target, defines)

    return compile_text


def architecture(cubin: bytes) -> int:
    """The one that the flags of the ELF file name, as CUDA 13 writes them."""
    return cubin[49]


@pytest.mark.parametrize("target", TARGETS)
def test_a_small_file_compiles_for_every_target(compiled, target):
    made = compiled(SMALL, target, "WIDTH=32")
    assert made.cubin[:4] == b"\x7fELF"
    assert architecture(made.cubin) == int(target[3:5])
    assert set(made.resources) == {"reversed", "fused"}
    assert made.resources["reversed"].shared >= 33 * 4
    assert made.resources["fused"].shared == 0
    assert all(0 < taken.registers < 64 and taken.spilled == taken.stack == 0 for taken in made.resources.values())
    assert made.warnings == ()


def test_each_choice_of_macros_is_a_build_of_its_own(compiled):
    narrow, wide = (compiled(SMALL, "sm_80", f"WIDTH={width}").cubin for width in (32, 256))
    assert narrow != wide
    with pytest.raises(DeviceError, match=r'cuda\.cu, line 11: identifier "WIDTH" is undefined \(for sm_80, TILE=1\)'):
        compiled(SMALL, "sm_80", "TILE=1")


def test_registers_that_do_not_suffice_are_seen(compiled):
    resources = compiled(PRESSED).resources
    assert resources["pressed"].spilled > 0
    assert resources["pressed"].registers <= 65536 // 1024
    assert resources["indexed"].spilled == 0
    assert resources["indexed"].stack == 800


def test_no_option_changes_the_arithmetic():
    """Products and sums are contracted, by the compiler's default; division, roots and denormals are exact."""
    assert not [option for option in nvrtc.OPTIONS if re.search("fast|ftz|prec|fmad", option)]


def test_warnings_are_kept(compiled):
    (warned,) = compiled('extern "C" __global__ void f(float *x) { int unused; }').warnings
    assert 'warning #177-D: variable "unused" was declared but never referenced' in warned


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\nextern "C" __global__ void f(float *x) {\n    x[0] = b;\n    c = 1;\n}',
         'cuda.cu, line 3: identifier "b" is undefined (for sm_90)'),
        ('#include "nothing.cuh"\n', 'cuda.cu, line 1: cannot open source file "nothing.cuh" (for sm_90)'),
        ("\n#error TILE is too large\n", "cuda.cu, line 2: #error directive: TILE is too large (for sm_90)"),
        ('extern "C" __global__ void f(float *x) {', 'cuda.cu: expected a "}" (for sm_90)'),
        ('extern "C" __global__ void f() {\n    asm volatile("wgmma.fence.sync.aligned;");\n}',
         "cuda.cu, line 2: Instruction 'wgmma.fence' not supported on .target 'sm_90' (for sm_90)"),
        ('extern "C" __global__ void f(float *x) { __shared__ float s[20000]; s[threadIdx.x] = x[0]; x[1] = s[2]; }',
         "cuda.cu: Entry function 'f' uses too much shared data (0x13880 bytes, 0xc000 max) (for sm_90)"),
    ],
    ids=["name", "header", "directive", "end", "instruction", "shared memory"],
)  # fmt: skip
def test_an_error_is_one_line_with_its_place(compiled, tmp_path, text, said):
    with pytest.raises(DeviceError) as found:
        compiled(text, "sm_90")
    assert str(found.value) == f"{tmp_path}/{said}"


def test_an_error_in_a_header_is_placed_there(compiled, tmp_path):
    (tmp_path / "tile.cuh").write_text("\n__device__ int broken = nothing;\n")
    with pytest.raises(DeviceError, match=r'^tile\.cuh, line 2, for .*/cuda\.cu: identifier "nothing" is undefined'):
        compiled('#include "tile.cuh"\n')


def test_a_header_of_the_files_own_folder_is_found(compiled, tmp_path):
    (tmp_path / "tile.cuh").write_text('#include "ptx.cuh"\n#define BODY(x) x[0] = float_of_half(3)\n')
    assert "f" in compiled('#include "tile.cuh"\nextern "C" __global__ void f(float *x) { BODY(x); }').resources


@pytest.mark.parametrize("target", ["sm_70", "90", "sm_90a", "compute_90", "sm_75;"])
def test_a_target_that_the_compiler_does_not_know_is_refused(compiled, target):
    with pytest.raises(DeviceError, match=rf"^NVRTC \d+\.\d+ does not compile for {target}; it does for sm_75, sm_80"):
        compiled(SMALL, target)


def test_a_gpu_is_compiled_for_as_the_checks_are():
    """What is recorded of a kernel, registers and no spills, is then true of what runs there."""
    for number in nvrtc.CHECKED:
        assert nvrtc.target_for(divmod(number, 10)) == f"sm_{number}"


# ---- where the compiler is found ---------------------------------------------------------------------------------


@pytest.fixture
def looked_for(monkeypatch):
    """A function that gives the names by which the compiler is looked for when none is found."""

    def names(driver: tuple[int, int] | None, **variables: str) -> list[str]:
        asked = []

        def absent(name):
            if "builtins" not in name:
                asked.append(name)
            raise OSError(name)

        for name in ("CUDA_PATH", "CUDA_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(nvrtc, "driver_version", lambda: driver)
        monkeypatch.setattr(ctypes, "CDLL", absent)
        with pytest.raises(DeviceError, match="NVRTC, which is not installed: pip install --upgrade 'nvidia-"):
            nvrtc.library.__wrapped__()
        return asked

    return names


def test_the_newest_compiler_that_the_driver_understands_comes_first(looked_for):
    for driver, order in ((None, [13, 12]), ((13, 1), [13, 12]), ((12, 8), [12, 13]), ((14, 0), [13, 12])):
        versions = [int(name.rpartition(".")[2]) for name in looked_for(driver)]
        assert list(dict.fromkeys(versions)) == order


def test_what_the_compiler_opens_itself_is_opened_before_it(tmp_path, monkeypatch):
    opened, place = [], tmp_path / "lib64"
    place.mkdir()
    for name in ("libnvrtc.so.13", "libnvrtc-builtins.so.13.0", "libnvrtc-builtins.alt.so.13.0"):
        (place / name).touch()
    monkeypatch.chdir(place)
    monkeypatch.setenv("CUDA_PATH", str(tmp_path))
    monkeypatch.setattr(nvrtc, "find_spec", lambda name: None)
    library = SimpleNamespace(nvrtcGetErrorString=SimpleNamespace())
    monkeypatch.setattr(ctypes, "CDLL", lambda name: opened.append(name) or library)
    nvrtc._opened("libnvrtc.so.13")
    assert opened.pop() == "libnvrtc.so.13", "those of the system are found by the system"
    nvrtc.library.__wrapped__()
    assert opened == [str(place / "libnvrtc-builtins.so.13.0"), str(place / "libnvrtc.so.13")]


def test_what_lies_beside_the_compiler_and_cannot_be_opened_does_not_hide_it(tmp_path, monkeypatch):
    place = tmp_path / "lib64"
    place.mkdir()
    found = next(name for name in nvrtc._candidates() if os.path.exists(name))
    for file in Path(found).parent.glob("libnvrtc*"):
        (place / file.name).symlink_to(file)
    (place / "libnvrtc-builtins.so").symlink_to(tmp_path / "removed")
    assert nvrtc._opened(str(place / Path(found).name)).nvrtcVersion


def test_whether_kernels_can_be_compiled_is_tried(monkeypatch):
    major, minor = nvrtc.version()
    assert nvrtc.compiler() == (True, f"NVRTC {major}.{minor}")
    monkeypatch.setattr(nvrtc, "OPTIONS", ("--nonsense",))
    usable, said = nvrtc.compiler()
    assert not usable
    assert said.startswith(f"{nvrtc.KERNELS}/channel_sum/cuda.cu: ")
    monkeypatch.setattr(nvrtc, "_candidates", list)
    monkeypatch.setattr(nvrtc, "library", nvrtc.library.__wrapped__)
    assert nvrtc.compiler()[1].startswith("CUDA kernels are compiled by NVRTC, which is not installed: pip install ")


def test_the_toolkit_that_the_environment_names_is_searched(looked_for):
    for variable in ("CUDA_PATH", "CUDA_HOME"):
        names = looked_for(None, **{variable: "/opt/cuda"})
        assert names.index("/opt/cuda/lib64/libnvrtc.so.13") < names.index("libnvrtc.so.13")


# ---- ptx.cuh -----------------------------------------------------------------------------------------------------


class Wrapper(NamedTuple):
    """A function of ptx.cuh: the least architecture, what it gives, and the types that it takes."""

    least: int
    gives: str
    name: str
    takes: list[str]
    is_template: bool


def wrappers() -> list[Wrapper]:
    """Every function of ptx.cuh, with the architecture that the #if around it asks for."""
    text = re.sub(r" *//[^\n]*", "", (INCLUDE / "ptx.cuh").read_text("utf-8"))
    pieces = re.compile(
        r"^#if __CUDA_ARCH__ >= (\d+)$|^#(if.*)$|^#(endif)$|^(template <int \w+> )?PTX (.+?)(\w+)\(([^{]*)\) \{", re.M
    )
    found, least = [], [750]
    for number, condition, end, template, gives, name, taken in pieces.findall(text):
        assert condition in ("", "ifndef MINICNN_PTX"), f"this test does not know what {condition} asks for"
        if number or condition:
            least.append(int(number or 0))
        elif end:
            least.pop()
        else:
            found.append(Wrapper(max(least), gives.strip(), name, split(taken), bool(template)))
    assert text.count("\nPTX ") + text.count("> PTX ") == len(found)
    return found


def split(taken: str) -> list[str]:
    """The types of parameters, without their names: "float (&)[4]" for "float (&d)[4]"."""
    return [re.sub(r"(\(&|\b)\w+(\)\[\d+\])?$", r"\1\2", one.strip()).strip() for one in taken.split(",") if one]


def calls(wrapper: Wrapper) -> str:
    """A kernel that calls a function with what it finds in memory, and keeps what that gives."""
    values = [
        f"*reinterpret_cast<{one.replace('&', '*') if '&' in one else one + ' *'}>(bytes + {64 * i})"
        for i, one in enumerate(wrapper.takes)
    ]
    call = f"{wrapper.name}{'<1>' * wrapper.is_template}({', '.join(values)})"
    kept = call if wrapper.gives == "void" else f"*reinterpret_cast<{wrapper.gives} *>(bytes + 4096) = {call}"
    return f'extern "C" __global__ void call_{wrapper.name}(unsigned char *bytes) {{ {kept}; }}\n'


def test_the_functions_of_ptx_are_read():
    assert split("float (&d)[4], const unsigned (&a)[4], void *to, const void *from, int n") == [
        "float (&)[4]", "const unsigned (&)[4]", "void *", "const void *", "int",
    ]  # fmt: skip
    names = {wrapper.name: wrapper.least for wrapper in wrappers()}
    assert names["half_of_float"] == 750
    assert names["mma_tf32"] == 800


@pytest.mark.parametrize("target", TARGETS)
def test_every_function_of_ptx_compiles_where_it_is_there(compiled, target):
    there = [wrapper for wrapper in wrappers() if wrapper.least <= 10 * int(target[3:5])]
    made = compiled('#include "ptx.cuh"\n' + "".join(map(calls, there)), target)
    assert set(made.resources) == {f"call_{wrapper.name}" for wrapper in there}
    assert made.warnings == ()


def test_tensor_cores_are_not_there_before_ampere(compiled):
    (wrapper,) = [wrapper for wrapper in wrappers() if wrapper.name == "mma_tf32"]
    with pytest.raises(DeviceError, match='line 2: identifier "mma_tf32" is undefined'):
        compiled('#include "ptx.cuh"\n' + calls(wrapper), "sm_75")
