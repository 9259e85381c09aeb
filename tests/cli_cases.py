"""What the tests of the command line share: a trained model, and how a command refuses."""

from pathlib import Path

import pytest

from minicnn.cli import main

FAST = ["--epochs", "12", "--batch-size", "8"]


@pytest.fixture
def trained(photos, net_file, tmp_path, feature_folder):
    """The folder that finetune wrote."""
    out = tmp_path / "out"
    assert main(["finetune", str(photos), "--base", net_file, "--out", str(out), *FAST]) == 0
    return out


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder with its bytes, but for the cache, which may learn of pictures at any time."""
    paths = [path for path in sorted(folder.rglob("*")) if not path.is_relative_to(folder / "cache")]
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in paths}


def refused(capsys, place: Path, *arguments: object) -> str:
    """The one line with which a command refuses; nothing below `place` may change."""
    before = snapshot(place)
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    *progress, line = err.splitlines()
    assert all(": error: " not in note and "going on" not in note for note in progress)
    assert line.startswith("minicnn: error: ")
    assert snapshot(place) == before
    return line
