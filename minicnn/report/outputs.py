"""The files of a transfer: all of them or none."""

import contextlib
import csv
import io
import json
import math
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from minicnn.data.problems import as_text
from minicnn.errors import FileAccessError
from minicnn.report.describe import describe
from minicnn.report.page import render
from minicnn.report.record import predictions_csv, run_record
from minicnn.runs.run import METRICS, PREDICTIONS, RECORD
from minicnn.transfer.remarks import HEAD_FILE
from minicnn.transfer.result import TransferResult
from minicnn.transfer.tuning import FineTuned

MODEL, HISTORY, REPORT = "model.keras", "history.csv", "report.html"
OUTPUTS = (MODEL, HEAD_FILE, HISTORY, METRICS, PREDICTIONS, RECORD, REPORT)


def check_place(folder: str | Path) -> Path:
    """
    The folder for outputs, looked at before hours are spent: it is new, or may be written.

    Raises
    ------
    FileAccessError
        It is a file, or it or the folder around it cannot be written, or what is in it cannot be seen.
    """
    folder = Path(folder)
    around = next(place for place in (folder, *folder.absolute().parents) if os.path.exists(place))
    if not around.is_dir():
        raise FileAccessError(f"{around} is a file: name a folder for the results")
    if not os.access(around, os.W_OK | os.X_OK):
        place, shut = (path if path.name else path.absolute() for path in (folder, around))  # "." says little
        raise FileAccessError(f"{place} cannot be written: {shut} is not writable; name another folder")
    if around == folder and not os.access(folder, os.R_OK):
        raise FileAccessError(f"{folder} cannot be read, so what is in it may be lost: name another folder")
    return folder


def check_outputs(folder: str | Path) -> Path:
    """
    `check_place`, and that no folder has the name of a file of the results.

    Raises
    ------
    FileAccessError
    """
    folder = check_place(folder)
    _refuse_folders(folder)
    return folder


def _refuse_folders(folder: Path) -> None:
    """Refuse folders in the places of OUTPUTS, which no file replaces."""
    for name in OUTPUTS:
        if (folder / name).is_dir():
            raise FileAccessError(f"{folder / name} is a folder: move it away, or name another folder for the results")


def write_outputs(
    result: TransferResult | FineTuned,
    folder: str | Path,
    command: Sequence[str] = (),
    scratch: str | Path | None = None,
) -> dict[str, Path]:
    """
    Write OUTPUTS into a folder, replacing those of an earlier run: the model, its report, and all figures.

    Where fine-tuning did harm, the model of before it is head.keras.  They are written to a folder of their own first
    and moved at the end, so a failure leaves what was there before.

    Parameters
    ----------
    result : TransferResult or FineTuned
        Of `finetune_folder` or of `finetune`.
    command : sequence of str
        The arguments that led to the result, for the report.
    scratch : path, optional
        A folder on the same disk where files lie until all are whole: a process that is killed leaves them there.

    Returns
    -------
    dict
        {name of the file: its path}.

    Raises
    ------
    FileAccessError
        The folder cannot be written, or a folder in it has the name of one of the files.

    Examples
    --------
    >>> from minicnn.transfer import finetune
    >>> paths = write_outputs(finetune("mobilenet", "photos"), "runs/photos")  # doctest: +SKIP
    >>> paths["report.html"].name  # doctest: +SKIP
    'report.html'
    """
    folder = Path(folder)
    with _staged(folder, None if scratch is None else Path(scratch)) as stage:
        _write(result.details if isinstance(result, FineTuned) else result, stage, folder, [*map(as_text, command)])
        names = sorted(path.name for path in stage.iterdir())
    return {name: folder / name for name in names}


def _write(result: TransferResult, stage: Path, folder: Path, command: Sequence[str]) -> None:
    """The files into a stage from where they will move to the folder."""
    predict = shlex.join(["minicnn", "predict", as_text(folder / MODEL), "photo.jpg"])
    report = describe(result, command, predict)
    result.model.save(stage / MODEL)
    (stage / HISTORY).write_text(history_csv(result), encoding="utf-8", newline="")
    (stage / PREDICTIONS).write_text(predictions_csv(result), encoding="utf-8", newline="")
    for name, values in ((METRICS, result.metrics()), (RECORD, run_record(result, command))):
        (stage / name).write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    (stage / REPORT).write_text(render(report), encoding="utf-8")
    if result.before_fine_tuning:
        with result.head_alone() as model:
            model.save(stage / HEAD_FILE)


@contextlib.contextmanager
def _staged(folder: Path, scratch: Path | None) -> Iterator[Path]:
    """A new folder whose files move into `folder` when the block ends well, else they disappear.

    It lies in `scratch`, or in `folder` where that exists: what is around it may be another disk, or not writable.
    """
    place = scratch or (folder if folder.is_dir() else folder.parent)
    try:
        place.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=place))
    except OSError as error:
        raise FileAccessError(f"{folder} cannot be written ({error.strerror}): name another folder") from None
    try:
        yield stage
        folder.mkdir(exist_ok=True)
        _refuse_folders(folder)
        if (folder / METRICS).exists():
            (folder / HEAD_FILE).unlink(missing_ok=True)  # of an earlier run
        for file in sorted(stage.iterdir()):
            os.replace(file, folder / file.name)
    except FileAccessError as error:
        raise FileAccessError(str(error).replace(str(stage), str(folder))) from error
    except OSError as error:
        raise FileAccessError(f"{folder} cannot be written ({error.strerror}): name another folder") from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def history_csv(result: TransferResult) -> str:
    """One row an epoch of all phases."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "learning_rate"])
    for phase in result.phases:
        rates = phase.rates or [math.nan] * len(phase.loss)
        columns = (phase.loss, phase.accuracy, phase.val_loss, phase.val_accuracy, phase.seconds, rates)
        for epoch, values in enumerate(zip(*columns), 1):
            writer.writerow([phase.name, epoch, *(f"{value:.6g}" for value in values)])
    return stream.getvalue()
