"""Layers that make one tensor of several."""

from functools import reduce
from typing import Any

import numpy as np

from minicnn import ops
from minicnn.arguments import number, switch
from minicnn.autograd import Tensor
from minicnn.errors import ArgumentError, ShapeError

from .layer import Layer, checked_axis, plain_axis
from .masks import either
from .symbolic import Shape

SHORTEST = 1e-7  # what Dot takes for the length of a shorter vector, as Keras


class _Merge(Layer):
    """Base of the elementwise merges; shapes broadcast, batch axes are equal."""

    supports_masking = True

    def check_input(self, shape: Any) -> None:
        if not isinstance(shape, list) or not shape:
            raise ShapeError(f"layer {self.name} ({type(self).__name__}) takes a list of tensors; got shape {shape}")

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        return reduce(self._broadcast, input_shape)

    def compute_mask(self, inputs: list[Tensor], mask: list[Any]) -> Any:
        return either(mask)

    def _broadcast(self, a: Shape, b: Shape) -> Shape:
        if len(a) != len(b) or any(m != n and None not in (m, n) and 1 not in (m, n) for m, n in zip(a, b)):
            raise ShapeError(f"layer {self.name} ({type(self).__name__}): shapes {a} and {b} do not broadcast together")
        return tuple(n if m == 1 or (m is None and n not in (None, 1)) else m for m, n in zip(a, b))


class Add(_Merge):
    """y = the sum of the inputs.

    >>> from minicnn.layers import Add, Input
    >>> Add()([Input((4, 4, 8)), Input((1, 1, 8))]).shape
    (None, 4, 4, 8)
    """

    def call(self, inputs: list[Tensor], training: bool, activation: str | None = None) -> Tensor:
        if len(inputs) == 2:
            return ops.add(inputs[0], inputs[1], activation)
        y = reduce(ops.add, inputs)
        return y if activation is None else ops.activation(y, activation)


class CustomScaleLayer(_Merge):
    """y = a + scale b: a shortcut a, and a branch b that is made smaller before it joins (InceptionResNetV2).

    >>> import numpy as np
    >>> from minicnn.layers import CustomScaleLayer
    >>> CustomScaleLayer(0.5)([np.float32([[1.0]]), np.float32([[4.0]])]).numpy()
    array([[3.]], dtype=float32)
    """

    module = "keras.src.applications.inception_resnet_v2"

    def __init__(self, scale: float, **options: Any):
        super().__init__(**options)
        self.scale = number(f"layer {self.name}", "scale", scale, "(-inf, inf)")

    def check_input(self, shape: Any) -> None:
        super().check_input(shape)
        if len(shape) != 2:
            raise ShapeError(f"layer {self.name} (CustomScaleLayer) takes two tensors; got {len(shape)}")

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        return inputs[0] + inputs[1] * self.scale


class Subtract(_Merge):
    """y = the first input minus the second."""

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        if len(inputs) != 2:
            raise ShapeError(f"layer {self.name}: Subtract takes two inputs; got {len(inputs)}")
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """y = the product of the inputs."""

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        return reduce(ops.multiply, inputs)


class Average(_Merge):
    """y = the mean of the inputs."""

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        return reduce(ops.add, inputs) * (1.0 / len(inputs))


class Maximum(_Merge):
    """y = the largest of the inputs."""

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        return reduce(ops.maximum, inputs)


class Minimum(_Merge):
    """y = the smallest of the inputs."""

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        return reduce(ops.minimum, inputs)


class Concatenate(_Merge):
    """y = the inputs one after another along an axis.

    >>> from minicnn.layers import Concatenate, Input
    >>> Concatenate()([Input((4, 4, 8)), Input((4, 4, 2))]).shape
    (None, 4, 4, 10)
    """

    def __init__(self, axis: int = -1, **options: Any):
        super().__init__(**options)
        self.axis = plain_axis(axis)

    def check_input(self, shape: Any) -> None:
        super().check_input(shape)
        if checked_axis(self, self.axis, shape[0]) == 0:
            raise ShapeError(
                f"layer {self.name} (Concatenate): axis {self.axis} of {shape[0]} is that of the samples, of which "
                "prediction takes a batch at a time; join another axis, or the arrays outside the model"
            )

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        return ops.concatenate(inputs, self.axis)

    def compute_mask(self, inputs: list[Tensor], mask: list[Any]) -> Any:
        if checked_axis(self, self.axis, inputs[0].shape) != 1:
            return either(mask)
        every = (ops.unlike(x, np.nan, any_of_last=True) if m is None else m for m, x in zip(mask, inputs))
        return ops.concatenate(list(every), 1)  # (nothing is like NaN: a sequence without a mask keeps all steps)

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        first = list(input_shape[0])
        axis = checked_axis(self, self.axis, input_shape[0])
        for shape in input_shape[1:]:
            pairs = list(zip(first, shape))
            del pairs[axis]
            if len(shape) != len(first) or any(m != n and None not in (m, n) for m, n in pairs):
                raise ShapeError(f"layer {self.name}: shapes {input_shape} cannot be concatenated along axis {axis}")
        sizes = [shape[axis] for shape in input_shape]
        first[axis] = None if None in sizes else sum(size for size in sizes if size is not None)
        return tuple(first)


class Dot(Layer):
    """y (N,...): for each sample, the sums of products along an axis of the first input and one of the second.

    With `normalize` both have length 1 along their axis: y is then the cosine of their angle.

    >>> from minicnn.layers import Dot, Input
    >>> Dot(axes=(2, 1))([Input((3, 4)), Input((4, 5))]).shape
    (None, 3, 5)
    """

    def __init__(self, axes: Any, normalize: bool = False, **options: Any):
        super().__init__(**options)
        self.axes = plain_axis(axes)
        both = self.axes if isinstance(self.axes, list) else [self.axes] * 2
        if len(both) != 2 or not all(isinstance(axis, int) and not isinstance(axis, bool) for axis in both):
            raise ArgumentError(f"layer {self.name}: axes must be a whole number or two; it is {axes!r}")
        self.normalize = switch(f"layer {self.name}", "normalize", normalize)

    def check_input(self, shape: Any) -> None:
        if not isinstance(shape, list) or len(shape) != 2:
            raise ShapeError(f"layer {self.name} (Dot) takes a list of two tensors; got shape {shape}")
        first, second = self._places(shape)
        sizes = shape[0][first], shape[1][second]
        if 0 in (first, second) or (sizes[0] != sizes[1] and None not in sizes):
            raise ShapeError(f"layer {self.name} (Dot): {shape} have no product of samples along the axes {self.axes}")

    def _places(self, shape: list[Shape]) -> tuple[int, int]:
        """The axes, counted from the first."""
        both = self.axes if isinstance(self.axes, list) else [self.axes] * 2
        return checked_axis(self, both[0], shape[0]), checked_axis(self, both[1], shape[1])

    def call(self, inputs: list[Tensor], training: bool) -> Tensor:
        axes = self._places([x.shape for x in inputs])
        if self.normalize:
            inputs = [ops.unit_norm(x, (axis,), SHORTEST) for x, axis in zip(inputs, axes)]
        return ops.batch_dot(inputs[0], inputs[1], axes)

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        axes = self._places(input_shape)
        rest = [n for shape, axis in zip(input_shape, axes) for i, n in enumerate(shape) if i not in (0, axis)]
        return (input_shape[0][0], *(rest or [1]))
