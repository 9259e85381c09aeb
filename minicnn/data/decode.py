"""The bytes of a picture file -> uint8 RGB pixels; what cannot be converted without doubt is refused.

Everything that can be judged from the header is judged before a pixel is decoded.
"""

import io
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from minicnn.data.problems import ImageError, ImageNote
from minicnn.data.signatures import FORMAT_LIST, FORMATS, sniff, what_to_do
from minicnn.preparation.pillow import pillow_image
from minicnn.preparation.resize import ResizeRule

MAX_PIXELS = 120_000_000  # of phones with 108 megapixels
ENLARGED = "enlarged"  # the kind of a note

_ORIENTATION_TAG = 0x0112
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
_MANY_FRAMES = ("GIF", "WEBP", "TIFF", "PNG")
# Up to 17 bytes a pixel are needed on the way to RGB (WEBP), so large pictures are decoded one at a time.
_LARGE_PIXELS = 16_000_000
_MOST_ENLARGED = 8
_one_large_picture = threading.Lock()

Note = Callable[[str, str], None]


def decode(data: bytes, path: Path, rule: ResizeRule | None = None) -> tuple[np.ndarray, tuple[ImageNote, ...]]:
    """uint8 pixels (H, W, 3) of the picture file with these bytes, and notes on what was done to them.

    - EXIF orientation is applied.
    - 16-bit grey is divided by 257 and rounded; of 16-bit colours the upper 8 bits are used.
    - CMYK is converted to RGB; transparent pixels are laid on white.
    - Of an animation or a file of several pages, the first picture is used.
    - With a rule, a JPEG of which each side is at least four times the target's longer one is decoded at
      1/2, 1/4 or 1/8 of its size, never below twice the target: libjpeg does so in a fraction of the time.
    - A picture that the rule enlarges more than 8 times gets a note: there is little to see on it.

    Raises
    ------
    ImageError
        Not a picture of an allowed format, damaged, cut off, above MAX_PIXELS, or of floating-point, 32-bit
        or other pixels for which no conversion to 8-bit RGB is certain.
    """
    notes: list[ImageNote] = []

    def note(kind: str, message: str) -> None:
        notes.append(ImageNote(path, kind, message))

    with _open(data, path) as image:
        _check_mode(image, path)
        pixels = image.width * image.height
        if rule is not None:
            image.draft(None, (2 * max(rule.shape), 2 * max(rule.shape)))
        if not image.info.get("progressive"):  # of a progressive JPEG, libjpeg keeps all coefficients all the same
            pixels = image.width * image.height

        def work() -> np.ndarray:
            rgb = _to_rgb(_load(image, path, note), note)
            if rule is not None and rule.enlargement(rgb.size) > _MOST_ENLARGED:
                note(ENLARGED, f"enlarged from {rgb.width} x {rgb.height}")
            return np.array(rgb if rule is None else rule.apply(rgb))

        return _one_at_a_time(work) if pixels > _LARGE_PIXELS else work(), tuple(notes)


def _one_at_a_time(work: Callable[[], np.ndarray]) -> np.ndarray:
    """The result of `work` in a thread of its own, when no other runs.

    What is freed in a thread stays with it for its next picture; eight threads that live on would each hold the memory
    of a large one.
    """
    with _one_large_picture, ThreadPoolExecutor(1, thread_name_prefix="large-picture") as thread:
        return thread.submit(work).result()


def _open(data: bytes, path: Path):
    """The picture, its header read and checked, its pixels not decoded yet."""
    image_module = pillow_image()
    try:
        image = image_module.open(io.BytesIO(data), formats=FORMATS)
    except image_module.UnidentifiedImageError:
        raise _unidentified(data, path) from None
    except (image_module.DecompressionBombError, image_module.DecompressionBombWarning) as error:
        count = re.search(r"\d+", str(error))
        raise _oversized(path, f"{int(count[0]) if count else 2 * MAX_PIXELS:,} pixels") from None
    except Exception as error:  # a damaged header makes Pillow's format readers raise almost anything
        raise (_damaged(path, error) if sniff(data[:16]) else _unidentified(data, path)) from error
    if image.width * image.height > MAX_PIXELS:
        raise _oversized(path, f"{image.width * image.height:,} pixels ({image.width} x {image.height})")
    return image


