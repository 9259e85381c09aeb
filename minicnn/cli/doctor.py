"""`minicnn doctor`: what this installation has, where it keeps things, and what is missing."""

import glob
import os
import platform
import shutil
import sys
from pathlib import Path

from minicnn.bench.machine import processor_name, usable_cores, vector_features, version
from minicnn.cli.console import one_line, print_json, say
from minicnn.errors import ArgumentError

EXTRAS = {
    "fast": ("numba",),
    "images": ("pillow", "tqdm"),
    "sklearn": ("scikit-learn",),
    "onnx": ("onnx",),
    "mlflow": ("mlflow-skinny",),
    "cuda12": ("cupy-cuda12x",),
    "cuda13": ("cupy-cuda13x",),
}

EPILOG = """\
examples:
  minicnn doctor              a page to read, or to add to a bug report
  minicnn doctor --json       the same for a program"""


def add_parser(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="report CPU, threads, kernel cache, CUDA, extras and folders",
        description="Report what this installation has, where it keeps things, and what is missing.",
        epilog=EPILOG,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options) -> int:
    """Print the report."""
    found = examine()
    if options.json:
        print_json(found)
        return 0
    for title, values in found.items():
        say(title)
        width = max(map(len, values))
        for name, value in values.items():
            say(f"  {name.ljust(width)}  {one_line(value)}")
        say()
    return 0


def examine() -> dict[str, dict[str, object]]:
    """{title: {name: value}} of everything that is reported."""
    return {
        "software": _software(),
        "processor": _processor(),
        "kernels": _kernels(),
        "cuda": _cuda(),
        "extras": {f"{package} [{extra}]": version(package) for extra, names in EXTRAS.items() for package in names},
        "folders": _folders(),
    }


def _software() -> dict[str, object]:
    from minicnn import __version__

    return {
        "minicnn": f"{__version__} in {Path(__file__).parents[1]}",
        "python": f"{platform.python_version()} in {sys.executable}",
        "system": platform.platform(),
        "numpy": f"{version('numpy')}, BLAS {_blas()}",
        "h5py": version("h5py"),
    }


def _blas() -> str:
    import numpy as np

    found = np.show_config(mode="dicts") or {}
    blas = found.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _processor() -> dict[str, object]:
    from minicnn.kernels import get_num_threads

    try:
        threads: int | str = get_num_threads()
    except ArgumentError as error:
        threads = f"NOT USABLE: {error}"
    return {
        "model": processor_name(),
        "vector instructions": ", ".join(vector_features()) or "unknown",
        "cores": f"{usable_cores()} usable of {os.cpu_count()}",
        "threads of kernels": threads,
    }


def _kernels() -> dict[str, object]:
    """How many kernels there are, which form runs, and where the compiled ones are kept."""
    from minicnn import kernels
    from minicnn.weights.fetch import cache_folder

    folder = cache_folder() / "kernels"
    return {
        "operations": len(kernels.operations()),
        "rungs": len(kernels.specs()),
        "default form": _kernel_form(),
        "compiled kernels": f"{folder}, {_size(folder)}{_writable(folder)}",
        "autotune": _autotune(folder),
        "threading layer": "minicnn's own pool of threads, one job at a time",
    }


def _kernel_form() -> str:
    choice = os.environ.get("MINICNN_KERNELS", "")
    if choice == "numpy":
        return "NumPy, since MINICNN_KERNELS is numpy"
    if version("numba") == "not installed":
        return "NumPy; faster with Numba: pip install numba (extra 'fast')"
    return "Numba"


def _autotune(folder: Path) -> str:
    """Whether kernels are chosen by measuring them, and where the choices are kept."""
    from minicnn.kernels import autotune_wanted

    try:
        said = (
            "on, by MINICNN_AUTOTUNE" if autotune_wanted() else "off; MINICNN_AUTOTUNE=1 takes what is measured fastest"
        )
    except ArgumentError as error:
        said = f"NOT USABLE: {error}"
    return f"{said}; choices: {folder}, {_size(folder, 'autotune-*.json')}"


def _folders() -> dict[str, object]:
    """The folders that minicnn reads and writes."""
    from minicnn.weights.fetch import cache_folder, keras_folder

    cache = cache_folder()
    around = next(folder for folder in (cache, *cache.absolute().parents) if os.path.exists(folder))
    return {
        "cache": f"{cache}{_writable(cache)}, {shutil.disk_usage(around).free / 2**30:,.1f} GiB free",
        "published weights": f"{cache / 'models'}, {_size(cache / 'models')}",
        "features": f"{cache / 'features'}, {_size(cache / 'features')}",
        "weights of Keras": f"{keras_folder() / 'models'}, {_size(keras_folder() / 'models')}",
        "downloads": "forbidden by MINICNN_OFFLINE" if _offline() else "allowed",
    }


def _offline() -> bool:
    return os.environ.get("MINICNN_OFFLINE", "0") not in ("", "0")


def _writable(folder: Path) -> str:
    """Nothing when the folder can be written or made, else a warning."""
    around = next(place for place in (folder, *folder.absolute().parents) if os.path.exists(place))
    return "" if os.access(around, os.W_OK | os.X_OK) else " (NOT WRITABLE: set MINICNN_CACHE to a folder of yours)"


def _cuda() -> dict[str, object]:
    """The driver and the compiler, which need no CuPy, and the GPU that kernels can run on, or what is missing."""
    from minicnn import kernels

    driver = kernels.driver_version()
    (compiles, compiler), (usable, said) = kernels.cuda_compiler(), kernels.cuda_usable()
    found: dict[str, object] = {
        "driver": "none found: kernels run on the processor" if driver is None else f"CUDA {driver[0]}.{driver[1]}",
        "compiler": compiler if compiles else f"not usable: {compiler}",
        "GPU": said if usable else f"not usable: {said}",
    }
    if several := kernels.several_cupys():
        found["CuPy"] = several
    return found


def _size(folder: Path, pattern: str = "*") -> str:
    """How many files lie below a folder and how large they are together."""
    if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
        return "NOT READABLE"
    found = glob.iglob(os.path.join(glob.escape(str(folder)), "**", pattern), recursive=True)
    sizes = [os.path.getsize(path) for path in found if os.path.isfile(path)]
    count = "1 file" if len(sizes) == 1 else f"{len(sizes):,} files"
    return f"{count}, {sum(sizes) / 2**20:,.1f} MiB"
