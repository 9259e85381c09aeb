"""Where results go: never among the photos, nor unasked over earlier ones; what was there before is told."""

import os
from itertools import count, takewhile
from pathlib import Path

from minicnn.errors import ArgumentError, FileAccessError


def result_folder(out: str | None, photos: str, resume: bool = False) -> Path:
    """
    The folder for results: the one that is named, else NAME-model here, or beside the photos when here is among them.

    Where nobody named it and it holds earlier results, these are kept, and it is NAME-model-2, ...; to `resume`, it is
    the last of these with a training under way, else the last that is there.

    Raises
    ------
    ArgumentError, FileAccessError
        It would lie among the photos, where the next run would take it for a class, or cannot be written.
    """
    from minicnn.report.outputs import check_outputs
    from minicnn.runs.run import CHECKPOINTS

    folder = default_folder(photos) if out is None else named_folder(out)
    refuse_among(photos, folder, "--out")
    check_outputs(folder)
    if out is None and holds_results(folder):
        numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
        if resume:
            there = [folder, *filter(Path.is_dir, takewhile(Path.exists, numbered))]
            folder = next((each for each in reversed(there) if (each / CHECKPOINTS).exists()), there[-1])
        else:
            folder = next(other for other in numbered if not other.is_file() and not holds_results(other))
    return check_outputs(folder)


def refuse_among(photos: str, folder: Path, option: str) -> None:
    """Refuse a folder that lies among the photos; `option` names another.

    Raises
    ------
    ArgumentError
    """
    if folder.resolve().is_relative_to(Path(photos).resolve()):
        raise ArgumentError(
            f"{folder} lies among the photos in {photos}, where the next run would take it for a class: "
            f"name another folder with {option}"
        )


def default_folder(photos: str) -> Path:
    """Where results go that nobody named a folder for, when no earlier ones are there."""
    root = Path(photos).resolve()
    folder = Path(f"{(root.stem if root.is_file() else root.name) or 'photos'}-model")
    return Path(os.path.relpath(root.parent / folder)) if folder.resolve().is_relative_to(root) else folder


def said_of_earlier(out: str | None, photos: str, folder: Path) -> str:
    """A sentence on earlier results that are kept, when nobody named the folder; "" when there are none."""
    earlier = default_folder(photos)
    if out is not None or folder == earlier:
        return ""
    return f"{earlier} holds earlier results, which are kept: these go to {folder}; --out names another folder"


def named_folder(name: str, option: str = "--out", what: str = "the results") -> Path:
    """The folder that an option names.

    Raises
    ------
    ArgumentError
        The name is empty: a variable of the shell that is not set.
    """
    if not name:
        raise ArgumentError(f"the name after {option} is empty: name a folder for {what}")
    return Path(name)


def holds_results(folder: Path) -> bool:
    """Whether a folder has a file of an earlier run."""
    from minicnn.report.outputs import OUTPUTS

    return any(os.path.exists(folder / name) for name in OUTPUTS)


def is_finished(folder: Path) -> bool:
    """Whether a folder has the results of a training, and none is under way in it."""
    from minicnn.runs.run import CHECKPOINTS

    return holds_results(folder) and not (folder / CHECKPOINTS).exists()


def said_of_contents(folder: Path, known: str = "") -> str:
    """A sentence on what a folder holds before results are written to it, to be said afterwards; "" when nothing."""
    names = {path.name for path in folder.iterdir()} - {known} if folder.is_dir() else set()
    if holds_results(folder):
        return f"earlier results in {folder} were replaced"
    return f"{folder} held other files before: the results lie among them" if names else ""


def make_folder(folder: Path) -> None:
    """Make a folder and those around it, unless they are there.

    Raises
    ------
    FileAccessError
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileAccessError(f"{folder} cannot be made ({error.strerror}): name another folder") from None