def _check_mode(image, path: Path) -> None:
    """Refuse pixels for which no conversion to 8-bit RGB is certain."""
    if image.mode == "F":
        fault = "float", "has floating-point pixels of unknown range: save it with 8 bits a colour"
    elif image.mode == "I" and image.format != "PNG":
        fault = "integer", "has 32-bit pixels of unknown range: save it with 8 or 16 bits a colour"
    elif image.mode not in _MODES and not image.mode.startswith("I"):
        fault = "mode", f"has pixels of kind {image.mode}, which are not converted: save it as RGB"
    else:
        return
    raise ImageError(path, *fault)


def _load(image, path: Path, note: Note):
    """The decoded picture, upright."""
    # The raw mode of what is to be decoded names the bits of each colour; it is gone after load().
    deep = ";16" in str(image.tile[:1]) and not image.mode.startswith("I")
    # A TIFF is turned by Pillow itself while it decodes; of a PNG the EXIF data may come after the pixels.
    turned = image.format == "TIFF" and _orientation(image) is not None
    try:
        many = image.format in _MANY_FRAMES and image.is_animated
        image.load()
    except Exception as error:  # a damaged body makes Pillow's decoders raise almost anything
        raise _damaged(path, error) from error
    orientation = _orientation(image)
    if many:
        note("animated", "has several frames or pages: the first is used")
    if deep:
        note("16-bit", "has 16-bit colours: the upper 8 bits are used")
    if turned or orientation is not None:
        note("rotated", "turned upright as its EXIF data say")
    return image if orientation is None else image.transpose(orientation)


def _orientation(image):
    """The transposition that turns the picture upright, or None."""
    turn = pillow_image().Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
        6: turn.ROTATE_270, 7: turn.TRANSVERSE, 8: turn.ROTATE_90,
    }  # fmt: skip
    try:
        return turns.get(image.getexif().get(_ORIENTATION_TAG))
    except Exception:  # broken EXIF data are common in good photos and say nothing about the pixels
        return None


def _to_rgb(image, note: Note):
    """An RGB picture of 8 bits a colour."""
    if image.mode.startswith("I"):
        return _grey16_to_rgb(image, note)
    if image.has_transparency_data:
        return _onto_white(image, note)
    if image.mode == "CMYK":
        note("cmyk", "converted from CMYK to RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey16_to_rgb(image, note: Note):
    """round(v / 257) maps 0..65535 onto 0..255; Pillow's own conversion would clip all above 255 to white."""
    note("16-bit", "has 16-bit grey pixels: divided by 257")
    grey = (np.asarray(image).astype(np.uint32) + 128) // 257
    return pillow_image().fromarray(grey.astype(np.uint8)).convert("RGB")


def _onto_white(image, note: Note):
    """The picture laid on white where it is transparent."""
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    alpha = rgba.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return rgba.convert("RGB")
    note("alpha", "has transparent pixels: laid on white")
    white = pillow_image().new("RGB", rgba.size, "white")
    white.paste(rgba, mask=alpha)
    return white


def _unidentified(data: bytes, path: Path) -> ImageError:
    found = sniff(data[:16])
    if found in FORMATS:
        return ImageError(path, "damaged", f"starts as {found} but its header is damaged: replace or remove it")
    found = found or "not a picture"
    return ImageError(path, "not-an-image", f"is {found}, not {FORMAT_LIST}: {what_to_do(found)}")


def _oversized(path: Path, found: str) -> ImageError:
    return ImageError(path, "oversized", f"has {found}, the limit is {MAX_PIXELS:,}: make it smaller")


def _damaged(path: Path, error: Exception) -> ImageError:
    reason = " ".join(str(error).split()) or type(error).__name__
    if "truncated" in reason.lower() or isinstance(error, EOFError):
        return ImageError(path, "truncated", f"is cut off ({reason}): copy it again or remove it")
    return ImageError(path, "damaged", f"cannot be decoded ({reason}): copy it again or remove it")
