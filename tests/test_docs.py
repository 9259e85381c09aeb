"""What the documents say holds: examples in docstrings and in README run, commands parse, links and paths exist."""

import doctest
import importlib
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from import_graph import ROOT, SOURCES, python_files
from PIL import Image

from minicnn.cli.entry import build_parser
from minicnn.layers import Dense, Flatten, Input
from minicnn.models import Sequential
from minicnn.preparation import Preparation
from minicnn.preparation.resize import ResizeRule

PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "kernels").rglob("*.md"))
PATHS = re.compile(r"(?:kernels|weights|minicnn|tests|docs|examples|benchmarks)/[\w./]*\w\.(?:py|md|json|svg)")


def with_examples() -> list[str]:
    """Names of the modules that have examples to run in their docstrings."""
    return sorted(
        ".".join([package, *path.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__")
        for package, folder in SOURCES.items()
        for path in python_files(folder)
        if any(">>> " in line and "+SKIP" not in line for line in path.read_text("utf-8").splitlines())
    )


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [code for name, code in found if name == language]


@pytest.mark.parametrize("name", with_examples())
def test_the_examples_of_a_module(name):
    if find_spec("numba") is None and name.rpartition(".")[2].startswith(("cpu", "_simd")):
        pytest.skip("numba is not installed")
    failed, tried = doctest.testmod(importlib.import_module(name), report=True)
    assert not failed
    assert tried, "no example ran: they are in a string that is no docstring"


@pytest.mark.parametrize("name", ["figures", "gpu.layers", "gpu.result", "gpu.table", "ladders"])
def test_the_examples_of_the_benchmarks(name, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    failed, tried = doctest.testmod(importlib.import_module(f"benchmarks.{name}"))
    assert tried
    assert not failed


@pytest.mark.parametrize("number", range(len(blocks(ROOT / "README.md", "python"))))
def test_the_python_of_the_readme_runs(number, tmp_path):
    """In a folder with a photo, and with the classifier that `minicnn finetune photos` would have left."""
    code = blocks(ROOT / "README.md", "python")[number]
    (tmp_path / "photos-model").mkdir()
    model = Sequential([Input((8, 8, 3)), Flatten(), Dense(2, activation="softmax")])
    model.metadata = Preparation(ResizeRule(8), "tf").metadata(["cat", "dog"])
    model.save(tmp_path / "photos-model" / "model.keras")
    Image.new("RGB", (20, 10)).save(tmp_path / "new.jpg")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.cuda_emulated
@pytest.mark.parametrize("number", range(len(blocks(ROOT / "docs" / "gpu.md", "python"))))
def test_the_python_of_the_page_on_gpus_runs(number):
    """In the checkout, where the emulator is."""
    command = [sys.executable, "-c", blocks(ROOT / "docs" / "gpu.md", "python")[number]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    missing = [t for t in targets if not t.startswith(("http://", "https://")) and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_are_named_exist(page):
    named = set(PATHS.findall(re.sub(r"\]\([^)]*\)", "]", page.read_text("utf-8"))))
    assert not [path for path in named if not (ROOT / path).exists()]


def commands() -> list[str]:
    """Lines of code blocks that call minicnn, without their comments and where their output goes."""
    lines = [line for block in blocks(ROOT / "README.md", "") for line in block.splitlines()]
    return [line.partition("#")[0].partition(" > ")[0].strip() for line in lines if line.startswith("minicnn ")]


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_readme_are_understood(command):
    assert build_parser().parse_args(shlex.split(command)[1:]).run


def test_the_readme_has_the_two_commands_and_ci_runs_the_second():
    lines = [line for block in blocks(ROOT / "README.md", "") for line in block.splitlines()]
    begin = [line for line in lines if line.startswith("python3 -m venv")]
    assert len(begin) == 2
    assert begin[0].endswith("minicnn demo")
    assert begin[1] in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_the_readme_installs_from_the_checkout_alone():
    """On the public index, the name belongs to another project."""
    assert not re.findall(r"pip install (?:-\S+ )*'?minicnn", (ROOT / "README.md").read_text("utf-8"))


def test_the_modules_that_are_called_with_m_exist():
    for page in PAGES:
        for name in re.findall(r"python -m (benchmarks(?:\.\w+)+)", page.read_text("utf-8")):
            path = ROOT / name.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{page}: {name}"


def test_the_changelog_has_this_version():
    import minicnn

    assert f"## [{minicnn.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_variable_of_the_environment_is_in_readme_and_help():
    sources = [path.read_text("utf-8") for folder in SOURCES.values() for path in python_files(folder)]
    read = {name for text in sources for name in re.findall(r"environ(?:\.get\(|\[)\"(MINICNN_\w+)\"", text)}
    assert read >= {"MINICNN_CACHE", "MINICNN_DEBUG", "MINICNN_NUM_THREADS"}
    for where in ((ROOT / "README.md").read_text("utf-8"), build_parser().format_help()):
        assert read <= set(re.findall(r"MINICNN_[A-Z_]+", where))
