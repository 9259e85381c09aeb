"""Every CUDA file is also taken by the compiler of CUDA 12, which knows less of C++."""

import sys

import pytest

from minicnn.kernels._gpu import nvrtc
from minicnn.kernels._gpu.file import CudaFile, builds

pytestmark = [
    pytest.mark.cuda_compile,
    pytest.mark.skipif(sys.platform != "linux", reason="NVRTC is installed with the tests on Linux only"),
]
FIRST = dict(reversed([(file.name, (file, variant)) for file, variant in builds()]))  # a build of each file


@pytest.fixture(scope="module", autouse=True)
def nvrtc_12():
    """The compiler that a driver of CUDA 12 has chosen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nvrtc, "driver_version", lambda: (12, 0))
        for known in (nvrtc.library, nvrtc.targets):
            patch.setattr(nvrtc, known.__name__, nvrtc.cache(known.__wrapped__))
        yield


@pytest.mark.parametrize(("file", "variant"), FIRST.values(), ids=FIRST)
def test_a_file_compiles(file: CudaFile, variant: tuple[str, ...]):
    assert nvrtc.version()[0] == 12
    assert nvrtc.compile_cubin(file.path, "sm_90", variant).warnings == ()
