"""Every CUDA file compiles for every architecture that it is for, and takes no more of one than is recorded."""

import json
import re
from itertools import takewhile

import pytest
from cuda_resources import PATH, Build, compiled, title

from minicnn.kernels._gpu.file import builds

pytestmark = pytest.mark.cuda_compile
SLACK = 16  # registers by which compilers may differ
RECORDED = json.loads(PATH.read_text("utf-8"))


@pytest.mark.parametrize("build", builds(), ids=title)
def test_a_build_takes_what_is_recorded(build: Build):
    expected = {name: taken for name, taken in RECORDED.items() if name.startswith(f"{title(build)}: ")}
    for target, found in compiled(build):
        op = build[0].name.split("/")[0]
        other = {f"{title(build)}: {name}" for name in found} ^ expected.keys()
        assert not other, f"not recorded, or no longer there: {other}; `python tests/cuda_resources.py {op}` records it"
        for name, (registers, spilled, shared) in found.items():
            most_registers, most_spilled, most_shared = expected[f"{title(build)}: {name}"]
            assert registers <= most_registers + SLACK, (target, name)
            assert spilled <= most_spilled, (target, name)
            assert shared <= most_shared, (target, name)


def test_no_kernel_spills():
    assert [name for name, (_, spilled, _) in RECORDED.items() if spilled] == []


def test_only_kernels_that_exist_are_recorded():
    titles = tuple(f"{title(build)}: " for build in builds())
    assert [name for name in RECORDED if not name.startswith(titles)] == []


@pytest.mark.parametrize("build", [build for build in builds() if build[1]], ids=title)
def test_the_head_of_a_file_says_where_its_macros_come_from(build: Build):
    file, variant = build
    head = "".join(takewhile(lambda line: line.startswith("//"), file.path.read_text("utf-8").splitlines(True)))
    names = "|".join(macro.partition("=")[0] for macro in variant)
    (module,) = re.findall(rf"^// (?:.*\b)?(?:{names})\b.* comes? from (\w+\.py)", head, re.MULTILINE)
    assert f'CudaFile("{file.name}"' in (file.path.parent / module).read_text("utf-8")
    for macro in variant:
        assert re.search(rf"\b{macro.partition('=')[0]}\b", head)
