"""How a picture of any shape becomes one of the size that the network takes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minicnn.errors import ArgumentError, ShapeError
from minicnn.preparation.pillow import pillow_image

METHODS = ("stretch", "crop", "pad")
_MAX_SIDE = 10_000


@dataclass(frozen=True)
class ResizeRule:
    """The size and the way to reach it; saved with a model, so that prediction repeats it exactly.

    With source (h, w) and target (H, W):

    - `stretch`: to (H, W) at once; the proportions change.
    - `crop`: the centred box of shape (H, W)·s with s = ratio·min(h/H, w/W) is resized to (H, W). It is the
      shorter side resized to 1/ratio of the target, then the centre cut out, without rounding in between.
      ImageNet's 256-then-224 is ratio = 0.875.
    - `pad`: resized by min(H/h, W/w), each side rounded to at least 1 pixel, and centred on black.

    All three use Pillow's bilinear filter, which averages over the pixels it leaves out when it makes a
    picture smaller.

    Parameters
    ----------
    size
        (H, W) in pixels, or one number for both.
    method
        `"stretch"`, `"crop"` or `"pad"`.
    ratio
        For `crop`, the part of the largest possible box that is kept: above 0, at most 1.

    Raises
    ------
    ArgumentError
        A size below 1, an unknown method, a ratio that is out of range or given to another method.

    Examples
    --------
    >>> ResizeRule(224, "crop", ratio=0.875).to_dict()
    {'size': [224, 224], 'method': 'crop', 'ratio': 0.875}
    """

    size: int | Sequence[int]
    method: str = "crop"
    ratio: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "size", _height_width(self.size))  # frozen, but one form of size compares equal
        if self.method not in METHODS:
            raise ArgumentError(f"resize method {self.method!r} is unknown; use one of {', '.join(METHODS)}")
        if not isinstance(self.ratio, int | float) or not 0 < self.ratio <= 1:
            raise ArgumentError(f"resize ratio must be above 0 and at most 1, got {self.ratio!r}")
        if self.ratio != 1 and self.method != "crop":
            raise ArgumentError(f"resize ratio {self.ratio} belongs to method 'crop', not {self.method!r}")

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return _height_width(self.size)

    def to_dict(self) -> dict[str, Any]:
        """The rule as plain JSON values."""
        return {**asdict(self), "size": list(self.shape)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ResizeRule":
        """The rule that `to_dict` wrote."""
        if not isinstance(values, Mapping) or set(values) != {"size", "method", "ratio"}:
            raise ArgumentError(f"a resize rule has 'size', 'method' and 'ratio', got {values!r}")
        return cls(**values)

    def apply(self, image):
        """A Pillow picture of the rule's size from a Pillow picture of any size."""
        bilinear = pillow_image().Resampling.BILINEAR
        height, width = self.shape
        if self.method == "pad":
            return self._pad(image, bilinear)
        box = self._centre_box(image.size) if self.method == "crop" else None
        return image.resize((width, height), bilinear, box=box)

    def enlargement(self, source: tuple[int, int]) -> float:
        """How many times the side of a picture (width, height) grows; below 1 it shrinks."""
        height, width = self.shape
        across, down = width / source[0], height / source[1]
        return min(across, down) if self.method == "pad" else max(across, down) / self.ratio

    def apply_to_array(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (H', W', 3) -> uint8 (H, W, 3), the same numbers as for a file with these pixels."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ShapeError(f"a picture is uint8 (H, W, 3), got {pixels.dtype} {pixels.shape}")
        (h, w), (height, width) = pixels.shape[:2], self.shape
        image_module = pillow_image(f"resizing a picture of {h} × {w} pixels to {height} × {width}")
        return np.array(self.apply(image_module.fromarray(pixels)))

    def _centre_box(self, source: tuple[int, int]) -> tuple[float, float, float, float]:
        (width, height), (target_height, target_width) = source, self.shape
        scale = self.ratio * min(width / target_width, height / target_height)
        left, top = (width - target_width * scale) / 2, (height - target_height * scale) / 2
        # max(): a rounding error may carry the box beyond the picture, which Pillow refuses.
        left, top = max(left, 0), max(top, 0)
        return left, top, width - left, height - top

    def _pad(self, image, bilinear):
        height, width = self.shape
        scale = min(width / image.width, height / image.height)
        inner_width = max(1, round(image.width * scale))
        inner_height = max(1, round(image.height * scale))
        canvas = pillow_image().new("RGB", (width, height))
        corner = (width - inner_width) // 2, (height - inner_height) // 2
        canvas.paste(image.resize((inner_width, inner_height), bilinear), corner)
        return canvas


def _height_width(size: int | Sequence[int]) -> tuple[int, int]:
    pair = tuple(size) if isinstance(size, Sequence) else (size, size)
    whole = all(isinstance(side, int | np.integer) and not isinstance(side, bool) for side in pair)
    if len(pair) != 2 or not whole or not all(1 <= side <= _MAX_SIDE for side in pair):
        raise ArgumentError(f"picture size must be one number or (height, width), 1 to {_MAX_SIDE}, got {size!r}")
    return int(pair[0]), int(pair[1])
