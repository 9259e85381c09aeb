"""What commands print: results on stdout, everything else (notes, progress) on stderr."""

import json
import math
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from minicnn.errors import MinicnnError

SECONDS_BETWEEN_LINES = 5.0
NONE = "–"  # in a column of numbers


class OutputError(MinicnnError, OSError):
    """What a command prints cannot be written: stdout is a file on a full disk."""

    def __init__(self, error: OSError):
        super().__init__(f"the output cannot be written: {error.strerror or error}")


def note(text: str) -> None:
    """One line on stderr that begins with the program's name; a bar that is there goes on below it."""
    line = f"minicnn: {one_line(text)}"
    if Progress.bar_shown:
        from tqdm import tqdm

        tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr, flush=True)


def say(text: str = "") -> None:
    """A line of the result on stdout; what it cannot show (bytes of file names that are no text) as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(escaped(text).encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error) from None


def escaped(text: str) -> str:
    r"""
    The text with what is no character (bytes of file names, halves of pairs) as escapes.

    Examples
    --------
    >>> escaped("a\udcff \ud800")
    'a\\xff \\ud800'
    """
    known = re.sub("[\ud800-\udc7f\udd00-\udfff]", lambda half: f"\\u{ord(half[0]):x}", text)
    return known.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def one_line(text: object) -> str:
    r"""
    The text with its line breaks as spaces and other control characters escaped.

    Examples
    --------
    >>> one_line("a\n  b\x1b[31m")
    'a b\\x1b[31m'
    """
    words = " ".join(str(text).split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)


def print_json(value: Any) -> None:
    """A value as JSON on stdout; NumPy numbers become plain ones, a number that is not finite becomes null."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    say(json.dumps(plain(value), indent=2, ensure_ascii=not unicode))


def plain(value: Any) -> Any:
    """
    The value with only the types that JSON knows.

    Examples
    --------
    >>> plain({"a": np.float32(0.5), "b": (1, float("nan"))})
    {'a': 0.5, 'b': [1, None]}
    """
    if isinstance(value, dict):
        return {escaped(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, int | float | bool) or value is None else escaped(str(value))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Aligned columns: to the right where every cell is a number, else to the left."""
    texts = [[one_line(cell) for cell in row] for row in [header, *rows]]
    columns = list(zip(*texts))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(map(_is_number, column[1:])) for column in columns]
    for row in texts:
        cells = [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, numeric)]
        say("  ".join(cells).rstrip())


def _is_number(cell: str) -> bool:
    return cell == NONE or cell.strip("%").replace(",", "").replace(".", "", 1).isdecimal()


class Progress:
    """
    How far each step of a long job is: a tqdm bar on a terminal, a plain line every few seconds elsewhere.

    `progress(step, done, total)` is what the functions of minicnn.transfer call.
    """

    bar_shown = False

    def __init__(self, quiet: bool = False):
        self._quiet = quiet
        self._bars = sys.stderr.isatty()
        self._step, self._bar, self._last_line = "", None, 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        if self._quiet:
            return
        if step != self._step:
            self.close()
            self._step, self._last_line = step, time.monotonic()
            if self._bars:
                self._bar = _bar(step, total)
                Progress.bar_shown = self._bar is not None
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif done == total or time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            note(f"{step}: {done} of {total}")

    def close(self) -> None:
        """End the current bar."""
        if self._bar is not None:
            self._bar.close()
            Progress.bar_shown = False
        self._bar, self._step = None, ""


def _bar(step: str, total: int):
    """A tqdm bar, or None when tqdm is not installed: then plain lines are printed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=total, desc=step, file=sys.stderr, leave=False, dynamic_ncols=True)
