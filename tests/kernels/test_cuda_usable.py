"""Why a GPU cannot be used, and what to do: one sentence for each thing that can be missing, old or broken."""

import sys
import tomllib
from importlib import metadata

import pytest
from fake_cupy import TEXTS, CUDARuntimeError, FakeCupy
from import_graph import ROOT

from minicnn import kernels
from minicnn.kernels import _cuda
from minicnn.kernels._gpu import check, nvrtc, packages

AS_IT_IS = metadata.packages_distributions
pytestmark = [
    pytest.mark.cuda_compile,
    pytest.mark.skipif(sys.platform != "linux", reason="NVRTC is installed with the tests on Linux only"),
]


@pytest.fixture(autouse=True)
def driver(monkeypatch):
    """A function that sets what the driver says of itself; there is one of CUDA 13.0 at first."""

    def sets(version: tuple[int, int] | None) -> None:
        for module in (_cuda, packages):
            monkeypatch.setattr(module, "driver_version", lambda: version)

    sets((13, 0))
    return sets


@pytest.fixture(autouse=True)
def no_packages(monkeypatch):
    """What is installed on this machine says nothing in these tests."""
    monkeypatch.setattr(metadata, "packages_distributions", dict)


@pytest.fixture
def said(monkeypatch):
    """A function that gives what is said of a CuPy that should not be usable."""

    def sentence(**options) -> str:
        monkeypatch.setitem(sys.modules, "cupy", FakeCupy(**options))
        usable, said = kernels.cuda_usable()
        assert not usable
        assert len(said.splitlines()) == 1
        return said

    return sentence


NEEDED = "for an NVIDIA GPU, install its driver from nvidia.com/drivers, and start a container by docker run --gpus all"


def test_a_gpu_that_can_be_used_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", FakeCupy(name="NVIDIA GeForce RTX 4090", capability=(8, 9)))
    assert kernels.cuda_usable() == (True, "NVIDIA GeForce RTX 4090")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (
            None,
            f"there is neither an NVIDIA driver nor CuPy: {NEEDED}; then pip install 'cupy-cuda13x[ctk]>=14'",
        ),
        (
            (11, 8),
            "the NVIDIA driver is one of CUDA 11.8, and CuPy needs CUDA 12: update the driver; then pip install "
            "'cupy-cuda12x[ctk]>=14'",
        ),
        ((12, 0), "CuPy is not installed: pip install 'cupy-cuda12x[ctk]>=14'"),
        ((12, 4), "CuPy is not installed: pip install 'cupy-cuda12x[ctk]>=14'"),
        ((13, 2), "CuPy is not installed: pip install 'cupy-cuda13x[ctk]>=14'"),
        ((14, 0), "CuPy is not installed: pip install 'cupy-cuda13x[ctk]>=14'"),
    ],
)  # fmt: skip
def test_cupy_is_missing(monkeypatch, driver, version, expected):
    driver(version)
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert kernels.cuda_usable() == (False, expected)


