"""Layers of images whose channels lie last, (N,H,W,C), or first, (N,C,H,W), as their `data_format` says.

Inside everything has channels last: a layer with "channels_first" moves the channels of its inputs behind the other
axes, and those of its outputs back.  Prediction leaves out the moves that undo each other (models/plan/axes.py).
"""

from __future__ import annotations

from typing import Any, ClassVar

from minicnn import ops
from minicnn.arguments import one_of
from minicnn.autograd import Tensor

from .layer import Layer
from .symbolic import Shape, map_arguments

FORMATS = ("channels_last", "channels_first")


class Spatial(Layer):
    """Base of the layers with a `data_format`.

    Of what subclasses define, `call`, `shape_after` and `working_shape` see channels last whatever the format is;
    `build` and all that others call see the layer's own.
    """

    data_format: str = "channels_last"
    first: ClassVar[int] = 1  # the axis that "channels_first" means

    def shape_after(self, input_shape: Any) -> Any:
        """`compute_output_shape` with channels last."""
        return input_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        return _of_shapes(self._forward, self.shape_after(self.inner_shape(input_shape)))

    def inner_shape(self, shape: Any) -> Any:
        return _of_shapes(self._back, shape)

    def known_channels(self, input_shape: Shape, axis: int = -1) -> int:
        return super().known_channels(input_shape, self.first if self.data_format == "channels_first" else axis)

    def run(self, arguments: tuple[Any, ...], training: bool, **finishing: str) -> Any:
        if self.data_format == "channels_last":
            return super().run(arguments, training, **finishing)
        outputs = super().run(map_arguments(arguments, lambda x: self._moved(x, self._back)), training, **finishing)
        return map_arguments(outputs, lambda y: self._moved(y, self._forward))

    def _moved(self, x: Any, move: Any) -> Any:
        """A tensor with its axes as `move` orders those of a shape; its mask, of steps, stays."""
        if not isinstance(x, Tensor) or (order := move(tuple(range(x.ndim)))) == tuple(range(x.ndim)):
            return x
        y = ops.permute(x, order[1:])
        y.mask = x.mask
        return y

    def _back(self, sizes: Shape) -> Shape:
        """Sizes, or axes, with that of the channels moved from its place to the end; rows (N,C) stay."""
        if self.data_format == "channels_last" or len(sizes) < 3:
            return sizes
        place = self.first % len(sizes)
        return (*sizes[:place], *sizes[place + 1 :], sizes[place])

    def _forward(self, sizes: Shape) -> Shape:
        """Sizes, or axes, with that of the channels moved from the end to its place."""
        if self.data_format == "channels_last" or len(sizes) < 3:
            return sizes
        place = self.first % len(sizes)
        return (*sizes[:place], sizes[-1], *sizes[place:-1])


def _of_shapes(move: Any, shape: Any) -> Any:
    """A shape moved, or each of a list."""
    return [move(tuple(one)) for one in shape] if isinstance(shape, list) else move(tuple(shape))


def check_data_format(data_format: Any, name: str) -> str:
    """One of FORMATS; None is "channels_last"."""
    return "channels_last" if data_format is None else one_of(f"layer {name}", "data_format", data_format, FORMATS)
