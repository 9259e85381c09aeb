"""The record of what kernels for a GPU take: of single operations, and of what does not compile."""

import json
from pathlib import Path
from typing import Any

import cuda_resources
import pytest

from minicnn.errors import DeviceError

BEFORE = {
    "pad2d/cuda.cu: pad2d_forward_v1_direct": [1, 0, 0],
    "prelu/cuda.cu: prelu_forward_v1_direct": [2, 0, 0],
    "upsample2d/cuda.cu: gone": [3, 0, 0],
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of three kernels, in the place of the real one, and a compiler that takes all files but prelu's."""

    def most(build: Any) -> dict[str, list[int]]:
        if build[0].name == "prelu/cuda.cu":
            raise DeviceError("prelu/cuda.cu, line 5: it is wrong")
        return {"kernel": [9, 0, 0]}

    path = tmp_path / "resources.json"
    path.write_text(json.dumps(BEFORE))
    monkeypatch.setattr(cuda_resources, "PATH", path)
    monkeypatch.setattr(cuda_resources, "most", most)
    return path


def test_one_operation_is_recorded_and_the_others_stay(path: Path, capsys: pytest.CaptureFixture[str]):
    assert cuda_resources.record("pad2d") == 0
    expected = {"pad2d/cuda.cu: kernel": [9, 0, 0], **dict(list(BEFORE.items())[1:])}
    assert json.loads(path.read_text()) == expected
    assert capsys.readouterr().out == "1/1 pad2d/cuda.cu\n"


def test_what_does_not_compile_is_named_and_all_else_recorded(path: Path, capsys: pytest.CaptureFixture[str]):
    assert cuda_resources.record("pad2d", "prelu") == 1
    assert json.loads(path.read_text()).keys() == {"pad2d/cuda.cu: kernel", *list(BEFORE)[1:]}
    assert capsys.readouterr().err == "prelu/cuda.cu does not compile: prelu/cuda.cu, line 5: it is wrong\n"


def test_help_is_told_and_nothing_compiled(path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cuda_resources.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "python tests/cuda_resources.py pad2d" in said
    assert "compile all kernels" in said
    assert json.loads(path.read_text()) == BEFORE


def test_the_command_takes_operations(path: Path):
    assert cuda_resources.main(["pad2d"]) == 0
    assert "pad2d/cuda.cu: kernel" in json.loads(path.read_text())


def test_operation_that_is_none_is_named(path: Path, capsys: pytest.CaptureFixture[str]):
    assert cuda_resources.record("pad3d") == 1
    assert json.loads(path.read_text()) == BEFORE
    assert capsys.readouterr().err == "there is no kernel for a GPU of pad3d\n"
