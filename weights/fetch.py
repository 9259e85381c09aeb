"""Find a published file on this machine, or download it: resumed when cut off, verified, then renamed into place.

Looked for in minicnn's cache (MINICNN_CACHE, else the user's cache folder), then in Keras' own (KERAS_HOME, ~/.keras).
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from minicnn.errors import DownloadError, MinicnnError

from .registry import PublishedFile

Check = Callable[[Path], None]


def locate(entry: PublishedFile) -> Path:
    """The path of a published weights file, downloaded if need be.

    Raises
    ------
    DownloadError
        It is nowhere on this machine and cannot be fetched; the message says which file to put where.
    """
    return fetch(entry.url, entry.file, entry.hash, entry.folder, opening(entry))


def find(entry: PublishedFile) -> Path | None:
    """The path of a published file that is on this machine; None where it would have to be downloaded."""
    return _here(entry.file, entry.hash, entry.folder, opening(entry))[0]


def fetch(
    url: str, file_name: str, file_hash: str | None = None, subfolder: str = "models", check: Check | None = None
) -> Path:
    """The path of a file that is published at `url`.

    Parameters
    ----------
    url : str
    file_name : str
        What it is called in the caches.
    file_hash : str, optional
        md5 (32 digits) or sha256 (64 digits) in hexadecimal.
    subfolder : str
        Of the cache folders: "models" or "datasets", as in Keras.
    check : callable, optional
        Raises MinicnnError for a file that is not what it should be; used where no hash is published.

    Raises
    ------
    DownloadError
        The file cannot be fetched, or is not the published one. MINICNN_OFFLINE=1 forbids the attempt.

    Examples
    --------
    >>> fetch("https://example.org/a.h5", "a.h5")                               # doctest: +SKIP
    PosixPath('/home/me/.cache/minicnn/models/a.h5')
    """
    here, doubts = _here(file_name, file_hash, subfolder, check)
    if here is not None:
        return here
    target = cache_folder() / subfolder / file_name
    try:
        if os.environ.get("MINICNN_OFFLINE", "0") not in ("", "0"):
            raise DownloadError("MINICNN_OFFLINE is set")
        from .download import download  # it loads Python's modules for the web

        download(url, target, lambda path: _doubts(path, file_hash, check))
    except DownloadError as error:
        raise DownloadError(f"{url} could not be downloaded ({error}{doubts}): put the file at {target}") from None
    return target


def _here(name: str, file_hash: str | None, folder: str, check: Check | None) -> tuple[Path | None, str]:
    """(the path of a file in minicnn's or Keras' cache, why the one in the latter is not used)"""
    target = cache_folder() / folder / name
    if os.path.isfile(target):
        return target, ""  # verified before it got this name, or put there by hand: the readers doubt it, as any file
    kept = keras_folder() / folder / name
    if not os.path.isfile(kept):
        return None, ""
    doubts = _doubts(kept, file_hash, check)
    return (None, f"; {kept} is there but {doubts}") if doubts else (kept, "")


def is_file(entry: PublishedFile, path: str | os.PathLike) -> bool:
    """Whether a file on this machine is the published one, by its name and its hash."""
    path = Path(path)
    return path.name == entry.file and path.is_file() and not _doubts(path, entry.hash, None)


def cache_folder() -> Path:
    """MINICNN_CACHE, or minicnn in this user's folder for caches: the rule of `minicnn.kernels` too."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return Path(os.environ.get("MINICNN_CACHE") or caches / "minicnn").expanduser()


def keras_folder() -> Path:
    """Where Keras keeps what it downloads."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def verify(entry: PublishedFile, path: Path) -> str:
    """Why a file on this machine is not the published one; "" when it is, or, where no hash is published, opens."""
    return _doubts(path, entry.hash, opening(entry))


def opening(entry: PublishedFile) -> Check | None:
    """The check of a file of weights: that it can be opened."""
    from .opening import open_weights

    return (lambda path: open_weights(path).close()) if entry.file.endswith(".h5") else None


def _doubts(path: Path, file_hash: str | None, check: Check | None) -> str:
    """Why a file is not the published one; "" when it is."""
    if file_hash:
        kind = _kind(file_hash)
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, kind).hexdigest()
        return "" if found == file_hash.lower() else f"its {kind} is {found}, not {file_hash}"
    try:
        if check:
            check(path)
    except MinicnnError as error:
        return f"is not usable ({error})"
    return ""


def _kind(file_hash: str) -> str:
    return "md5" if len(file_hash) == 32 else "sha256"