def test_what_is_advised_is_what_the_extras_install():
    """By its own name: `minicnn` on the public index is another project's."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert [[packages.CUPY[number]] for number in (12, 13)] == [extras["cuda12"], extras["cuda13"]]
    assert packages.NVRTC[13] in [wanted.partition(";")[0] for wanted in extras["test"]]


REPLACED = "pip uninstall -y cupy-cuda12x cupy-cuda13x && pip install 'cupy-cuda13x[ctk]>=14'"
PAGE = "\n====\nFailed to import CuPy.\n\nOriginal error:\n  ImportError: libcudart.so: cannot open\n====\n"


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (f"ImportError({PAGE!r})", "ImportError: ImportError: libcudart.so: cannot open"),
        ("ModuleNotFoundError(\"No module named 'fastrlock'\", name='fastrlock')",
         "ModuleNotFoundError: No module named 'fastrlock'"),
        ("RuntimeError('numpy is too old')", "RuntimeError: numpy is too old"),
        ("AssertionError()", "AssertionError"),
    ],
)  # fmt: skip
def test_cupy_is_broken(monkeypatch, tmp_path, raised, reason):
    (tmp_path / "cupy.py").write_text(f"raise {raised}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    assert kernels.cuda_usable() == (False, f"CuPy is installed but cannot be imported ({reason}): {REPLACED}")


@pytest.fixture
def installed(monkeypatch):
    """A function that says which packages own the folder `cupy/`."""

    def install(*names: str) -> None:
        monkeypatch.setattr(metadata, "packages_distributions", lambda: {"cupy": list(names)})

    return install


def test_what_is_installed_goes_before_another_cupy_comes(said, driver, installed):
    """Two would share a folder, of which the removal of either takes a part."""
    driver((12, 4))
    installed("cupy-cuda13x")
    assert kernels.several_cupys() == ""
    remedy = "pip uninstall -y cupy-cuda13x && pip install 'cupy-cuda12x[ctk]>=14'"
    assert said(driver=12040, runtime=13020).endswith(f"or put CuPy for CUDA 12 in its place: {remedy}")


def test_two_cupys_are_named(said, installed):
    installed("cupy-cuda13x", "cupy-cuda12x")
    assert kernels.several_cupys() == f"installed over each other: cupy-cuda12x, cupy-cuda13x: {REPLACED}"


def test_packages_are_found_by_their_metadata(monkeypatch, tmp_path):
    monkeypatch.setattr(metadata, "packages_distributions", AS_IT_IS)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "cupy_cuda99x-14.0.dist-info").mkdir()
    for file, text in {"METADATA": "Name: cupy-cuda99x\n", "top_level.txt": "cupy\ncupyx\n"}.items():
        (tmp_path / "cupy_cuda99x-14.0.dist-info" / file).write_text(text, "utf-8")
    assert "cupy-cuda99x" in packages.cupy_packages()


def test_there_is_no_driver(said):
    assert said(driver=0) == f"there is no NVIDIA driver: {NEEDED}"


def test_the_driver_is_old(said, driver):
    driver((12, 4))
    assert said(driver=12040, runtime=13020) == (
        "the NVIDIA driver is one of CUDA 12.4, and CuPy needs CUDA 13: update the driver, or put CuPy for CUDA 12 in "
        "its place: pip uninstall -y cupy-cuda12x cupy-cuda13x && pip install 'cupy-cuda12x[ctk]>=14'"
    )
    driver((11, 8))
    for runtime in (12090, 13020):
        needed = f"the NVIDIA driver is one of CUDA 11.8, and CuPy needs CUDA {runtime // 1000}: update the driver"
        assert said(driver=11080, runtime=runtime) == needed


NO_GPU = "the NVIDIA driver finds no GPU: see nvidia-smi and the variable CUDA_VISIBLE_DEVICES"


def test_there_is_no_gpu(said):
    assert said(count=0) == NO_GPU
    assert said(fails={"count": CUDARuntimeError(100)}) == NO_GPU


def test_the_driver_fails(said):
    reason = f"the NVIDIA driver cannot use the GPU (CUDARuntimeError: {TEXTS[803]}): see nvidia-smi"
    assert said(fails={"count": CUDARuntimeError(803)}) == reason


def test_the_gpu_is_old(said):
    old = "Tesla V100 is an sm_70, and kernels need sm_75 or newer"
    assert said(name="Tesla V100", capability=(7, 0)) == old


def test_the_gpu_is_newer_than_the_compiler(said, driver):
    unknown = "NVRTC {}.{} knows no GPU of compute capability 99.3".format(*nvrtc.version())
    assert said(capability=(99, 3)) == f"{unknown}: pip install --upgrade 'nvidia-cuda-nvrtc>=13'"
    driver((12, 8))
    assert said(capability=(99, 3)) == f"{unknown}: pip install --upgrade 'nvidia-cuda-nvrtc-cu12'"


def test_the_compiler_is_missing(said, driver, monkeypatch):
    monkeypatch.setattr(nvrtc, "_candidates", lambda: iter(["/nowhere/libnvrtc.so.13"]))
    for cached in (nvrtc.library, nvrtc.targets):
        cached.cache_clear()
    try:
        for version, package in ((13, "nvidia-cuda-nvrtc>=13"), (12, "nvidia-cuda-nvrtc-cu12")):
            driver((version, 0))
            assert said() == (
                f"CUDA kernels are compiled by NVRTC, which is not installed: pip install --upgrade '{package}'"
            )
    finally:
        for cached in (nvrtc.library, nvrtc.targets):
            cached.cache_clear()


def test_the_compiler_is_newer_than_the_driver(said):
    major, minor = nvrtc.version()
    assert said(driver=12040, runtime=12090) == (
        f"NVRTC {major}.{minor} is newer than the NVIDIA driver, one of CUDA 12.4, which would not load what it "
        "compiles: pip install --upgrade 'nvidia-cuda-nvrtc-cu12', or update the driver"
    )


@pytest.mark.parametrize("where", ["zeros", "arithmetic", "get"])
def test_arithmetic_fails_although_all_seems_well(said, where):
    """As where CuPy finds no compiler of its own: it looks for one when it first computes."""
    error = RuntimeError('Failure finding "libnvrtc.so.13": No such file')
    assert said(fails={where: error}) == (
        'CuPy cannot compute on NVIDIA H200 (RuntimeError: Failure finding "libnvrtc.so.13": No such file): ' + REPLACED
    )


def test_whatever_else_happens_is_said_and_not_raised(said, monkeypatch):
    monkeypatch.setattr(check, "properties", lambda cupy: {})
    assert said() == "the GPU cannot be used (KeyError: 'name')"
    monkeypatch.setattr(check, "properties", lambda cupy: 1 / 0)
    assert said() == "the GPU cannot be used (ZeroDivisionError: division by zero)"


def test_a_user_who_stops_is_obeyed(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", FakeCupy(fails={"count": KeyboardInterrupt()}))
    with pytest.raises(KeyboardInterrupt):
        kernels.cuda_usable()
