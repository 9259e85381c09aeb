"""What every kernel for a GPU takes of a multiprocessor, as recorded: the gate of the compile suite.

    python tests/cuda_resources.py            compile all kernels for all targets, and record it
    python tests/cuda_resources.py pad2d      those of this operation alone; all else stays as it is recorded

For each kernel the most over all targets: registers a thread, bytes that are spilled to memory, bytes of shared memory.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from minicnn.errors import DeviceError
from minicnn.kernels._gpu.file import CudaFile, Macros, builds
from minicnn.kernels._gpu.nvrtc import CHECKED, compile_cubin

PATH = Path(__file__).parent / "golden" / "cuda_resources.json"
Build = tuple[CudaFile, Macros]


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


def record(*operations: str) -> int:
    """Write what the kernels of operations, or all, take; 1 where something does not compile, and is left as it was."""
    chosen = [build for build in builds() if not operations or build[0].name.split("/")[0] in operations]
    found = {name: taken for name, taken in recorded().items() if not _is_of(chosen, name) and _is_of(builds(), name)}
    failed = []
    for i, build in enumerate(chosen):
        print(f"{i + 1}/{len(chosen)} {title(build)}", flush=True)
        try:
            found |= {f"{title(build)}: {name}": taken for name, taken in most(build).items()}
        except (DeviceError, AssertionError) as error:
            found |= {name: taken for name, taken in recorded().items() if _is_of([build], name)}
            failed.append(f"{title(build)} does not compile: {str(error).splitlines()[0]}")
    lines = [f"  {json.dumps(name)}: {json.dumps(taken)}" for name, taken in sorted(found.items(), key=_place)]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    unknown = set(operations) - {build[0].name.split("/")[0] for build in builds()}
    failed += [f"there is no kernel for a GPU of {name}" for name in sorted(unknown)]
    print("\n".join(failed), file=sys.stderr, end="\n" * bool(failed))
    return int(bool(failed))


def recorded() -> dict[str, list[int]]:
    """What is recorded now."""
    return json.loads(PATH.read_text("utf-8"))


def _is_of(some: list[Build], name: str) -> bool:
    return name.startswith(tuple(f"{title(build)}: " for build in some))


def _place(item: tuple[str, list[int]]) -> tuple[int, str]:
    """In the order of builds, and of kernels in each."""
    build, _, kernel = item[0].partition(": ")
    return [title(one) for one in builds()].index(build), kernel


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("op", nargs="*", help="an operation, as pad2d: a folder of kernels/ (default: all)")
    return record(*parser.parse_args(arguments).op)


if __name__ == "__main__":
    sys.exit(main())
