"""From arguments to an exit code: 0 done, 2 wrong usage or bad input, 1 failure, 130 interrupted."""

import sys
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
from minicnn.cli.console import note
from minicnn.cli.ending import exit_code
from minicnn.cli.parser import Parser

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
        return exit_code(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    options = build_parser().parse_args(argv)
    options.argv = ["minicnn", *argv]

    from minicnn.kernels import on_compiling

    with on_compiling(_say_compiling):
        return options.run(options)


def _say_compiling(kept: bool) -> None:
    note(f"compiling kernels for this machine{', once' if kept else ''} ...")


def _show_warning(message, category, filename, lineno, file=None, line=None):
    note(f"warning: {message}")
