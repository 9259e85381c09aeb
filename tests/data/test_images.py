"""Every kind of picture file: what its pixels become, to the integer, or the one line that refuses it."""

import hashlib
import io
import os
import struct
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minicnn.data import ImageError, ResizeRule, check_images, load_images, read_image
from minicnn.data import decode as decoding
from minicnn.data.decode import MAX_PIXELS, decode
from minicnn.errors import FileAccessError, MinicnnError, MissingExtraError
from minicnn.preparation.pillow import quiet_pillow

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def picture(mode, *pixels):
    """One row of pixels."""
    image = Image.new(mode, (len(pixels), 1))
    image.putdata(pixels)
    return image


def palette(*colours):
    image = Image.new("P", (len(colours), 1))
    image.putpalette([value for colour in colours for value in colour])
    image.putdata(range(len(colours)))
    return image


def grey16(*values):
    return Image.fromarray(np.array([values], np.uint16))


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(width, height, depth, colour, data):
    """A PNG by hand, of kinds that Pillow does not write."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def frames(form, **options):
    first, second = picture("RGB", RED, BLUE), picture("RGB", BLUE, RED)
    return encoded(first, form, save_all=True, append_images=[second], **options)


RGB = picture("RGB", (1, 2, 3), (250, 128, 0))
TRANSPARENT = picture("RGBA", (200, 100, 0, 128), (9, 9, 9, 0))
ON_WHITE = [(227, 177, 127), WHITE]
# (name, bytes of the file, pixels of its one row, kinds of the notes)
GOOD = [
    ("rgb png", encoded(RGB, "PNG"), [(1, 2, 3), (250, 128, 0)], []),
    ("rgb bmp", encoded(RGB, "BMP"), [(1, 2, 3), (250, 128, 0)], []),
    ("rgb webp", encoded(RGB, "WEBP", lossless=True), [(1, 2, 3), (250, 128, 0)], []),
    ("rgb tiff", encoded(RGB, "TIFF", compression="tiff_lzw"), [(1, 2, 3), (250, 128, 0)], []),
    ("one pixel", encoded(picture("RGB", (7, 8, 9)), "PNG"), [(7, 8, 9)], []),
    ("grey png", encoded(picture("L", 0, 77, 255), "PNG"), [(0,) * 3, (77,) * 3, WHITE], []),
    ("grey jpeg", encoded(picture("L", 128, 128), "JPEG"), [(128,) * 3] * 2, []),
    ("black and white", encoded(picture("1", 0, 1), "PNG"), [(0,) * 3, WHITE], []),
    ("palette png", encoded(palette(RED, (1, 2, 3)), "PNG"), [RED, (1, 2, 3)], []),
    ("palette gif", encoded(palette(RED, (1, 2, 3)), "GIF"), [RED, (1, 2, 3)], []),
    (
        "palette, one colour clear",
        encoded(palette(RED, BLUE), "PNG", transparency=1),
        [RED, WHITE],
        ["alpha"],
    ),
    ("gif, one colour clear", encoded(palette(RED, BLUE), "GIF", transparency=0), [WHITE, BLUE], ["alpha"]),
    (
        "palette of half-clear colours",
        encoded(palette((200, 100, 0), (9, 9, 9)), "PNG", transparency=b"\x80\x00"),
        ON_WHITE,
        ["alpha"],
    ),
    ("rgb, one colour clear", encoded(RGB, "PNG", transparency=(1, 2, 3)), [WHITE, (250, 128, 0)], ["alpha"]),
    ("grey and alpha", encoded(picture("LA", (100, 128), (5, 255)), "PNG"), [(177,) * 3, (5,) * 3], ["alpha"]),
    ("alpha png", encoded(TRANSPARENT, "PNG"), ON_WHITE, ["alpha"]),
    ("alpha tiff", encoded(TRANSPARENT, "TIFF"), ON_WHITE, ["alpha"]),
    ("alpha webp", encoded(TRANSPARENT, "WEBP", lossless=True, exact=True), ON_WHITE, ["alpha"]),
    ("opaque alpha", encoded(picture("RGBA", (1, 2, 3, 255)), "PNG"), [(1, 2, 3)], []),
    (
        "16-bit grey png",
        encoded(grey16(0, 128, 129, 257, 25700, 65535), "PNG"),
        [(v,) * 3 for v in (0, 0, 1, 1, 100, 255)],
        ["16-bit"],
    ),
    ("16-bit grey tiff", encoded(grey16(300, 32896), "TIFF"), [(1,) * 3, (128,) * 3], ["16-bit"]),
    (
        "16-bit colour png",
        png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 0x01FF, 0x8000, 0xFFFF)),
        [(1, 128, 255)],
        ["16-bit"],
    ),
    ("cmyk tiff", encoded(picture("CMYK", (255, 0, 0, 51)), "TIFF"), [(0, 204, 204)], ["cmyk"]),
    ("cmyk jpeg", encoded(picture("CMYK", (0, 0, 0, 0)), "JPEG", quality=100), [WHITE], ["cmyk"]),
    ("animated gif", frames("GIF"), [RED, BLUE], ["animated"]),
    ("animated webp", frames("WEBP", lossless=True), [RED, BLUE], ["animated"]),
    ("animated png", frames("PNG"), [RED, BLUE], ["animated"]),
    ("tiff of two pages", frames("TIFF"), [RED, BLUE], ["animated"]),
    (
        "second picture of a phone",
        encoded(picture("L", 128), "MPO", save_all=True, append_images=[picture("L", 1)]),
        [(128,) * 3],
        [],
    ),
]


def write(folder: Path, data: bytes, name="file.png") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("data", "pixels", "kinds"), [case[1:] for case in GOOD], ids=[c[0] for c in GOOD])
def test_good_file(tmp_path, data, pixels, kinds):
    path = write(tmp_path, data)
    array, notes, sha256 = read_image(path)
    assert array.dtype == np.uint8
    assert array.tolist() == [[list(colour) for colour in pixels]]
    assert [note.kind for note in notes] == kinds
    assert all(note.path == path and "\n" not in str(note) for note in notes)
    assert sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, form, orientation):
    """A picture without any symmetry is stored turned, reading turns it back; JPEG keeps blocks of 8 pixels."""
    upright = np.array([[0, 255, 255], [0, 0, 0]], np.uint8)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    blocks = Image.fromarray(np.kron(stored, np.ones((8, 8), np.uint8)))
    options = {"lossless": True} if form == "WEBP" else {}
    path = write(tmp_path, encoded(blocks, form, exif=exif, **options))
    array, notes, _ = read_image(path)
    assert np.array_equal(array, np.kron(upright[..., None], np.ones((8, 8, 3), np.uint8)))
    assert [note.kind for note in notes] == (["rotated"] if orientation > 1 else [])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_broken_exif_is_no_reason_to_refuse(tmp_path, form):
    path = write(tmp_path, encoded(picture("L", 128), form, exif=b"Exif\0\0garbage"))
    array, notes, _ = read_image(path)
    assert array.tolist() == [[[128] * 3]]
    assert notes == ()


BANDS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))


def cut(form):
    data = encoded(BANDS, form)
    return data[: len(data) // 2]


def broken_header():
    data = bytearray(encoded(RGB, "PNG"))
    data[20] ^= 1
    return bytes(data)


BAD = [
    ("cut-off jpeg", cut("JPEG"), "truncated"),
    ("cut-off png", cut("PNG"), "truncated"),
    ("cut-off gif", cut("GIF"), "truncated"),
    ("cut-off bmp", cut("BMP"), "truncated"),
    ("cut-off tiff", cut("TIFF"), ("truncated", "damaged")),
    ("cut-off webp", cut("WEBP"), ("truncated", "damaged")),
    ("header with a wrong checksum", broken_header(), "damaged"),
    ("jpeg of three bytes", b"\xff\xd8\xff", "damaged"),
    ("empty", b"", "empty"),
    ("page of a web site", b"\n<!DOCTYPE html><html>not found</html>", "not-an-image"),
    ("drawing", b"\xef\xbb\xbf<svg/>", "not-an-image"),
    ("pdf", b"%PDF-1.4", "not-an-image"),
    ("heic", b"\0\0\0\x18ftypheic\0\0\0\0", "not-an-image"),
    ("text", b"hello", "not-an-image"),
    ("text that begins as a bmp", b"BMW and Opel are makers of cars\n", "not-an-image"),
    ("ppm", encoded(RGB, "PPM"), "not-an-image"),
    ("ico", encoded(BANDS, "ICO"), "not-an-image"),
    ("float tiff", encoded(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF"), "float"),
    ("32-bit tiff", encoded(Image.fromarray(np.ones((2, 2), np.int32)), "TIFF"), "integer"),
    ("lab tiff", encoded(Image.new("LAB", (2, 2)), "TIFF"), "mode"),
    ("more than 120 million pixels", png(10955, 10955, 1, 0, bytes(10)), "oversized"),
    ("Pillow would warn", png(12000, 12000, 1, 0, bytes(1501)), "oversized"),
    ("Pillow would refuse", png(20000, 20000, 1, 0, bytes(10)), "oversized"),
]


@pytest.mark.parametrize(("data", "kind"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_file(tmp_path, data, kind):
    path = write(tmp_path, data, "a\nb.jpg")
    with pytest.raises(ImageError) as caught:
        read_image(path, size=8)
    problem, message = caught.value.problem, str(caught.value)
    assert problem.path == path
    assert problem.kind in ((kind,) if isinstance(kind, str) else kind)
    assert message.startswith(str(tmp_path) + "/a\\nb.jpg: ")
    assert message.isprintable()
    assert ": " in problem.message, "the remedy follows a colon"
    assert check_images([path]) == ((problem,), ())


def test_oversized_names_both_numbers(tmp_path):
    for side in (10955, 12000, 20000):
        with pytest.raises(ImageError) as caught:
            read_image(write(tmp_path, png(side, side, 1, 0, b"")))
        assert f"{side * side:,} pixels" in str(caught.value)
        assert f"{MAX_PIXELS:,}" in str(caught.value)


def test_a_picture_of_108_megapixels_is_read(tmp_path):
    path = write(tmp_path, png(12000, 9000, 1, 0, (b"\0" + bytes(750) + bytes([255] * 750)) * 9000))
    pixels = read_image(path, size=(3, 4)).pixels
    assert pixels.shape == (3, 4, 3)
    assert np.all(pixels[:, 0] == 0)
    assert np.all(pixels[:, 3] == 255)


@pytest.mark.parametrize(
    ("form", "options", "apart"),
    [
        ("PNG", {}, True),
        ("JPEG", {}, False),  # decoded at an eighth of its size
        ("JPEG", {"progressive": True}, True),  # libjpeg keeps all of it whatever the size it is decoded at
    ],
)
def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch, form, options, apart):
    """In threads of their own, one after another: see `_one_at_a_time`."""
    monkeypatch.setattr("minicnn.data.decode._LARGE_PIXELS", 100_000)
    threads, running = [], []
    convert = decoding._to_rgb

    def watched(image, note):
        running.append(image)
        threads.append((threading.current_thread().name, len(running)))
        time.sleep(0.01)
        running.remove(image)
        return convert(image, note)

    monkeypatch.setattr("minicnn.data.decode._to_rgb", watched)
    path = write(tmp_path, encoded(Image.new("RGB", (400, 400), RED), form, **options))
    loaded = load_images([path] * 6, ResizeRule(8), threads=3)
    assert np.all(loaded.images[..., 1:] < 2)
    assert {name.startswith("large-picture") for name, _ in threads} == {apart}
    if apart:
        assert {count for _, count in threads} == {1}


def test_a_large_picture_that_is_damaged_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("minicnn.data.decode._LARGE_PIXELS", 10)
    with pytest.raises(ImageError, match="is cut off"):
        read_image(write(tmp_path, cut("PNG")), size=8)


def test_what_is_not_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, kind in [("", "not-a-file"), ("pipe.jpg", "not-a-file"), ("no.jpg", "missing"), ("\0", "unreadable")]:
        with pytest.raises(ImageError) as caught:
            read_image(tmp_path / name)
        assert caught.value.problem.kind == kind
    with pytest.raises(FileAccessError, match=r"no\.jpg: no such file: check the path"):
        read_image(tmp_path / "no.jpg")


def test_file_of_too_many_bytes(tmp_path):
    path = tmp_path / "big.bmp"
    with open(path, "wb") as file:
        file.truncate(600 * 2**20)
    with pytest.raises(ImageError, match="629,145,600 bytes, the limit is 536,870,912"):
        read_image(path)


@pytest.mark.parametrize("size", [(20000, 1), (1, 20000)])
@pytest.mark.parametrize("method", ["stretch", "crop", "pad"])
def test_extreme_proportions(tmp_path, size, method):
    path = write(tmp_path, encoded(Image.new("RGB", size, RED), "PNG"))
    pixels = read_image(path, size=(5, 7), resize=method).pixels
    assert pixels.shape == (5, 7, 3)
    red = np.all(pixels == RED, axis=2)
    if method == "pad":
        assert red.sum() == max(pixels.shape[:2]) - (2 if size[1] > 1 else 0)
    else:
        assert red.all()


@pytest.mark.parametrize(
    ("size", "said"),
    [((1, 1), ["enlarged from 1 x 1"]), ((300, 2), ["enlarged from 300 x 2"]), ((7, 9), ["enlarged from 7 x 9"]),
     ((8, 8), []), ((300, 300), [])],
)  # fmt: skip
def test_a_picture_that_is_enlarged_more_than_8_times_is_noted(tmp_path, size, said):
    path = write(tmp_path, encoded(Image.new("RGB", size, RED), "PNG"))
    assert [note.message for note in read_image(path, size=64).notes] == said
    assert read_image(path).notes == ()


def test_large_jpeg_is_decoded_small(tmp_path):
    """Decoding at a quarter (twice the target and more) changes no pixel by more than 1; at an eighth, by 3."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((1024, 768), Image.Resampling.BICUBIC)
    path = write(tmp_path, encoded(smooth, "JPEG", quality=95))
    whole = ResizeRule(64).apply_to_array(read_image(path).pixels)
    small = read_image(path, size=64).pixels
    difference = np.abs(whole.astype(int) - small)
    assert difference.max() == 1


@settings(max_examples=200)
@given(st.data())
def test_damage_never_escapes(data):
    """Bytes changed or cut off anywhere: pixels or a MinicnnError, nothing else."""
    _, original, *_ = data.draw(st.sampled_from(GOOD))
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(1, len(damaged))) :]
    try:
        with quiet_pillow():
            pixels, _ = decode(bytes(damaged), Path("x.png"))
    except MinicnnError as error:
        pixels, refusal = np.zeros((1, 1, 3), np.uint8), str(error)
    else:
        refusal = ""
    assert refusal.isprintable()
    assert pixels.dtype == np.uint8
    assert pixels.shape[2:] == (3,)


def test_without_pillow(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"Pillow.*pip install Pillow"):
        read_image(tmp_path / "x.png")
