"""Compiled CUDA kernels on disk: kept, found again, never mistaken, and never a reason to fail."""

import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest

from minicnn import kernels
from minicnn.errors import DeviceError
from minicnn.kernels._gpu import cubin_cache as cache
from minicnn.kernels._gpu import nvrtc

pytestmark = [
    pytest.mark.cuda_compile,
    pytest.mark.skipif(sys.platform != "linux", reason="NVRTC is installed with the tests on Linux only"),
]

TEXT = """
#include "ptx.cuh"
#include "tile.cuh"
#ifndef SCALE
#define SCALE 3
#endif
extern "C" __global__ void scaled(float *x) { __shared__ float s[TILE]; s[0] = SCALE * x[1]; x[0] = s[threadIdx.x]; }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of compiled kernels, empty."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "cache"))
    cache.cubin_folder.cache_clear()
    yield tmp_path / "cache" / "kernels" / "cuda"
    cache.cubin_folder.cache_clear()


@pytest.fixture
def source(tmp_path) -> Path:
    place = tmp_path / "scale"
    place.mkdir()
    (place / "tile.cuh").write_text("#define TILE 32\n")
    (place / "cuda.cu").write_text(TEXT)
    return place / "cuda.cu"


@pytest.fixture
def compilations(monkeypatch) -> list[str]:
    """The targets for which the compiler was really asked."""
    asked, compile_cubin = [], nvrtc.compile_cubin

    def noted(source, target, defines):
        asked.append(target)
        return compile_cubin(source, target, defines)

    monkeypatch.setattr(nvrtc, "compile_cubin", noted)
    return asked


def test_what_is_kept_is_what_was_compiled(source, folder, compilations):
    made = cache.cached_cubin(source, "sm_80")
    assert cache.cached_cubin(source, "sm_80") == made == nvrtc.compile_cubin(source, "sm_80", ())
    assert made.cubin[:4] == b"\x7fELF"
    assert made.resources["scaled"].shared >= 128
    assert len(compilations) == 2, "the second is this test's own"
    (path,) = folder.iterdir()
    assert path.name.startswith("scale-sm_80-")


def test_warnings_are_kept(source, compilations):
    source.write_text('extern "C" __global__ void f(float *x) { int unused; }')
    first, second = (cache.cached_cubin(source, "sm_80").warnings for _ in range(2))
    assert first == second
    assert len(first) == len(compilations) == 1


def test_whatever_decides_the_content_decides_the_file(source, folder, monkeypatch, tmp_path):
    def count(**options) -> int:
        cache.cached_cubin(source, **{"target": "sm_80", **options})
        return len(list(folder.iterdir()))

    assert count() == count() == 1
    assert count(target="sm_75") == 2
    assert count(defines=("SCALE=4",)) == 3
    assert count(defines=("SCALE=4", "OTHER")) == 4
    source.with_name("tile.cuh").write_text("#define TILE 64\n")
    assert count() == 5
    source.write_text(TEXT.replace("x[1]", "x[2]"))
    assert count() == 6
    monkeypatch.setattr(nvrtc, "version", lambda: (99, 0))
    assert count() == 7
    monkeypatch.setattr(nvrtc, "OPTIONS", (*nvrtc.OPTIONS, "--device-debug"))
    assert count() == 8
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "ptx.cuh").write_text("// another\n")
    monkeypatch.setattr(nvrtc, "INCLUDE", tmp_path / "include")
    assert count() == 9


def test_the_place_of_the_source_is_no_part_of_it(source, folder, tmp_path):
    cache.cached_cubin(source, "sm_80")
    source.parent.rename(tmp_path / "moved")
    cache.cached_cubin(tmp_path / "moved" / "cuda.cu", "sm_80")
    first, second = (path.name.rpartition("-")[2] for path in folder.iterdir())
    assert first == second


def damages(content: bytes) -> dict[str, bytes]:
    """The file with bits flipped all over, cut short, with something added, or something else."""
    places = np.random.default_rng(0).integers(0, len(content), 20)
    flipped = {
        f"bit at {at}": content[:at] + bytes([content[at] ^ 1 << int(at) % 8]) + content[at + 1 :] for at in places
    }
    cut = {f"cut to {size}": content[:size] for size in (0, 1, 31, 32, 33, len(content) // 2, len(content) - 1)}
    others = {"longer": content + b"\0", "zeros": bytes(len(content)), "text": b"<html>" * 100, "doubled": content * 2}
    return flipped | cut | others


def test_a_damaged_file_is_compiled_anew_and_replaced(source, folder, compilations):
    made = cache.cached_cubin(source, "sm_80")
    (path,) = folder.iterdir()
    content = path.read_bytes()
    for number, (what, damaged) in enumerate(damages(content).items(), 2):
        path.write_bytes(damaged)
        assert cache.cached_cubin(source, "sm_80") == made, what
        assert len(compilations) == number, what
        assert path.read_bytes() == content, what
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize(
    "payload", [b"", b"[", b"[1]\n", b"[1, 2]\n", b'[{"f": [1]}, []]\n', b'[{"f": 1}, []]\n', b"\xff\n"]
)
def test_a_file_of_another_program_is_compiled_anew(source, folder, compilations, payload):
    made = cache.cached_cubin(source, "sm_80")
    (path,) = folder.iterdir()
    cache.keep_sealed(path, payload)
    assert cache.cached_cubin(source, "sm_80") == made
    assert len(compilations) == 2


def test_a_file_that_does_not_compile_is_not_kept(source, folder):
    source.write_text("nonsense")
    for _ in range(2):
        with pytest.raises(DeviceError, match="line 1"):
            cache.cached_cubin(source, "sm_80")
    assert list(folder.iterdir()) == []


def unusable(tmp_path: Path) -> dict[str, Path]:
    """Places where no folder can be made."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "sealed").mkdir(mode=0o555)
    places = {"a file in the way": tmp_path / "file" / "cache", "no such device": Path("/dev/null/cache")}
    if os.geteuid() != 0:
        places["read-only"] = tmp_path / "sealed"
    return places


