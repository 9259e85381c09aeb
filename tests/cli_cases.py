"""What the tests of refusals on the command line share."""

from pathlib import Path

from minicnn.cli import main


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def refused(capsys, place: Path, *arguments: object) -> str:
    """The one line with which a command refuses; nothing below `place` may change."""
    before = snapshot(place)
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    *progress, line = err.splitlines()
    assert all(": error: " not in note for note in progress)
    assert line.startswith("minicnn: error: ")
    assert snapshot(place) == before
    return line
