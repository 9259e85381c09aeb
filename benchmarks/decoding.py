"""What reading a JPEG file costs, and what decoding at half size would change: results/decoding.json.

    python -m benchmarks.decoding PHOTOS MOBILENET.h5

`minicnn.data` lets libjpeg leave out frequencies of large pictures only, down to twice the target (decode.py).  `half`
is what it would be to go down to the target itself: for a photo of 640 pixels and a net of 224, half the size.  Seconds
are of one thread; how features change is measured on the pictures as they are, at half their side, beside what it
changes to save them again at quality 75.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from minicnn.data import ResizeRule, scan_folder
from minicnn.transfer import load_base

from .data_loading import LONGER_SIDE, SIZE, enlarged
from .measuring import command_line, conclude

WHOLE = 10**6  # a request that no picture is larger than


def opened(data: bytes, least: int) -> Image.Image:
    """The picture, decoded at the smallest of libjpeg's sizes with sides of `least` or more."""
    image = Image.open(io.BytesIO(data))
    image.draft(None, (least, least))
    return image.convert("RGB")


def again(data: bytes, quality: int) -> bytes:
    """The picture saved once more."""
    file = io.BytesIO()
    opened(data, WHOLE).save(file, "JPEG", quality=quality)
    return file.getvalue()


def seconds(work: Callable[[Any], Any], things: Sequence[Any], rounds: int) -> float:
    """Of one thing: the fastest of the rounds over all of them."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for thing in things:
            work(thing)
        times.append(time.perf_counter() - begun)
    return min(times) / len(things)


def reading(files: Sequence[bytes], rounds: int) -> dict[str, dict[str, float]]:
    """Seconds to decode a file, and to bring it to the size of the net, of each way."""
    rule, found = ResizeRule(SIZE), {}
    for way, least in (("whole", WHOLE), ("half", SIZE)):
        images = [opened(data, least) for data in files]
        decode = seconds(lambda data, least=least: opened(data, least), files, rounds)
        found[way] = {"decode": decode, "resize": seconds(rule.apply, images, rounds)}
    return found


def changes(files: Sequence[bytes], weights: Path) -> dict[str, float]:
    """Median relative L2 difference of features from those of pictures that are decoded whole."""
    side = min(Image.open(io.BytesIO(data)).size[0] for data in files) // 2
    base, rule = load_base("mobilenet", weights, size=side), ResizeRule(side)

    def features(files: Sequence[bytes], least: int) -> np.ndarray:
        pictures = np.stack([np.asarray(rule.apply(opened(data, least))) for data in files])
        return base.model.predict(base.preparation(pictures))

    whole = features(files, WHOLE)
    others = {"half": features(files, side), "quality 75": features([again(data, 75) for data in files], WHOLE)}
    return {
        name: statistics.median((np.linalg.norm(f - whole, axis=1) / np.linalg.norm(whole, axis=1)).tolist())
        for name, f in others.items()
    }


def main(argv: list[str] | None = None) -> int:
    parser = command_line("decoding", __doc__)
    parser.add_argument("photos", type=Path, help="folder of JPEG files, a class a folder")
    parser.add_argument("mobilenet", type=Path, help="weights of MobileNet (.h5)")
    parser.add_argument("--images", type=int, default=64, help="how many of them (default 64)")
    parser.add_argument("--rounds", type=int, default=5, help="of each way (default 5)")
    options = parser.parse_args(argv)
    with enlarged(options.photos, options.images) as large:
        found = reading([file.read_bytes() for file in large.files], options.rounds)
    folder = scan_folder(options.photos)
    step = max(1, len(folder) // options.images)
    changed = changes([file.read_bytes() for file in folder.files[::step]], options.mobilenet)
    result = {"images": options.images, "longer_side": LONGER_SIDE, "size": SIZE, "ways": found, "changes": changed}
    return conclude("decoding", result, options.out)


if __name__ == "__main__":
    sys.exit(main())