def test_where_nothing_can_be_written_kernels_are_compiled_each_time_with_one_warning(
    source, tmp_path, monkeypatch, compilations
):
    for what, place in unusable(tmp_path).items():
        cache.cubin_folder.cache_clear()
        compilations.clear()
        monkeypatch.setenv("MINICNN_CACHE", str(place))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert cache.cached_cubin(source, "sm_80") == cache.cached_cubin(source, "sm_80")
        assert len(compilations) == 2, what
        assert len(caught) == 1, what
        assert "set MINICNN_CACHE to a folder of yours" in str(caught[0].message)


def test_a_folder_that_others_may_write_is_not_trusted(source, folder):
    cache.cached_cubin(source, "sm_80")
    folder.chmod(0o777)
    cache.cubin_folder.cache_clear()
    with pytest.warns(UserWarning, match="may be written by others"):
        assert cache.cubin_folder() is None


def test_a_filled_folder_that_cannot_be_written_is_read(source, compilations, monkeypatch):
    made = cache.cached_cubin(source, "sm_80")
    cache.cubin_folder.cache_clear()

    def refused(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    assert cache.cached_cubin(source, "sm_80") == made
    assert len(compilations) == 1


def test_a_full_disk_is_no_reason_to_stop_and_leaves_no_remains(source, folder, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert cache.cached_cubin(source, "sm_80").cubin
    assert list(folder.iterdir()) == []


def test_whoever_waits_is_told_of_compiling_alone(source):
    told = []
    with kernels.on_compiling(told.append):
        cache.cached_cubin(source, "sm_80")
    with kernels.on_compiling(told.append):
        cache.cached_cubin(source, "sm_80")
    assert told == [True]


RACE = """
import sys
from contextlib import suppress
from pathlib import Path
from minicnn.kernels._gpu.cubin_cache import cached_cubin, cubin_folder
source, damage = Path(sys.argv[1]), int(sys.argv[2])
cubin_folder()
print("ready", flush=True)
sys.stdin.readline()
for turn in range(30):
    made = cached_cubin(source, "sm_80")
    assert made.cubin[:4] == b"\\x7fELF" and made.resources["scaled"].registers > 0, turn
    for path in cubin_folder().glob("*.cubin"):
        if turn % 3 == damage == 0:
            path.unlink(missing_ok=True)
        elif turn % 3 == damage:
            with suppress(FileNotFoundError):
                path.write_bytes(path.read_bytes()[:2000])
    print(hash(made.cubin), flush=True)
"""


def test_processes_that_compile_remove_and_damage_at_once_all_get_the_kernel(source, folder):
    """One removes the file that all share, one cuts it while others read it; nobody sees a damaged kernel."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    running = [
        subprocess.Popen([sys.executable, "-c", RACE, source, str(damage)], env=environment, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for damage in (0, 1, 3)
    ]  # fmt: skip
    assert [process.stdout.readline() for process in running] == ["ready\n"] * 3
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate() for process in running]
    assert [(process.returncode, errors) for process, (_, errors) in zip(running, said)] == [(0, "")] * 3
    lines = [line for out, _ in said for line in out.splitlines()]
    assert len(lines) == 90
    assert len(set(lines)) == 1
    assert all(path.suffix == ".cubin" for path in folder.iterdir()), "no file is left half written"
