"""Compiled kernels on disk: kept, found again, refused when damaged or foreign, and never a reason to fail."""

import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")
from numba.core.codegen import JITCPUCodegen
from numba.core.registry import cpu_target

from minicnn import kernels
from minicnn.kernels import _cache_folder
from minicnn.kernels import _compile_cache as cache
from minicnn.kernels._jit import jit

EXPECTED = 2.0**3 + 1


def _powers(x, count):
    total = 1.0
    for _ in range(count):
        total *= x
    return total + 1


def value() -> float:
    """The result of a kernel that this process has not compiled yet, so that it asks the cache."""
    return jit(_powers)(2.0, 3)


@pytest.fixture(autouse=True)
def fresh():
    """Forget the folder that was chosen before, and afterwards the test's own."""
    cache.compile_cache_folder.cache_clear()
    yield
    cache.compile_cache_folder.cache_clear()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of compiled kernels, empty."""
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path))
    found = cache.compile_cache_folder()
    assert found is not None
    assert found.is_relative_to(tmp_path)
    return found


@pytest.fixture
def kept(folder) -> Path:
    """The file of one compiled kernel."""
    assert value() == EXPECTED
    (path,) = folder.iterdir()
    return path


def compiled_again(path: Path, monkeypatch) -> bool:
    """Whether the kernel, run once more, is compiled and its file written anew."""
    saved = []
    save = cache.CompileCache.save_overload
    monkeypatch.setattr(cache.CompileCache, "save_overload", lambda *a: saved.append(1) or save(*a))
    assert value() == EXPECTED
    monkeypatch.undo()
    return bool(saved)


def test_a_second_dispatcher_loads_what_the_first_compiled(kept, monkeypatch):
    before = kept.read_bytes()
    assert not compiled_again(kept, monkeypatch)
    assert kept.read_bytes() == before


def damages(content: bytes) -> dict[str, bytes]:
    """The file with bits flipped all over, cut short, with something added, or something else."""
    places = np.random.default_rng(0).integers(0, len(content), 20)
    flipped = {
        f"bit at {at}": content[:at] + bytes([content[at] ^ 1 << int(at) % 8]) + content[at + 1 :] for at in places
    }
    cut = {f"cut to {size}": content[:size] for size in (0, 1, 31, 32, 33, len(content) // 2, len(content) - 1)}
    others = {"longer": content + b"\0", "zeros": bytes(len(content)), "text": b"<html>" * 100, "doubled": content * 2}
    return flipped | cut | others


def test_a_damaged_file_is_compiled_anew(kept, monkeypatch):
    content = kept.read_bytes()
    for what, damaged in damages(content).items():
        kept.write_bytes(damaged)
        monkeypatch.setenv("MINICNN_CACHE", str(kept.parents[2]))
        assert compiled_again(kept, monkeypatch), what
        rebuilt = kept.read_bytes()
        assert hashlib.sha256(rebuilt[32:]).digest() == rebuilt[:32], what
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_file_of_another_program_is_compiled_anew(kept, monkeypatch):
    for payload in (pickle.dumps((1, 2, 3)), pickle.dumps("text"), b"no pickle"):
        kept.write_bytes(hashlib.sha256(payload).digest() + payload)
        monkeypatch.setenv("MINICNN_CACHE", str(kept.parents[2]))
        assert compiled_again(kept, monkeypatch)


def test_files_are_named_after_code_and_types(kept, folder):
    def other(x, count):
        return x - count

    other.__qualname__ = _powers.__qualname__
    assert jit(other)(2.0, 3) == -1
    assert jit(_powers)(np.float32(2), 3) == EXPECTED
    assert len(list(folder.iterdir())) == 3


def test_files_are_named_after_what_a_function_encloses(folder):
    def adding(amount):
        return lambda x: x + amount

    assert jit(adding(1))(2.0) == 3
    assert jit(adding(2))(2.0) == 4


@pytest.mark.parametrize("part", range(3), ids=["system", "processor", "features"])
def test_another_processor_compiles_its_own(kept, part, monkeypatch):
    target = list(cpu_target.target_context.codegen().magic_tuple())
    target[part] = "another"
    monkeypatch.setattr(JITCPUCodegen, "magic_tuple", lambda codegen: tuple(target))
    assert compiled_again(kept, monkeypatch)
    assert len(list(kept.parent.iterdir())) == 2


def test_the_folder_and_its_files_are_the_owners_alone(kept):
    assert kept.parent.stat().st_mode & 0o077 == 0
    assert kept.stat().st_mode & 0o077 == 0


def test_the_folder_changes_with_the_text_of_the_kernels(monkeypatch, tmp_path):
    before = cache.source_stamp()
    for name in ("_compile_cache.py", "other.py"):
        (tmp_path / name).write_text("x = 1")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "_compile_cache.py"))
    stamps = {before}
    for text in ("x = 1", "x = 2"):
        (tmp_path / "other.py").write_text(text)
        cache.source_stamp.cache_clear()
        stamps.add(cache.source_stamp())
    cache.source_stamp.cache_clear()
    assert len(stamps) == 3


def unusable(tmp_path: Path) -> dict[str, Path]:
    """Places where no folder can be made."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "sealed").mkdir(mode=0o555)
    places = {"a file in the way": tmp_path / "file" / "cache", "no such device": Path("/dev/null/cache")}
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        places["read-only"] = tmp_path / "sealed"
    return places


