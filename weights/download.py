"""Download one file with the standard library: in pieces, resumed where the connection broke, verified at the end.

The bytes are kept beside the target as NAME.part, for a later run to go on from.  A process takes that file by
renaming it, so that two at once do not write into one.
"""

import contextlib
import http.client
import os
import re
import secrets
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from minicnn.errors import DownloadError

ATTEMPTS = 4
PAUSE = 1.0  # seconds before the second attempt, doubled each time
TIMEOUT = 30.0  # seconds without a byte
PIECE = 1 << 20
PROGRESS = 1 << 16  # an attempt that brought fewer bytes counts as failed
MAX_BYTES = 16 << 30


def download(url: str, target: Path, doubts: Callable[[Path], str]) -> None:
    """Fetch `url` to `target`.

    Parameters
    ----------
    url : str
        http or https.
    target : Path
        Its folder is made; the file appears there only when it is complete and `doubts(path)` is "".

    Raises
    ------
    DownloadError
        Why it could not be done, in a few words; what was received is kept for the next attempt.
    """
    if not url.startswith(("http://", "https://")):
        raise DownloadError("not a web address")
    resting = target.with_name(f"{target.name}.part")
    mine = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.replace(resting, mine)
        mine.touch()
        _say(f"downloading {target.name} ...")
        resumed = mine.stat().st_size > 0
        _receive_all(url, mine)
        reason = doubts(mine)
        if reason and resumed:  # perhaps the published file changed between the parts: once more from the start
            mine.write_bytes(b"")
            _receive_all(url, mine)
            reason = doubts(mine)
        if reason:
            what = "a web page instead of the file" if _is_page(mine) else f"another file: {reason}"
            mine.unlink()
            raise DownloadError(f"the server gave {what}")
        _keep(mine, target)
    except OSError as error:
        if isinstance(error, DownloadError):
            raise
        reason = error.strerror or error
        raise DownloadError(
            f"{target.parent} cannot be written: {reason}; set MINICNN_CACHE to a folder of yours"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            if mine.stat().st_size:
                os.replace(mine, resting)
            mine.unlink()


def _keep(path: Path, target: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    os.replace(path, target)


def _is_page(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(64).lstrip().startswith(b"<")


def _receive_all(url: str, path: Path) -> None:
    """Append to `path` until it is complete; as long as bytes come, the attempts are not counted.

    Where the server's name is not found to begin with, there is no network: nothing is tried again.
    """
    failed, begun = 0, path.stat().st_size
    while True:
        before = path.stat().st_size
        try:
            if _receive(url, path):
                return
            reason = "the connection broke off"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and before:  # nothing after what is there: complete, or not of this file
                return
            if error.code < 500 and error.code != 429:
                raise DownloadError(f"the server answered {error.code} {error.reason}") from None
            reason = f"the server answered {error.code} {error.reason}"
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            cause = getattr(error, "reason", None) or error
            reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
            if isinstance(cause, socket.gaierror) and before == begun:
                raise DownloadError(f"the name of the server is not found: {reason}") from None
        failed = 1 if path.stat().st_size >= before + PROGRESS else failed + 1
        if failed >= ATTEMPTS:
            raise DownloadError(reason)
        time.sleep(PAUSE * 2 ** (failed - 1))


def _receive(url: str, path: Path) -> bool:
    """One request for what is missing; whether the file is complete."""
    have = path.stat().st_size
    request = urllib.request.Request(url, headers={"User-Agent": "minicnn", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        start = _start(answer) if answer.status == 206 else 0
        if start not in (0, have):
            raise DownloadError(f"the server answered with bytes from {start}, asked for {have}")
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else None
        if (total or 0) > MAX_BYTES:
            raise DownloadError(f"the server offers {total} bytes, more than any published file has")
        with open(path, "ab" if start else "wb") as file:
            _copy(answer, file, start, total)
        return total is None or path.stat().st_size == total


def _copy(answer: http.client.HTTPResponse, file: BinaryIO, done: int, total: int | None) -> None:
    """Write what comes, and say on stderr how much it is and how far."""
    if total:
        _say(f"receiving {(total - done) / 1e6:.{0 if total > 1e7 else 1}f} MB")
    while piece := answer.read(PIECE):
        file.write(piece)
        done += len(piece)
        if total and sys.stderr.isatty():
            print(f"\r{done / total:5.0%}", end="" if done < total else "\n", file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(f"minicnn: {text}", file=sys.stderr, flush=True)


def _start(answer: http.client.HTTPResponse) -> int:
    match = re.fullmatch(r"bytes (\d+)-.*", answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1
