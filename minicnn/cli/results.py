"""Results of a training are written; where they cannot be, what was trained is kept elsewhere."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minicnn.cli.console import note


def write_results(result: Any, out: Path, command: Sequence[str], scratch: Path | None = None) -> dict[str, Path]:
    """
    `write_outputs`; where it fails, the results go to the folder for temporary files, else the model alone into `out`.

    A note says where they are, or that the checkpoints in `scratch` are left, and the error of `write_outputs` is
    raised.
    """
    from minicnn.report import write_outputs
    from minicnn.report.outputs import MODEL
    from minicnn.transfer.checkpoints import FILES

    try:
        return write_outputs(result, out, command, scratch)
    except Exception:
        kept = _kept(tempfile.gettempdir, out.name, lambda folder: write_outputs(result, folder, command))
        what = "the results are"
        if kept is None:
            kept, what = _kept(lambda: out, "kept", lambda folder: result.model.save(folder / MODEL)), "the model is"
        if kept is not None:
            note(f"{what} kept in {kept}")
        elif scratch is not None and any(scratch.glob(FILES)):
            note(f"checkpoints of the trained model are kept in {scratch}: --resume writes the results once it can")
        else:
            note("the trained model could be kept nowhere")
        raise


def _kept(place: Callable[[], str | Path], name: str, write: Callable[[Path], object]) -> Path | None:
    """A new folder in a place with what was written to it, None where that fails."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place()))
        write(folder)
    except Exception:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        return None
    return folder
