"""What a file is, from its first bytes; its name may say anything."""

import re
from pathlib import Path

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
FORMAT_LIST = "JPEG, PNG, WEBP, BMP, GIF or TIFF"
EXTENSIONS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG", ".webp": "WEBP",
    ".bmp": "BMP", ".dib": "BMP", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
ZIP = "a ZIP archive"

_STARTS = [
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"), (b"II*\x00", "TIFF"), (b"MM\x00*", "TIFF"), (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop document"), (b"PK\x03\x04", ZIP), (b"\x89HDF", "an HDF5 file"),
    (b"<", "an HTML, SVG or XML page"),
]  # fmt: skip
_BMP = re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0", re.DOTALL)  # its second header has 12 to 124 bytes
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis")


def sniff(start: bytes) -> str | None:
    """The name of the format whose first bytes (16 are enough) are these; None when unknown.

    >>> sniff(b"GIF89a....")
    'GIF'
    """
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if _BMP.match(start):
        return "BMP"
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
        return "a HEIC or AVIF picture"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for magic, name in _STARTS if start.startswith(magic) or text.startswith(magic)), None)


def what_to_do(found: str | None) -> str:
    """With a file that is no picture that is read."""
    return "unpack it" if found == ZIP else "convert it to JPEG or remove it"


def format_of(path: Path) -> str | None:
    """The format of a file by its name, or else by its first bytes; None when unknown."""
    if path.suffix.lower() in EXTENSIONS:
        return EXTENSIONS[path.suffix.lower()]
    with open(path, "rb") as file:
        return sniff(file.read(16))
