"""The `.keras` zip: config.json, metadata.json, model.weights.h5, read by exact name into memory, never extracted."""

import sys
import zipfile
import zlib
from typing import Any, BinaryIO, cast

from minicnn.errors import FileFormatError

from ._json import MAX_BYTES, parse_config
from .entries import WeightFile
from .hdf5 import HDF5File
from .keras3 import read_keras3
from .others import PICKLE

CONFIG, METADATA, WEIGHTS, OWN = "config.json", "metadata.json", "model.weights.h5", "minicnn.json"
LIMITS = {CONFIG: MAX_BYTES, METADATA: 1 << 20, WEIGHTS: 16 << 30, OWN: MAX_BYTES}
OTHERS = {  # the end of a member's name: what the archive is, and what to do
    "data.pkl": f"a PyTorch file, a pickle, {PICKLE}",
    ".npy": "an archive of NumPy arrays, no Keras file",
}
NO_ZIP = "File is not a zip file"  # zipfile's words: it found no directory at the end
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 1 << 20  # bytes; that of a Keras file has some 200
MAX_RATIO = 20  # Keras stores without compression; weights zipped by hand shrink to nine tenths
FREE = 64 << 20  # below this size any ratio is allowed: the zeros of a new model


def read_archive(file: BinaryIO, path: str) -> WeightFile:
    """Describe a `.keras` file.

    Raises
    ------
    FileFormatError
        A member is missing, doubled, too large, unreadable, or its name leaves the archive.
    """
    try:
        with _opened(file, path) as archive:
            members = _members(archive, path)
            config = parse_config(_read(archive, members, CONFIG, path), f"{path}: {CONFIG}")
            metadata = _optional(archive, members, METADATA, path)
            own = _optional(archive, members, OWN, path)
            weights = _read(archive, members, WEIGHTS, path)
    except zipfile.BadZipFile as error:
        what = "is cut off or no zip archive" if str(error) == NO_ZIP else f"is a damaged zip archive ({error})"
        raise FileFormatError(f"{path} {what}: get the file again") from None
    except (zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{path}: the zip archive cannot be read ({error}): get the file again") from None
    described = read_keras3(HDF5File(weights, f"{path}: {WEIGHTS}"), path)
    described.format = "Keras 3 archive"
    described.config, described.metadata = config, own
    version = (metadata or {}).get("keras_version")
    described.keras_version = version if isinstance(version, str) else None
    return described


def _opened(file: BinaryIO, path: str) -> zipfile.ZipFile:
    """The archive, unless its directory, which zipfile reads whole, is longer than that of any Keras file."""
    bounded = _Bounded(file, path)
    archive = zipfile.ZipFile(cast(BinaryIO, bounded))
    bounded.limit = sys.maxsize
    return archive


class _Bounded:
    """A file of which no more than `limit` bytes are read at once."""

    limit = MAX_DIRECTORY

    def __init__(self, file: BinaryIO, path: str):
        self._file, self._path = file, path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        if size > self.limit:
            raise FileFormatError(
                f"{self._path}: the archive lists members in {size} bytes, a Keras file in a few hundred: this is no "
                "Keras file"
            )
        return self._file.read(size)


def _members(archive: zipfile.ZipFile, path: str) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(infos) > MAX_MEMBERS or len(set(names)) < len(names):
        raise FileFormatError(f"{path}: the archive lists a member twice or has more than {MAX_MEMBERS}")
    for name in names:
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise FileFormatError(f"{path}: the archive member {name!r} leaves the archive: do not trust this file")
    other = next((what for end, what in OTHERS.items() if any(name.endswith(end) for name in names)), None)
    if other and CONFIG not in names:
        raise FileFormatError(f"{path} is {other}")
    if not {CONFIG, WEIGHTS} & set(names):
        raise FileFormatError(f"{path} is a zip archive, but no .keras file: unpack it and name a file of it")
    return dict(zip(names, infos))


def _optional(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, path: str) -> dict | None:
    if name not in members:
        return None
    return parse_config(_read(archive, members, name, path), f"{path}: {name}")


def _read(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, path: str) -> bytes:
    """One member, within its limit and no larger than its compressed size can give."""
    info = members.get(name)
    if info is None:
        remedy = "save the model again with Keras 3"
        if name == WEIGHTS and "model.weights.npz" in members:
            remedy = "weights as .npz are not read: save the model again with h5py installed"
        raise FileFormatError(f"{path}: the archive has no {name}: {remedy}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileFormatError(f"{path}: {name} is compressed in a way that Keras does not use: zip it again")
    stored = min(info.compress_size, archive.start_dir - info.header_offset)  # no more than lies before the directory
    limit = min(LIMITS[name], max(FREE, MAX_RATIO * stored))
    if info.file_size > limit:
        raise FileFormatError(f"{path}: {name} claims {info.file_size} bytes, far more than it stores: do not trust it")
    with archive.open(info) as member:
        return member.read(info.file_size)  # no further; when there is more, the checksum is not that of the member
