"""What is shipped: the package list against the tree, and the built wheel in an environment of its own.

The wheel is made from the sdist, in a copy of the sources, without the network.  The environment holds the wheel,
NumPy and h5py, and nothing else: what a small device has.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import h5py
import numpy
import pytest
from import_graph import ROOT, SOURCES, python_files, read_modules

import minicnn
from minicnn.cli.doctor import EXTRAS

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETUPTOOLS = CONFIGURATION["tool"]["setuptools"]
NOT_SHIPPED = {"LADDER.md"}  # to be read beside the source

SMOKE = """
import json, warnings
import numpy as np
import minicnn
from minicnn import kernels
from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, Input, MaxPooling2D
from minicnn.models import Sequential, load_model
from minicnn.weights.registry import published_files

layers = [Input((8, 8, 3)), Conv2D(4, 3, activation="relu"), BatchNormalization(), MaxPooling2D(), Flatten(), Dense(2)]
model = Sequential(layers)
x = np.random.default_rng(0).random((3, 8, 8, 3), np.float32)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    y = model.predict(x)
for name in ("model.keras", "model.h5"):
    model.save(name)
    assert np.array_equal(load_model(name).predict(x), y)
print(json.dumps({
    "file": minicnn.__file__, "version": minicnn.__version__, "shape": y.shape, "rungs": kernels.rungs("conv2d"),
    "published": len(published_files()), "warnings": [str(w.message) for w in caught],
}))
"""


def source_files() -> set[str]:
    """Every file below the packages as its path in the wheel, but for notes and compiled modules."""
    found = set()
    for package, folder in SOURCES.items():
        for place, folders, files in os.walk(folder):  # links to folders are not followed
            folders[:] = [name for name in folders if name != "__pycache__" and not (Path(place) / name).is_symlink()]
            inside = Path(package.replace(".", "/")) / Path(place).relative_to(folder)
            found |= {str(inside / name) for name in files if name not in NOT_SHIPPED}
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """{"sdist": path, "wheel": path}"""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("minicnn", "kernels", "weights"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return {"sdist": next(out.glob("*.tar.gz")), "wheel": next(out.glob("*.whl"))}


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The folder of programs of an environment with the wheel, NumPy and h5py."""
    home, parts = tmp_path_factory.mktemp("venv"), tmp_path_factory.mktemp("parts")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    install = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    subprocess.run([*install, "--quiet", "--no-deps", "--no-index", str(built["wheel"])], check=True)
    for module in (numpy, h5py):
        folder = Path(str(module.__file__)).parent
        for path in (folder, folder.with_name(f"{folder.name}.libs")):
            if path.exists():
                (parts / path.name).symlink_to(path)
    site = next(home.rglob("site-packages"))
    (site / "parts.pth").write_text(str(parts))
    return programs


def run(program: Path, *arguments: str, folder: Path) -> str:
    return outputs(program, *arguments, folder=folder)[0]


def outputs(program: Path, *arguments: str, folder: Path) -> tuple[str, str]:
    """What a program that ends well writes to stdout and to stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MINICNN", "PYTHON"))}
    environment["MINICNN_CACHE"] = str(folder / "cache")
    command = [str(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_doctor_names_what_each_extra_installs():
    extras = CONFIGURATION["project"]["optional-dependencies"]
    wanted = {
        name: tuple(re.split(r"[\[>=]", package)[0] for package in packages)
        for name, packages in extras.items()
        if name not in ("test", "peers", "dev", "all")
    }
    assert wanted == EXTRAS


def test_the_package_list_is_the_tree():
    folders = {
        ".".join([package, *path.parent.relative_to(folder).parts])
        for package, folder in SOURCES.items()
        for path in python_files(folder)
    }
    assert SETUPTOOLS["packages"] == sorted(folders)
    assert folders == {name for name, module in read_modules().items() if module.is_package}, "no __init__.py"


def test_kernels_and_weights_are_mapped_and_linked():
    mapped = {package: ROOT / folder for package, folder in SETUPTOOLS["package-dir"].items()}
    assert mapped == SOURCES
    for name in ("kernels", "weights"):
        assert os.readlink(ROOT / "minicnn" / name) == f"../{name}"


def test_the_version_is_said_once_and_again():
    assert CONFIGURATION["project"]["version"] == minicnn.__version__


def test_the_wheel_holds_every_file_of_the_packages(built):
    with zipfile.ZipFile(built["wheel"]) as wheel:
        names = set(wheel.namelist())
        links = [info.filename for info in wheel.infolist() if (info.external_attr >> 16) & 0o170000 == 0o120000]
    assert {name for name in names if ".dist-info/" not in name} == source_files()
    assert not links
    assert any(name.endswith("LICENSE") for name in names)


def test_the_sdist_holds_no_links(built):
    with tarfile.open(built["sdist"]) as sdist:
        members = sdist.getmembers()
    assert not [member.name for member in members if member.issym() or member.islnk()]
    tops = {member.name.split("/")[1] for member in members if "/" in member.name}
    assert {"pyproject.toml", "README.md", "LICENSE", "minicnn", "kernels", "weights"} <= tops


def test_the_wheel_works_with_numpy_and_h5py_alone(installed, tmp_path):
    found = json.loads(run(installed / "python", "-I", "-c", SMOKE, folder=tmp_path))
    assert Path(found["file"]).is_relative_to(installed.parent)
    assert found["version"] == CONFIGURATION["project"]["version"]
    assert found["shape"] == [3, 2]
    assert found["rungs"] == ["reference", "v2_im2col"]
    assert found["published"] > 10
    assert len(found["warnings"]) == 1, "one line says that numba is missing"
    assert found["warnings"][0].endswith("pip install numba (extra 'fast')")


def test_the_command_is_installed(installed, tmp_path):
    assert "finetune" in run(installed / "minicnn", "--help", folder=tmp_path)
    assert CONFIGURATION["project"]["version"] in run(installed / "minicnn", "--version", folder=tmp_path)


def test_kernels_are_timed_without_numba(installed, tmp_path):
    command = ["bench", "conv2d", "--shape", "5x5x3,3x3x4", "--rounds", "1"]
    out, err = outputs(installed / "minicnn", *command, folder=tmp_path)
    assert [line.split()[0] for line in out.splitlines()[4:6]] == ["reference", "v2_im2col"]
    assert "as measured by BLAS, NumPy" in out
    (line,) = err.splitlines()
    assert "numba is not installed, so NumPy kernels run: pip install numba (extra 'fast')" in line


def test_a_network_is_timed_without_numba(installed, tmp_path):
    out = run(installed / "minicnn", "bench", "model", "mobilenet", "--size", "32", "--rounds", "1", folder=tmp_path)
    assert out.splitlines()[2].startswith("minicnn ")
