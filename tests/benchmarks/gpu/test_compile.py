"""benchmarks.gpu.compile: all kernels in the cache, several at once, without a GPU."""

import sys
import threading

import pytest
from benchmark_cases import module

from minicnn.errors import DeviceError
from minicnn.kernels._gpu import cubin_cache
from minicnn.kernels._gpu.file import builds

pytestmark = [
    pytest.mark.cuda_compile,
    pytest.mark.skipif(sys.platform != "linux", reason="NVRTC is installed with the tests on Linux only"),
]


@pytest.fixture
def compiling(tmp_path, monkeypatch):
    """The module, with an empty cache, and two files that are quickly compiled, one of them for sm_80 on."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    cubin_cache.cubin_folder.cache_clear()
    found = module("gpu.compile")
    older = next(build for build in builds() if build[0].name == "channel_sum/cuda.cu")
    newer = next(build for build in builds() if build[0].target == 80)
    monkeypatch.setattr(found, "builds", lambda: [older, newer])
    yield found
    cubin_cache.cubin_folder.cache_clear()


def test_what_is_compiled_is_found_by_those_who_launch_it(compiling, tmp_path, monkeypatch, capsys):
    assert compiling.main(["--target", "sm_90", "--threads", "2"]) == 0
    assert "2 builds for sm_90, 0 of which failed" in capsys.readouterr().out
    assert len(list(tmp_path.rglob("*.cubin"))) == 2
    monkeypatch.setattr(cubin_cache.nvrtc, "compile_cubin", lambda *a: pytest.fail("it was compiled again"))
    for file, variant in compiling.builds():
        assert cubin_cache.cached_cubin(file.path, "sm_90", variant).cubin


@pytest.mark.parametrize("threads", ["0", "-1"])
def test_a_number_of_threads_that_is_none_is_refused(compiling, threads, capsys):
    assert compiling.main(["--target", "sm_90", "--threads", threads]) == 2
    said = f"benchmarks.gpu.compile: --threads is a whole number from 1 on, got {threads}\n"
    assert capsys.readouterr() == ("", said)


def test_files_for_newer_architectures_are_not_compiled(compiling, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(compiling, "cached_cubin", lambda path, target, variant: asked.append(path.parent.name))
    assert compiling.main(["--target", "sm_75"]) == 0
    assert asked == ["channel_sum"]


def test_several_are_compiled_at_once(compiling, monkeypatch):
    both = threading.Barrier(2)
    monkeypatch.setattr(compiling, "cached_cubin", lambda *a: both.wait(60))
    assert compiling.compile_all("sm_90", 2) == (2, [])


def test_what_does_not_compile_is_named_and_the_rest_is_compiled(compiling, tmp_path, monkeypatch, capsys):
    right = compiling.cached_cubin

    def refused(path, target, variant):
        if path.parent.name != "channel_sum":
            raise DeviceError("cuda.cu, line 3: what is wrong")
        return right(path, target, variant)

    monkeypatch.setattr(compiling, "cached_cubin", refused)
    assert compiling.main(["--target", "sm_90", "--threads", "2"]) == 1
    assert "cuda.cu, line 3: what is wrong" in capsys.readouterr().out
    assert len(list(tmp_path.rglob("*.cubin"))) == 1


def test_without_a_gpu_a_target_is_needed_that_the_compiler_knows(compiling, monkeypatch, capsys):
    assert compiling.main(["--target", "sm_35"]) == 2
    assert "does not compile for sm_35" in capsys.readouterr().err

    def absent(name):
        raise DeviceError("there is no NVIDIA driver")

    monkeypatch.setattr(compiling.kernels, "device", absent)
    assert compiling.main([]) == 2
    assert "there is no NVIDIA driver" in capsys.readouterr().err
