"""What is read of the words of NVRTC and nvcc."""

from pathlib import Path

import pytest

from minicnn.kernels._gpu.compiler_log import Resources, first_error, resources_in, warnings_in

pytestmark = pytest.mark.numpy_only

SOURCE = Path("conv2d/cuda.cu")
NVRTC = """\
conv2d/cuda.cu(1): warning #177-D: variable "warning" was declared but never referenced
    int warning;
        ^

Remark: The warnings can be suppressed with "-diag-suppress <warning-number>"

ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'tiled' for 'sm_90'
ptxas info    : Function properties for tiled
ptxas         .     304 bytes stack frame, 344 bytes spill stores, 356 bytes spill loads
ptxas info    : Used 64 registers, used 1 barriers, 304 bytes cumulative stack size, 8192 bytes smem
ptxas info    : Compile time = 39.996 ms
ptxas info    : Compiling entry function 'naive' for 'sm_90'
ptxas info    : Function properties for naive
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 6 registers, used 0 barriers
ptxas info    : Compile time = 4.202 ms
ptxas info    : Function properties for _Z6helperPfi
ptxas         .     8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
ptxas warning : Registers are spilled to local memory in function '_Z6helperPfi'
"""
NVCC = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'tiled' for 'sm_90'
ptxas info    : Function properties for tiled
    304 bytes stack frame, 344 bytes spill stores, 356 bytes spill loads
ptxas info    : Used 64 registers, used 1 barriers, 8192 bytes smem, 384 bytes cmem[0]
ptxas info    : Compiling entry function 'naive' for 'sm_90'
ptxas info    : Function properties for naive
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 6 registers, 384 bytes cmem[0]
"""


@pytest.mark.parametrize("log", [NVRTC, NVCC], ids=["NVRTC", "nvcc"])
def test_resources_are_read_in_the_words_of_either_compiler(log):
    assert resources_in(log) == {
        "tiled": Resources(registers=64, spilled=700, shared=8192, stack=304),
        "naive": Resources(registers=6, spilled=0, shared=0, stack=0),
    }


def test_a_kernel_without_a_line_on_its_stack_has_none():
    log = "ptxas info    : Compiling entry function 'f' for 'sm_75'\nptxas info    : Used 10 registers, 64 bytes smem\n"
    assert resources_in(log) == {"f": Resources(registers=10, spilled=0, shared=64, stack=0)}


def test_warnings_are_those_of_the_source_and_of_the_assembler():
    assert [line.partition(" warning ")[0] for line in warnings_in(NVRTC)] == ["conv2d/cuda.cu(1):", "ptxas"]
    assert warnings_in(NVCC) == ()


PTX = """\
.version 9.5
.visible .entry f()
{
\t.loc\t1 3 2
\tst.global.f32 \t[%rd2+4], %f1;
\t.loc\t1 4 2
\t.loc\t2 2 3, function_name $L__info_string0, inlined_at 1 4 2
\twgmma.fence.sync.aligned;
\t.loc\t1 5 1
\tret;
}
\t.file\t1 "/src/conv2d/cuda.cu"
\t.file\t2 "/src/include/ptx.cuh"
"""


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ('\nconv2d/cuda.cu(3): error: identifier "b" is undefined\n    b;\nconv2d/cuda.cu(9): error: other\n',
         'conv2d/cuda.cu, line 3: identifier "b" is undefined'),
        ('ptx.cuh(7): catastrophic error: cannot open source file "x.cuh"\n',
         'ptx.cuh, line 7, for conv2d/cuda.cu: cannot open source file "x.cuh"'),
        ("a.cu(2): warning #39-D: division by zero, no error: \n", "conv2d/cuda.cu: it does not compile"),
        ('At end of source: error: expected a "}"\n', 'conv2d/cuda.cu: expected a "}"'),
        ("nvrtc: error: invalid value for --gpu-architecture (-arch)\n",
         "conv2d/cuda.cu: invalid value for --gpu-architecture (-arch)"),
        ("ptxas fatal   : Unresolved extern function 'g'\n", "conv2d/cuda.cu: Unresolved extern function 'g'"),
        ("ptxas application ptx input, line 8; error   : Instruction 'wgmma.fence' not supported\nptxas fatal   : no\n",
         "/src/include/ptx.cuh, line 2, for conv2d/cuda.cu: Instruction 'wgmma.fence' not supported"),
        ("ptxas application ptx input, line 2; error   : strange\n", "conv2d/cuda.cu: strange"),
        ("", "conv2d/cuda.cu: it does not compile"),
    ],
)  # fmt: skip
def test_the_first_error_is_one_line_with_its_place(log, said):
    assert first_error(log, SOURCE, PTX) == said
