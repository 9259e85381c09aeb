"""What every kernel for a GPU takes of a multiprocessor, as recorded: the gate of the compile suite.

    python tests/cuda_resources.py          compile all kernels for all targets, and record it

For each kernel the most over all targets: registers a thread, bytes that are spilled to memory, bytes of shared memory.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from minicnn import kernels
from minicnn.kernels._gpu.file import CudaFile, cuda_files
from minicnn.kernels._gpu.nvrtc import CHECKED, compile_cubin

PATH = Path(__file__).parent / "golden" / "cuda_resources.json"
Build = tuple[CudaFile, tuple[str, ...]]


def builds() -> list[Build]:
    """Every CUDA file with every choice of its macros."""
    for spec in kernels.specs("cuda"):
        assert callable(spec.fn)  # imports the module, which names its files
    return [(file, variant) for file in sorted(cuda_files, key=lambda file: file.name) for variant in file.variants]


def title(build: Build) -> str:
    """A build in words."""
    file, variant = build
    return " ".join([file.name, *variant])


def compiled(build: Build) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """For each target that the file is for: what each of its kernels takes."""
    file, variant = build
    for target in CHECKED:
        if target >= file.target:
            found = compile_cubin(file.path, f"sm_{target}", variant)
            assert not found.warnings, found.warnings
            yield f"sm_{target}", {name: [r.registers, r.spilled, r.shared] for name, r in found.resources.items()}


def most(build: Build) -> dict[str, list[int]]:
    """Of each kernel, the most over all targets."""
    found: dict[str, list[int]] = {}
    for _, resources in compiled(build):
        for name, taken in resources.items():
            found[name] = [*map(max, found.get(name, taken), taken)]
    return found


def record() -> None:
    """Write what all kernels take."""
    lines = []
    for build in builds():
        for name, taken in sorted(most(build).items()):
            lines.append(f"  {json.dumps(f'{title(build)}: {name}')}: {json.dumps(taken)}")
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    sys.exit(record())
