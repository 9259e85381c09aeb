"""What layers with a sliding window share: sizes along one, two or three axes, padding, and the shapes that follow."""

from numbers import Integral
from typing import Any, ClassVar

from minicnn.arguments import whole_number
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.kernels import Pair, output_size, pair, same_padding

from .activations import activate
from .data_format import Spatial, check_data_format
from .layer import Layer
from .symbolic import Shape

Sizes = tuple[int, ...]
VALID = (0, 0)
LONGEST = 2**16  # pixels of a window or a step; beyond all pictures
HOW_MANY = {1: "a list of one", 2: "two", 3: "three"}


class WindowLayer(Spatial):
    """Base of the layers that slide a window over (N,T,C), (N,H,W,C) or (N,D,H,W,C), which `input_rank` says."""

    input_rank = 4
    causal: ClassVar[bool] = False  # whether padding="causal" is one of its paddings
    kernel_size: Sizes
    strides: Sizes
    dilation_rate: Sizes
    padding: str
    activation: str | Layer

    @property
    def fused(self) -> str:
        """The activation, where the operation applies it; another one needs its outputs as they leave the layer."""
        along_the_last_axis = self.data_format == "channels_first" and self.activation in ("softmax", "log_softmax")
        return "linear" if isinstance(self.activation, Layer) or along_the_last_axis else self.activation

    def run(self, arguments: tuple[Any, ...], training: bool, **finishing: str) -> Any:
        y = super().run(arguments, training, **finishing)
        return y if self.activation == self.fused else activate(y, self.activation)

    @property
    def rank(self) -> int:
        """Number of axes that the window slides along."""
        return rank_of(self)

    def _set_window(self, kernel_size: Any, strides: Any, padding: Any, dilation_rate: Any, data_format: Any) -> None:
        self.kernel_size = checked_sizes(self, "kernel_size", kernel_size)
        self.strides = checked_sizes(self, "strides", strides)
        self.dilation_rate = checked_sizes(self, "dilation_rate", dilation_rate)
        self.padding = check_padding(padding, self.name, self.causal)
        self.data_format = check_data_format(data_format, self.name)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise UnsupportedError(f"layer {self.name}: strides {self.strides} with dilation {self.dilation_rate}")

    def _count(self, argument: str, value: Any) -> int:
        return whole_number(f"layer {self.name}", argument, value, 1)

    def _sides(self, shape: Shape) -> tuple[int | None, ...]:
        """Number of window positions along each axis."""
        axes = zip(shape[1:-1], self.kernel_size, self.strides, self.dilation_rate)
        return tuple(side_outputs(*axis, self.padding) for axis in axes)

    def working_shape(self, input_shape: Shape) -> Shape:
        return padded_shape(input_shape, self.kernel_size, self.strides, self.dilation_rate, self.padding)


def rank_of(layer: Layer) -> int:
    """Number of axes between batch and channels."""
    return (layer.input_rank or 4) - 2


def checked_sizes(layer: Layer, argument: str, value: Any, least: int = 1, rank: int = 0) -> Sizes:
    """A size for each of `rank` axes, or of those between batch and channels; the argument may be one number for all.

    Raises
    ------
    ArgumentError
        Not whole numbers, another number of them, or one that is out of reach.
    """
    rank = rank or rank_of(layer)
    sizes = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    whole = all(isinstance(v, Integral) and not isinstance(v, bool) and int(v) >= least for v in sizes)
    if len(sizes) != rank or not whole:
        many = HOW_MANY[rank]
        raise ArgumentError(
            f"layer {layer.name}: {argument} must be a whole number or {many}, of at least {least}; it is {value!r}"
        )
    if max(sizes) > LONGEST:
        raise ArgumentError(f"layer {layer.name}: {argument} must be at most {LONGEST}; it is {value!r}")
    return tuple(map(int, sizes))


def checked_sides(layer: Layer, argument: str, value: Any) -> tuple[Pair, ...]:
    """(before, after) of each axis, from one number for all sides, one for each axis, or a pair for each."""
    rank, owner = rank_of(layer), f"layer {layer.name}: {argument}"
    sides = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    if len(sides) != rank:
        many = HOW_MANY[rank]
        raise ArgumentError(f"{owner} must be one number, {many}, or {many} pairs; it is {value!r}")
    return tuple(pair(side, owner, least=0) for side in sides)


def padding_of(size: int, taps: int, stride: int, dilation: int, padding: str) -> Pair:
    """(before, after) along one axis: "causal" pads before alone, so that no output sees what comes after it."""
    if padding == "same":
        return same_padding(size, taps, stride, dilation)
    return ((taps - 1) * dilation, 0) if padding == "causal" else VALID


def side_outputs(size: int | None, taps: int, stride: int, dilation: int, padding: str) -> int | None:
    """Number of window positions along one side; None where the side is not known."""
    if size is None:
        return None
    return output_size(size, taps, stride, dilation, padding_of(size, taps, stride, dilation, padding))


def padded_shape(shape: Shape, taps: Sizes, strides: Sizes, dilation: Sizes, padding: str) -> Shape:
    """Shape of the images with the zeros that "same" or "causal" puts around them."""
    axes = zip(shape[1:-1], taps, strides, dilation)
    sides = (None if n is None else n + sum(padding_of(n, k, s, d, padding)) for n, k, s, d in axes)
    return (shape[0], *sides, shape[-1])


def check_padding(padding: Any, name: str, causal: bool = False) -> str:
    """ "valid" or "same", or "causal" for some layers of sequences."""
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    if str(padding).lower() not in known:
        raise ArgumentError(f"layer {name}: padding must be {' or '.join(map(repr, known))}; it is {padding!r}")
    return str(padding).lower()
