"""Instructions that want all lanes of a warp at once (PTX: .aligned) get them, as the compiler writes the program."""

import re

import pytest
from cuda_resources import Build, builds, title

from minicnn.kernels._gpu import nvrtc

pytestmark = pytest.mark.cuda_compile
LABEL = re.compile(r"^\$\w+:$", re.MULTILINE)
WHOLE_WARP = re.compile(r"\b(ldmatrix|mma)\.sync\.aligned\b")
NARROW = {"BLOCK=64", "VECTOR=1"}  # whose loops before end at each lane's own time
TENSOR = [build for build in builds() if "tensor" in build[0].name and {*build[1]} >= NARROW]


@pytest.fixture
def ptx(monkeypatch):
    """The PTX of a build."""
    result = nvrtc._result
    found: list[str] = []

    def noted(program, what: str) -> bytes:
        found.append(result(program, "PTX").decode())
        return result(program, what)

    def ptx_of(build: Build) -> str:
        nvrtc.compile_cubin(build[0].path, "sm_80", build[1])
        return found[-1]

    monkeypatch.setattr(nvrtc, "_result", noted)
    return ptx_of


@pytest.mark.parametrize("build", TENSOR, ids=title)
def test_lanes_meet_before_what_wants_all_of_them(build: Build, ptx):
    """Lanes may come to a label apart, and nothing but a barrier brings them together again."""
    pieces = [(piece, found) for piece in LABEL.split(ptx(build)) if (found := WHOLE_WARP.search(piece))]
    assert pieces
    assert all("bar.warp.sync" in piece[: found.start()] for piece, found in pieces)
