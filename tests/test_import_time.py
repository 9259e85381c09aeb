"""What an import costs, counted in packages: NumPy and the standard library, and of minicnn only what is needed.

Seconds depend on the machine and are measured by benchmarks/startup.py.
"""

import pkgutil
import subprocess
import sys

import pytest

import minicnn

OPTIONAL = {"numba", "llvmlite", "h5py", "cupy", "PIL", "tqdm", "matplotlib", "sklearn", "scipy"}
HEAVY_STANDARD_LIBRARY = {"asyncio", "multiprocessing", "unittest", "sqlite3", "tkinter", "xml", "http", "email"}


def loaded_by(code: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after running `code`, beside those it starts with."""
    script = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.fixture(scope="module")
def numpy_modules() -> set[str]:
    return loaded_by("import numpy")


def test_minicnn_alone_loads_nothing_else():
    """Not even NumPy: what the package names is imported when it is used."""
    packages = {name.partition(".")[0] for name in loaded_by("import minicnn")}
    assert packages <= {"minicnn", *sys.stdlib_module_names}
    assert not packages & HEAVY_STANDARD_LIBRARY
    assert not {name for name in loaded_by("import minicnn") if name.startswith("minicnn.")}


def test_tensors_need_numpy_and_the_standard_library(numpy_modules):
    loaded = loaded_by("import minicnn; minicnn.Tensor") - numpy_modules
    packages = {name.partition(".")[0] for name in loaded}
    assert packages - {name.partition(".")[0] for name in numpy_modules} <= {"minicnn", *sys.stdlib_module_names}
    assert {name.split(".")[1] for name in loaded if name.startswith("minicnn.")} <= {"autograd", "errors"}
    assert not packages & HEAVY_STANDARD_LIBRARY


@pytest.mark.parametrize(
    "name", sorted({module.name for module in pkgutil.iter_modules(minicnn.__path__)} - {"__main__"})
)
def test_no_part_loads_an_optional_package(name):
    loaded = loaded_by(f"import minicnn.{name}")
    assert not {module.partition(".")[0] for module in loaded} & OPTIONAL


def test_a_model_without_published_weights_needs_no_web():
    loaded = loaded_by("from minicnn.applications import VGG16; VGG16(weights=None)")
    assert not {module.partition(".")[0] for module in loaded} & HEAVY_STANDARD_LIBRARY


def test_parts_named_on_the_package_are_there():
    for name in minicnn.SUBMODULES:
        assert getattr(minicnn, name).__name__ == f"minicnn.{name}"
    for name, home in minicnn.HOMES.items():
        assert getattr(minicnn, name) is getattr(getattr(minicnn, home), name)
    with pytest.raises(AttributeError, match="no attribute 'tensorflow'"):
        minicnn.tensorflow  # noqa: B018


def test_prediction_on_numpy_kernels_never_loads_numba():
    code = """
import os
os.environ["MINICNN_KERNELS"] = "numpy"
import numpy as np
from minicnn.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential
layers = [Input((8, 8, 3)), Conv2D(4, 3, activation="relu"), MaxPooling2D(), Flatten(), Dense(2, activation="softmax")]
Sequential(layers).predict(np.zeros((1, 8, 8, 3), np.float32))
"""
    assert not {module.partition(".")[0] for module in loaded_by(code)} & OPTIONAL
