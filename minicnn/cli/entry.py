"""From arguments to an exit code: 0 done, 2 wrong usage or bad input, 1 failure, 130 interrupted."""

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Sequence

from minicnn.cli import (
    bench,
    demo,
    doctor,
    evaluate,
    explain,
    export,
    extract,
    finetune,
    inspect,
    models,
    predict,
    runs,
    summary,
    warmup,
    weights,
)
from minicnn.cli.console import OutputError, note
from minicnn.cli.parser import Parser
from minicnn.errors import DownloadError, MinicnnError, MissingExtraError

DONE, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

COMMANDS = (
    demo,
    finetune,
    predict,
    evaluate,
    explain,
    runs,
    extract,
    summary,
    inspect,
    export,
    models,
    weights,
    bench,
    warmup,
    doctor,
)

DESCRIPTION = """\
Take a convolutional network trained by others, a folder of photos, and get a classifier.
A CNN engine of its own: no TensorFlow, no PyTorch."""

EPILOG = """\
begin here:
  minicnn demo                                   offline, under two minutes, ends with a report
  minicnn finetune photos --base mobilenet       photos/ holds one folder of pictures a class
  minicnn predict photos-model/model.keras new.jpg

exit codes: 0 done, 2 wrong usage or bad input, 1 failure, 130 interrupted
environment: MINICNN_CACHE (folder for weights, features and compiled kernels), MINICNN_OFFLINE=1 (never download),
  MINICNN_NUM_THREADS (threads of a kernel), MINICNN_KERNELS=numpy (without Numba),
  MINICNN_AUTOTUNE=1 (take the kernels that are measured to be fastest), MINICNN_DEBUG=1 (show tracebacks)"""


def build_parser() -> Parser:
    """The parser of all commands."""
    from minicnn import __version__

    parser = Parser(prog="minicnn", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"minicnn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; those of the process when None.

    Returns
    -------
    int
        The exit code.

    Examples
    --------
    >>> main(["predict"])  # doctest: +SKIP
    2
    """
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        return _run(sys.argv[1:] if argv is None else argv)


def _run(argv: Sequence[str]) -> int:
    try:
        options = build_parser().parse_args(argv)
        options.argv = ["minicnn", *argv]
        return _run_command(options)
    except SystemExit as stop:  # argparse ends so after --help and after an error
        return int(stop.code or 0)
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()  # whoever read it has left
        return FAILURE
    except OutputError as error:
        _leave_stdout()
        return _refuse(error, FAILURE)
    except (MissingExtraError, DownloadError) as error:
        return _refuse(error, FAILURE)
    except MinicnnError as error:
        return _refuse(error, BAD_INPUT)
    except Exception as error:
        message = f"failure: {type(error).__name__}: {error}"
        if not _debugging():
            message += " (set MINICNN_DEBUG=1 to see where)"
        return _refuse(message, FAILURE)


def _run_command(options: argparse.Namespace) -> int:
    from minicnn.kernels import on_compiling

    with on_compiling(_say_compiling):
        return options.run(options)


def _leave_stdout() -> None:
    """What is written to it from now on goes nowhere, so that the interpreter does not complain when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(message: object, code: int) -> int:
    if _debugging():
        traceback.print_exc()
    text = str(message)
    note(text if text.startswith("failure: ") else f"error: {text}")
    return code


def _say_compiling(kept: bool) -> None:
    note(f"compiling kernels for this machine{', once' if kept else ''} ...")


def _debugging() -> bool:
    return os.environ.get("MINICNN_DEBUG", "") not in ("", "0")


def _show_warning(message, category, filename, lineno, file=None, line=None):
    note(f"warning: {message}")