def test_where_nothing_can_be_written_kernels_run_uncached_with_one_warning(tmp_path, monkeypatch):
    for what, place in unusable(tmp_path).items():
        cache.compile_cache_folder.cache_clear()
        monkeypatch.setenv("MINICNN_CACHE", str(place))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(2):
                assert value() == EXPECTED
        assert len(caught) == 1, what
        assert "set MINICNN_CACHE to a folder of yours" in str(caught[0].message)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of files")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720])
def test_a_folder_that_others_may_write_is_not_trusted(kept, mode):
    kept.parent.chmod(mode)
    cache.compile_cache_folder.cache_clear()
    with pytest.warns(UserWarning, match="may be written by others"):
        assert cache.compile_cache_folder() is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of files")
def test_a_folder_of_someone_else_is_not_trusted(folder, monkeypatch):
    cache.compile_cache_folder.cache_clear()
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    monkeypatch.setattr(_cache_folder, "SYSTEM", folder.stat().st_uid + 2)
    with pytest.warns(UserWarning, match="may be written by others"):
        assert cache.compile_cache_folder() is None


@pytest.mark.parametrize("empty", [False, True])
def test_a_filled_folder_that_cannot_be_written_is_read(kept, monkeypatch, empty):
    """As that of an image: kernels made ready by the system's owner, for programs that may only read."""

    def refused(**options):
        raise PermissionError(13, "Permission denied")

    if empty:
        kept.unlink()
    cache.compile_cache_folder.cache_clear()
    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    if empty:
        with pytest.warns(UserWarning, match="not kept"):
            assert cache.compile_cache_folder() is None
    else:
        assert cache.compile_cache_folder() == kept.parent
        assert told() == []


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no owners of files")
def test_a_folder_of_the_systems_owner_is_trusted(kept, monkeypatch):
    cache.compile_cache_folder.cache_clear()
    monkeypatch.setattr(_cache_folder, "SYSTEM", kept.stat().st_uid)
    monkeypatch.setattr(os, "getuid", lambda: kept.stat().st_uid + 1)
    assert cache.compile_cache_folder() == kept.parent


def test_a_full_disk_is_no_reason_to_stop_and_leaves_no_remains(folder, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert value() == EXPECTED
    assert list(folder.iterdir()) == []


def test_a_user_without_a_home_is_no_reason_to_stop(monkeypatch):
    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MINICNN_CACHE", raising=False)
    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.warns(UserWarning, match="set MINICNN_CACHE"):
        assert value() == EXPECTED


def told() -> list[bool]:
    """What is told of compiling while a kernel runs in two places of the program."""
    said = []
    with kernels.on_compiling(said.append):
        assert value() == value() == EXPECTED
    return said


def test_compiling_is_told_once_and_loading_is_not(folder):
    assert told() == [True]
    assert told() == []
    (path,) = folder.iterdir()
    path.write_bytes(b"damaged")
    assert told() == [True]
    path.unlink()
    assert value() == EXPECTED  # nobody listens any more


def test_compiling_is_told_where_the_folder_cannot_be_written(kept, monkeypatch):
    kept.write_bytes(b"damaged")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert told() == [False]


def test_compiling_is_told_where_nothing_can_be_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINICNN_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="not kept"):
        assert told() == [False]


