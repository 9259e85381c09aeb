"""Network: a graph of layers that is itself a layer, run on tensors or through the prediction plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, Self

import numpy as np

from minicnn import kernels
from minicnn.arguments import one_of
from minicnn.autograd import Parameter, Tensor
from minicnn.errors import ArgumentError, DeviceMemoryError, ShapeError, UnsupportedError
from minicnn.layers import Layer, Operation, SymbolicTensor
from minicnn.layers.symbolic import Node, Shape, map_arguments, symbolic_tensors

from .batches import wrong_inputs
from .graph import Graph, Program, check_names
from .placement import check_array, check_destination, place_of
from .plan import Plan

PLANS_KEPT = 8  # for inputs of different sizes, where the sides of the images are free


class Network(Layer):
    """What a model is before it is trained or saved: layers, weights, and how a batch passes them."""

    def __init__(self, name: str | None = None):
        super().__init__(name=name)
        self._plans: dict[Any, Plan] = {}
        self._dense_storage = "float32"
        self._plans_made_at = Layer.option_changes
        self._device, self._precision = "cpu", "float32"
        self._placed_at = Parameter.moves

    def _set_graph(self, inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> None:
        self._graph: Graph = Graph(inputs, outputs)
        self._program: Program = self._graph.program()
        self._forget_plans()
        self.dtype = self._program.calls[0].layer.dtype if self._program.calls else inputs[0].dtype
        check_names(self._graph.layers)
        moved = [weight for weight in self.weights if weight.device != "cpu"]  # layers of a model that was
        if moved and self._device == "cpu":
            self._precision = moved[0].precision
        self._move(moved[0].device if moved else self._device)
        self._hand_on_precision()
        self.built = True

    # Structure ----------------------------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def program(self) -> Program:
        """The calls of all layers, nested models opened up."""
        self.graph  # noqa: B018  (a Sequential builds itself here)
        return self._program

    @property
    def layers(self) -> list[Layer]:
        return [layer for layer in self.graph.layers if not isinstance(layer, Operation)]

    @property
    def inputs(self) -> list[SymbolicTensor]:
        return self.graph.inputs

    @property
    def outputs(self) -> list[SymbolicTensor]:
        return self.graph.outputs

    @property
    def input_shape(self) -> Any:
        return alone([tensor.shape for tensor in self.inputs])

    @property
    def output_shape(self) -> Any:
        return alone([tensor.shape for tensor in self.outputs])

    @property
    def output(self) -> Any:
        return alone(self.outputs)

    @property
    def input(self) -> Any:
        return alone(self.inputs)

    @property
    def input_names(self) -> list[str]:
        return [tensor.node.layer.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        return [tensor.node.layer.name for tensor in self.outputs]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by position.

        Raises
        ------
        ArgumentError
            There is none; the message lists names that are near.
        """
        layers = self.layers
        if index is not None and -len(layers) <= index < len(layers):
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        if name is None:
            raise ArgumentError(f"model {self.name} has no layer {index}; it has {len(layers)} layers")
        near = get_close_matches(str(name), [layer.name for layer in layers], 3, 0.4)
        hint = f"; near are {', '.join(near)}" if near else ""
        raise ArgumentError(f"model {self.name} has no layer {name!r}{hint}")

    # Weights ------------------------------------------------------------------------------------------------------

    @property
    def weights(self) -> list[Parameter]:
        found = {id(weight): weight for layer in self.layers for weight in layer.weights}
        return list(found.values())

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.layers:
            layer.trainable = value

    # As a layer ---------------------------------------------------------------------------------------------------

    def __call__(self, *arguments: Any, training: bool | None = None) -> Any:
        """As of any layer; an array of a device is taken where all weights are on it.

        Raises
        ------
        DeviceError
        """
        map_arguments(arguments, self._check_argument)
        return super().__call__(*arguments, training=training)

    def _check_argument(self, value: Any) -> None:
        array = kernels.device_array(value.array if isinstance(value, Tensor) else value)
        if array is not None:
            place = kernels.device_of(array)
            for weight in self.weights:
                check_array(self, place, weight.device)

    def call(self, inputs: Any, training: bool) -> Any:
        program = self.program
        tensors = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        self._check_shapes([tensor.shape for tensor in tensors])
        return alone(program.run(dict(zip(program.inputs, tensors)), training))

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        return all(call.layer.deterministic for call in self.program.calls)

    def build(self, input_shape: Any) -> None:
        """A model is built when it is made."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return alone(self.shapes_for(input_shape if isinstance(input_shape, list) else [input_shape]))

    def check_input(self, shape: Any) -> None:
        """Shapes are checked against the inputs when the model is called."""

    def _call_symbolic(self, arguments: tuple[Any, ...], training: bool | None) -> Any:
        sources = [source.shape for source in symbolic_tensors(arguments)]
        self.check_input(alone(sources))  # where a Sequential takes its shape from
        node = Node(self, arguments, self.shapes_for(sources), self.dtype, len(self.nodes), training)
        self.nodes.append(node)
        return alone(node.outputs)

    def shapes_for(self, shapes: Sequence[Shape]) -> list[Shape]:
        """The outputs' shapes for inputs of these shapes, which are checked."""
        self._check_shapes(shapes)
        return self.program.output_shapes(shapes)

    def _check_shapes(self, shapes: Sequence[Shape]) -> None:
        """Raise ShapeError unless these are shapes of what the inputs take."""
        if len(shapes) != len(self.inputs):
            raise wrong_inputs(self, len(shapes))
        for shape, expected in zip(shapes, self.inputs):
            pairs = zip(shape[1:], expected.shape[1:])
            if len(shape) != len(expected.shape) or any(None not in (m, n) and m != n for m, n in pairs):
                raise ShapeError(
                    f"model {self.name}: input {expected.node.layer.name} takes samples of shape {expected.shape[1:]}; "
                    f"got an array of shape {tuple(shape)}, whose first axis is the batch"
                )

    def check_arrays(self, arrays: Sequence[Any]) -> None:
        """Raise unless arrays are what the inputs take: ShapeError, or DeviceError for one that is on a GPU alone.

        DeviceError also where the model itself is on several devices.
        """
        self._check_shapes([array.shape for array in arrays])
        device = self.device
        for array in arrays:
            if type(array) is not np.ndarray:
                check_array(self, kernels.device_of(array), device)

    def cast_inputs(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Contiguous arrays of the inputs' dtypes, on the host or where they are, checked as by `check_arrays`."""
        self.check_arrays(arrays)
        pairs = zip(arrays, self.inputs)
        return [
            np.ascontiguousarray(a, t.dtype) if type(a) is np.ndarray else a.astype(t.dtype, copy=False)
            for a, t in pairs
        ]

    @property
    def device(self) -> str:
        """Where the weights are and the model runs: "cpu" or "cuda".

        Raises
        ------
        DeviceError
            They are in several places, since a model was moved that has only some of the layers.
        """
        moves = Parameter.moves
        if self.built and self._placed_at != moves:
            place = place_of(self) or self._device
            if place != self._device:
                self._forget_plans()
            self._device, self._placed_at = place, moves
        return self._device

    def to(self, device: str) -> Self:
        """Move the model to a device, "cuda" or "cpu": its weights, and what its optimizer keeps of them.

        Data may stay on the host: batches are brought to the device, and `predict` brings its outputs back.  Arrays
        that are on the device (CuPy's, or another library's through `minicnn.from_dlpack`) are taken as they are.

        Layers take every model that is made of them along: `device` says where the weights are, whichever model moved
        them.  A model of which only some layers were moved so runs nowhere: its `device`, `fit`, `predict` and
        `evaluate` raise DeviceError until `to` brings it together.  A model that is made of layers on a device, and of
        others, goes to the device with all of them.  Callbacks may move the model that is in training.

        Returns
        -------
        The model itself.

        Raises
        ------
        ArgumentError
            There is no such device.
        DeviceError
            It cannot be used, or has too little memory; the message says what is missing.  The model is as before.
        UnsupportedError
            The model computes in float64, for which there are no kernels on a GPU.

        Examples
        --------
        >>> from minicnn.layers import Dense, Input
        >>> from minicnn.models import Sequential
        >>> Sequential([Input((4,)), Dense(3)]).to("cpu").device
        'cpu'
        """
        check_destination(self, device)
        self._move(device)
        self._precision = "float32" if device == "cpu" else self._precision
        self._hand_on_precision()
        self._forget_plans()
        return self

    def _move(self, device: str) -> None:
        """Bring to a device all that is not there: either all of it, or nothing.

        Raises
        ------
        DeviceMemoryError
        """
        try:
            copied = self._prepare_move(device)
        except MemoryError as error:
            raise DeviceMemoryError(
                f"model {self.name}: the memory that {device} has left is too little for its weights, with what its "
                f"optimizer keeps of them ({error}): let go of other models or arrays; this one is as before"
            ) from None
        for finish in copied:
            finish()
        self._device, self._placed_at = device, Parameter.moves

    def _prepare_move(self, device: str) -> list[Callable[[], None]]:
        """Copies on a device, each as the function that puts it in its place."""
        return [weight.prepare_move(device) for weight in self.weights]

    @property
    def precision(self) -> str:
        """Of which numbers `fit`, `predict` and `evaluate` make their products on a GPU: "float32", or rounded ones.

        "tf32", "bfloat16" and "float16" run convolutions and dense layers on tensor cores, whose operands are rounded
        to 11, 8 or 11 significant bits on their way there.  Weights, activations, sums and the optimizer's state stay
        float32.  Under "float16", whose range is small, training scales the loss (`minicnn.optimizers.LossScale`), and
        raises DivergedError where a gradient is not finite without that either.

        Each model has a setting of its own.  One that is made of layers on a GPU begins with that which they were last
        given, by any model of them: the part up to a layer, `Model(model.inputs, layer.output)`, computes as the whole.
        Nested models follow the model that computes.  Files do not keep the setting; `to("cpu")` sets it back.

        Raises
        ------
        ArgumentError
            Another value is set.
        UnsupportedError
            Rounded products on a CPU.
        """
        return "float32" if self.device == "cpu" else self._precision

    @precision.setter
    def precision(self, value: str) -> None:
        name = one_of(f"model {self.name}", "precision", value, kernels.PRECISIONS)
        if self.device == "cpu" and name != "float32":
            raise UnsupportedError(
                f"model {self.name}: precision {name!r} is for a GPU: call model.to('cuda') first; a CPU computes in "
                "float32"
            )
        self._precision = name
        self._hand_on_precision()
        self._forget_plans()

    def _forget_plans(self) -> None:
        """Let go of what was made for the place or the precision of before, and of its memory."""
        self._plans.clear()

    def _hand_on_precision(self) -> None:
        """Tell the weights, of which other models may be made."""
        for weight in self.weights:
            weight.precision = self._precision

    @property
    def dense_storage(self) -> str:
        """How `predict` and `evaluate` store the weights of dense layers: "float32", "bfloat16" or "int8".

        A dense layer with large weights takes, for one image, the time in which they are read: half of the bytes, or a
        quarter, are read in less.  Sums stay float32.  Outputs change as if the weights were rounded, each to 8
        significant bits, or to 254 steps between the ends of its column (kernels/dense/_storage.py has the bounds).

        The layers keep their float32 weights, by which training goes on as before; the small copy takes memory beside
        them.  Layers of nested models follow the model that predicts.  Files do not keep the setting.

        Raises
        ------
        ArgumentError
            Another value is set.
        """
        return self._dense_storage

    @dense_storage.setter
    def dense_storage(self, value: str) -> None:
        self._dense_storage = one_of(f"model {self.name}", "dense_storage", value, kernels.dense.STORAGES)
        self._plans.clear()  # which hold the copies

    def run_plan(self, arrays: list[np.ndarray], whole: int = 0) -> list[np.ndarray]:
        """The outputs of one batch through the prediction plan; `whole` as in `Plan.run`."""
        return [tensor.array for tensor in self.start_plan(arrays, whole)()]

    def start_plan(self, arrays: list[np.ndarray], whole: int = 0) -> Callable[[], list[Tensor]]:
        """Begin to compute them; the function gives them as tensors, with the masks of sequences (`Plan.start`)."""
        with kernels.precision(self.precision):
            return self._plan_for(arrays).start(arrays, whole)

    def _plan_for(self, arrays: list[np.ndarray]) -> Plan:
        """The plan for arrays of these shapes, which are checked."""
        self.check_arrays(arrays)
        shapes, dtypes = [a.shape[1:] for a in arrays], [t.dtype for t in self.inputs]
        storage = self.dense_storage
        key = (*shapes, *dtypes, storage, self.device, "dense" in kernels.forced_rungs())
        if self._plans_made_at != Layer.option_changes:
            self._plans_made_at = Layer.option_changes
            self._plans.clear()
        plan = self._plans.get(key)
        if plan is None:
            for old in list(self._plans)[: max(0, len(self._plans) + 1 - PLANS_KEPT)]:  # other threads change it
                self._plans.pop(old, None)
            plan = self._plans[key] = Plan(self.program, shapes, dtypes, storage, self.device)
        return plan


def alone(values: list[Any]) -> Any:
    """The one of a list, or the list where there are several."""
    return values[0] if len(values) == 1 else values
