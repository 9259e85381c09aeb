"""How a program ends: the exit code, and one line on stderr where something is wrong."""

import os
import sys
import traceback
from collections.abc import Callable

from minicnn.cli.console import OutputError, note
from minicnn.errors import DownloadError, MinicnnError, MissingExtraError

DONE, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def exit_code(program: Callable[[], int | None]) -> int:
    """
    Run a program: 0 done, 2 wrong usage or bad input, 1 failure, 130 interrupted; or the code that it gives.

    What is wrong is said in one line; with MINICNN_DEBUG=1 there is a traceback too.

    Examples
    --------
    >>> exit_code(lambda: print("done"))
    done
    0
    """
    try:
        return program() or DONE
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


def _leave_stdout() -> None:
    """What is written to it from now on goes nowhere, so that the interpreter does not complain when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(message: object, code: int) -> int:
    if _debugging():
        traceback.print_exc()
    text = str(message)
    note(text if text.startswith("failure: ") else f"error: {text}")
    return code


def _debugging() -> bool:
    return os.environ.get("MINICNN_DEBUG", "") not in ("", "0")
