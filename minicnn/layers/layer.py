"""Layer: a named operation with weights, called on tensors, or on symbolic tensors to describe a model."""

from __future__ import annotations

import inspect
from functools import cache
from math import prod
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from minicnn import kernels
from minicnn.autograd import Parameter, Tensor, cast
from minicnn.errors import ArgumentError, DTypeError, GraphError, ShapeError

from . import initializers, masks, regularizers
from .keras_arguments import take_harmless, take_shape, unknown_arguments
from .naming import automatic_name
from .symbolic import Node, Shape, SymbolicTensor, map_arguments, symbolic_tensors

DTYPES = ("float32", "float64")
MOST = 2**31  # numbers of a weight, or of a sample between layers: 8 GiB in float32


class Layer:
    """Base of all layers.

    A subclass keeps the arguments of its constructor as attributes of the same names, makes its weights in
    `build(input_shape)`, says what it computes in `call(inputs, training)` with operations on tensors, and what shape
    comes out in `compute_output_shape(input_shape)`.

    Parameters
    ----------
    name : a name; made as Keras makes them when None
    trainable : whether training changes the weights; read at every step, never copied
    dtype : "float32" or "float64"; mixed policies compute in float32, which is at least as exact
    input_shape : shape of one sample, when this is the first layer of a Sequential
    others : arguments of Keras' that change nothing here (keras_arguments.py)

    Attributes
    ----------
    weights, trainable_weights, non_trainable_weights : lists of Parameters
    """

    option_changes: ClassVar[int] = 0  # how often an option of a layer that is in use was set; plans are made anew then
    module: ClassVar[str] = "keras.layers"  # where Keras has the class
    deterministic: bool = True  # whether training=True gives what training=False gives
    input_rank: int | None = None  # number of axes of an input, batch included
    supports_masking: ClassVar[bool] = False  # whether outputs take over the masks of inputs (masks.py)
    makes_mask: bool = False  # whether outputs have masks of their own
    parts: ClassVar[dict[str, str]] = {}  # attributes that hold layers of its own, by their groups in Keras 3 files
    weights_group: ClassVar[str] = ""  # where in its group of a Keras 3 file the weights are

    def __init__(
        self,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        input_shape: Shape | None = None,
        **others: Any,
    ):
        kind = type(self).__name__
        implied_shape = take_shape(others)
        input_shape = implied_shape if input_shape is None else input_shape
        take_harmless(others)
        if others:
            known = {*constructor_arguments(type(self)), "name", "trainable", "dtype", "input_shape"}
            raise ArgumentError(f"{kind} does not take {unknown_arguments(others, known)}")
        if not isinstance(name, str | None):
            raise ArgumentError(f"{kind}: name must be a text; it is {name!r}")
        self.name = name or automatic_name(type(self).__name__)
        self.dtype = resolve_dtype(dtype, self.name)
        self.input_shape_argument = None if input_shape is None else tuple(input_shape)
        self.built = False
        self.channels: int | None = None  # of the input, where weights were made for it
        self.channel_axis = -1
        self.nodes: list[Node] = []
        self._weights: list[Parameter] = []
        self._trainable = bool(trainable)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self.__dict__.get("built") and name in constructor_arguments(type(self)):
            Layer.option_changes += 1

    # What subclasses define ---------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of a shape (batch axis included, None where unknown)."""
        self.built = True

    def call(self, inputs: Any, /, training: bool) -> Any:
        """The output tensor of input tensors, a list where there are several."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape, batch axis included; a list of shapes where there are several."""
        return input_shape

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """The masks of the outputs, from that of the input or a list of those of several."""
        return mask

    def working_shape(self, input_shape: Any) -> Shape:
        """Shape of the largest array of a call, where arguments decide it: () where it follows from the input."""
        return ()

    def inner_shape(self, shape: Any) -> Any:
        """A shape, or a list of them, as `call` sees the tensors."""
        return shape

    # Weights ------------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: Any = "zeros",
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> Parameter:
        """A new weight of this layer; one that is not trainable stays so whatever the layer's flag says."""
        check_size(self, f"the weight {name}", shape)
        parameter = Parameter(shape, self.dtype, initializers.get(initializer), name)
        parameter.learnable = trainable
        parameter.trainable = trainable and self._trainable
        parameter.regularizer = regularizers.get_regularizer(regularizer)
        parameter.constraint = regularizers.get_constraint(constraint)
        self._weights.append(parameter)
        return parameter

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for parameter in self._weights:
            parameter.trainable = parameter.learnable and self._trainable
        for layer in self.inner_layers:
            layer.trainable = value

    @property
    def inner_layers(self) -> list[Layer]:
        """The layers that this one is made of, as a wrapper is."""
        return [getattr(self, attribute) for attribute in self.parts.values()]

    @property
    def weights(self) -> list[Parameter]:
        return [*self._weights, *(parameter for layer in self.inner_layers for parameter in layer.weights)]

    @property
    def trainable_weights(self) -> list[Parameter]:
        return [parameter for parameter in self.weights if parameter.trainable]

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        return [parameter for parameter in self.weights if not parameter.trainable]

    def count_params(self) -> int:
        """Number of weights, moving statistics included."""
        return sum(parameter.size for parameter in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights in Keras' order."""
        return [parameter.numpy().copy() for parameter in self.weights]

    def set_weights(self, arrays: Any) -> None:
        """Replace all weights, in Keras' order; nothing changes unless all of them fit.

        Raises
        ------
        ShapeError, DTypeError
            Another number of arrays, an array of another shape, or one that does not hold real numbers.
        """
        parameters, arrays = self.weights, list(arrays)
        if len(arrays) != len(parameters):
            raise ShapeError(f"layer {self.name} has {len(parameters)} weights, {len(arrays)} arrays were given")
        checked = [p.checked(array, f"layer {self.name}: weight {p.name}") for p, array in zip(parameters, arrays)]
        for parameter, array in zip(parameters, checked):
            parameter.assign(array)

    # Calling ------------------------------------------------------------------------------------------------------

    def __call__(self, *arguments: Any, training: bool | None = None) -> Any:
        """The output for tensors or arrays; for symbolic tensors, a symbolic tensor.

        `training` given with symbolic tensors holds for this call whatever the model does:
        `base(x, training=False)` keeps the batch normalisations of `base` in inference mode.
        """
        if len(arguments) != 1:
            self._check_arguments(arguments)
        if any(True for _ in symbolic_tensors(arguments)):
            return self._call_symbolic(arguments, training)
        return self.compute(arguments, bool(training))

    def compute(self, arguments: tuple[Any, ...], training: bool, **finishing: str) -> Any:
        """The output for tensors or arrays.  `finishing` may name an activation, for a `call` that takes one."""
        arguments = map_arguments(arguments, self._as_tensor)
        if not isinstance(first := arguments[0], Tensor | list | tuple | dict):
            raise ShapeError(f"layer {self.name} ({type(self).__name__}) takes a tensor or an array; got {first!r}")
        self._prepare(self.argument_shapes(arguments))
        outputs = self.run(self._cast(arguments), training, **finishing)
        masks.hand_on(self, first, outputs)
        return outputs

    def _cast(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Tensors of other dtypes than the weights', or than each other's, in that of the layer, as in Keras."""
        dtypes: set[Any] = {self.dtype} if self._weights else set()
        map_arguments(arguments, lambda value: dtypes.add(value.dtype) if isinstance(value, Tensor) else None)
        if len(dtypes) < 2:
            return arguments
        return map_arguments(arguments, lambda v: cast(v, self.dtype) if isinstance(v, Tensor) else v)

    def run(self, arguments: tuple[Any, ...], training: bool, **finishing: str) -> Any:
        """What `call` gives for tensors, in the order of axes that the layer has for those who call it."""
        return self.call(*arguments, training=training, **finishing)

    def _check_arguments(self, arguments: tuple[Any, ...]) -> None:
        """Raise ShapeError unless `call` takes so many: none is dropped in silence."""
        try:
            inspect.signature(self.call).bind(*arguments, training=False)
        except TypeError:
            raise ShapeError(
                f"layer {self.name} ({type(self).__name__}) takes one argument, {len(arguments)} were given; "
                "several tensors go in a list"
            ) from None

    def _prepare(self, shape: Any) -> None:
        """Check the shape of the input and of what becomes of it, and make the weights if this is the first call."""
        self.check_input(shape)
        check_size(self, "an image", self.working_shape(self.inner_shape(shape))[1:])
        if not self.built:
            self.build(shape)

    def _call_symbolic(self, arguments: tuple[Any, ...], training: bool | None) -> Any:
        shapes = self.argument_shapes(arguments)
        self._prepare(shapes)
        found = self.compute_output_shape(shapes)
        outputs = [tuple(shape) for shape in (found if isinstance(found, list) else [found])]
        for shape in outputs:
            if any(size is not None and size < 1 for size in shape[1:]):
                raise ShapeError(f"layer {self.name}: an input of shape {shapes} leaves an output of shape {shape}")
            check_size(self, "an output", shape[1:])
        node = Node(self, arguments, outputs, self.dtype, len(self.nodes), training)
        self.nodes.append(node)
        return node.outputs if isinstance(found, list) else node.outputs[0]

    @staticmethod
    def argument_shapes(arguments: tuple[Any, ...]) -> Any:
        """The shape of the first argument, or the list of shapes when it is a list."""
        first = arguments[0]
        if isinstance(first, (list, tuple)):
            return [tuple(np.shape(value)) for value in first]
        return tuple(first.shape) if hasattr(first, "shape") else ()

    def _as_tensor(self, value: Any) -> Any:
        if isinstance(value, Tensor) or not (hasattr(value, "dtype") or hasattr(value, "__dlpack__")):
            return value
        array = kernels.device_array(value)
        return Tensor((kernels.host_array(value) if array is None else array).astype(self.dtype, copy=False))

    def check_input(self, shape: Any) -> None:
        """Raise ShapeError for several inputs, an unfit number of axes, or channels it has no weights for."""
        if isinstance(shape, list):
            raise ShapeError(f"layer {self.name} ({type(self).__name__}) takes one tensor or array; got {len(shape)}")
        if self.input_rank is not None and (not isinstance(shape, tuple) or len(shape) != self.input_rank):
            raise ShapeError(
                f"layer {self.name} ({type(self).__name__}) takes inputs of {self.input_rank} axes, batch included; "
                f"got shape {shape}"
            )
        if self.channels is not None and shape[self.channel_axis :][:1] != (self.channels,):
            raise ShapeError(
                f"layer {self.name} ({type(self).__name__}) has weights for {self.channels} channels; got shape {shape}"
            )

    def known_channels(self, input_shape: Shape, axis: int = -1) -> int:
        """The size of the last axis or another, when weights are made for it; later inputs must have it too."""
        channels = input_shape[axis] if input_shape else None
        if channels is None:
            raise ShapeError(f"layer {self.name}: the number of channels must be known, the input is {input_shape}")
        self.channels, self.channel_axis = channels, axis
        return channels

    @property
    def output(self) -> SymbolicTensor:
        """The symbolic output of the layer's first call."""
        if not self.nodes:
            raise GraphError(f"layer {self.name} has not been called on an Input yet, so it has no output")
        return self.nodes[0].outputs[0]

    @property
    def input(self) -> Any:
        """The symbolic input of the layer's first call, a list where there are several."""
        inputs = self.output.node.inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output_shape(self) -> Shape:
        return self.output.shape

    # Configuration ------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras 3 writes them."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable, "dtype": str(self.dtype)}
        for name in constructor_arguments(type(self)):
            config[name] = plain_value(getattr(self, name))
        return config

    @staticmethod
    def split_arguments(arguments: tuple[Any, ...]) -> tuple[list[Any], dict[str, Any]]:
        """(positional, by keyword) arguments of a call, as Keras 3 writes them."""
        return list(arguments), {}

    def to_entry(self) -> dict[str, Any]:
        """The layer as configs of other layers and of models hold it."""
        kind = type(self).__name__
        registered = None if self.module == "keras.layers" else kind
        return {
            "module": self.module, "class_name": kind, "config": self.get_config(), "registered_name": registered,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """A layer of constructor arguments.

        Raises
        ------
        ArgumentError
            An argument that this layer does not have.
        """
        known = {*constructor_arguments(cls), "name", "trainable", "dtype", "input_shape"}
        if unknown := sorted(config.keys() - known):
            owner = f"layer {config.get('name')} ({cls.__name__})"
            raise ArgumentError(f"{owner} does not take {unknown_arguments(unknown, known)}")
        return cls(**config)


@cache
def constructor_arguments(cls: type) -> list[str]:
    """Names of the arguments that a layer class adds to those of Layer."""
    common = ("self", "name", "trainable", "dtype", "input_shape")
    parameters = inspect.signature(cls.__init__).parameters.values()
    return [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name not in common]


def checked_axis(layer: Layer, axis: Any, shape: Shape) -> int:
    """An axis of inputs of a shape, counted from the first."""
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        raise ShapeError(f"layer {layer.name} ({type(layer).__name__}): inputs of shape {shape} have no axis {axis!r}")
    return axis % len(shape)


def plain_axis(axis: Any) -> Any:
    """NumPy's integers as Python's, which configs can hold; anything else as it is, for `checked_axis` to refuse."""
    if isinstance(axis, (list, tuple)):
        return [plain_axis(item) for item in axis]
    return int(axis) if isinstance(axis, Integral) else axis


def check_size(layer: Layer, what: str, shape: Shape) -> None:
    """Raise ShapeError where an array of a shape cannot be: it has more than `MOST` numbers."""
    if prod(1 if size is None else size for size in shape) > MOST:
        kind = type(layer).__name__
        raise ShapeError(f"layer {layer.name} ({kind}): {what} of shape {shape} has more than {MOST} numbers")


def resolve_dtype(dtype: Any, name: str) -> np.dtype:
    """The dtype of a layer's weights, from a name, a policy ("mixed_float16"), or a Keras policy config."""
    if isinstance(dtype, dict):
        dtype = (dtype.get("config") or {}).get("name", "float32")
    text = "float32" if dtype is None else str(np.dtype(dtype)) if not isinstance(dtype, str) else dtype
    if text in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16"):
        text = "float32"
    if text not in DTYPES:
        raise DTypeError(f"layer {name}: dtype {text!r}; minicnn computes in {' or '.join(DTYPES)}")
    return np.dtype(text)


def plain_value(value: Any) -> Any:
    """A constructor argument in the form of a Keras config."""
    if isinstance(value, Layer):
        return value.to_entry()
    if isinstance(value, initializers.Initializer):
        return initializers.serialize(value)
    if isinstance(value, regularizers.L1L2):
        return regularizers.serialize(value, "keras.regularizers")
    if type(value).__name__ in regularizers.CONSTRAINTS:
        return regularizers.serialize(value, "keras.constraints")
    return list(value) if isinstance(value, tuple) else value