PROGRAM = """
import numpy as np
from minicnn import kernels
from minicnn.kernels import _compile_cache
compiled = []
save = _compile_cache.CompileCache.save_overload
_compile_cache.CompileCache.save_overload = lambda self, *a: compiled.append(self.name) or save(self, *a)
x, w = np.ones((2, 6), np.float32), np.ones((6, 3), np.float32)
print(kernels.dense.forward(x, w, rung="v1_direct").sum(), kernels.channel_sum.forward(x, rung="v1_direct").sum())
print(len(compiled))
"""


def run(**variables: str) -> tuple[list[str], str]:
    """(lines printed, what was written to stderr) by a program of its own that uses two kernels."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MINICNN", "NUMBA"))}
    command = [sys.executable, "-W", "always", "-c", PROGRAM]
    done = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    return done.stdout.splitlines(), done.stderr


def test_a_second_start_compiles_nothing(tmp_path):
    assert run(MINICNN_CACHE=str(tmp_path)) == (["36.0 12.0", "2"], "")
    assert run(MINICNN_CACHE=str(tmp_path)) == (["36.0 12.0", "0"], "")


def test_a_program_that_cannot_keep_its_kernels_says_so_once(tmp_path):
    (tmp_path / "file").write_text("")
    lines, said = run(MINICNN_CACHE=str(tmp_path / "file"))
    assert lines == ["36.0 12.0", "2"]
    assert said.count("Warning") == 1


def test_kernels_have_names_of_their_own():
    """A bound kernel is called by its name, which must not be another's."""
    for spec in kernels.specs():
        assert spec.fn
    names = [f"{k.py_func.__module__}.{k.py_func.__qualname__}" for k in kernels._jit.kernels]
    names = [name for name in names if name.startswith("minicnn.")]
    assert len(set(names)) == len(names)


NAMES = """
from minicnn import kernels
for spec in kernels.specs():
    assert spec.fn
print(*sorted(k.py_func.__qualname__ for k in kernels._jit.kernels if k.py_func.__module__.startswith("minicnn.")))
"""


def test_kernels_have_the_same_names_in_every_process():
    """Else those that enclose others would be compiled anew in each."""
    first, second = (
        subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True) for _ in range(2)
    )
    assert first.stdout == second.stdout
    assert "winograd_blocks" in first.stdout


SUM = """
import numpy as np
from minicnn import kernels
print(kernels.channel_sum.forward(np.arange(12, dtype=np.float32).reshape(3, 4)))
"""


def test_a_kernel_and_what_binds_it_are_kept_apart_and_found_together(tmp_path):
    environment = {**os.environ, "MINICNN_CACHE": str(tmp_path)}

    def run() -> str:
        done = subprocess.run([sys.executable, "-c", SUM], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    assert run() == "[12. 15. 18. 21.]\n"
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and "_sum_chunks" in path.name)
    assert len(files) == 2
    times = [path.stat().st_mtime_ns for path in files]
    for path in files:
        path.unlink()
        assert run() == "[12. 15. 18. 21.]\n"
    assert [path.stat().st_mtime_ns for path in files] > times
    times = [path.stat().st_mtime_ns for path in files]
    assert run() == "[12. 15. 18. 21.]\n"
    assert [path.stat().st_mtime_ns for path in files] == times


def test_a_process_that_finds_its_kernels_loads_no_compiler_and_can_compile_another(tmp_path):
    """What Numba imports to compile takes longer than all that is loaded from the cache."""
    program = """
import sys
import numpy as np
from minicnn import kernels
x, w = np.ones((3, 4, 4, 2), np.float32), np.ones((3, 3, 2, 5), np.float32)
def sums(rung):
    return kernels.conv2d.forward(x, w, rung=rung).sum()
print(sums("v4_blocked"), "numba.np.arraymath" in sys.modules, sums("v4_blocked"), sums(*sys.argv[1:]))
"""

    def run(rung: str) -> str:
        command, environment = [sys.executable, "-c", program, rung], {**os.environ, "MINICNN_CACHE": str(tmp_path)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert run("v4_blocked") == "1080.0 True 1080.0 1080.0\n"
    assert run("v6_winograd_4") == "1080.0 False 1080.0 1080.0\n"
    assert run("v6_winograd_4") == "1080.0 False 1080.0 1080.0\n"
