"""Operations on tensors in configs: those of keras.ops in Keras 3, TFOpLambda and SlicingOpLambda in Keras 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicnn.errors import UnsupportedError
from minicnn.layers import Operation
from minicnn.layers.functions import FUNCTIONS
from minicnn.layers.operation import parameters_of

from .config_masks import MASK, TENSOR

ARRAY = "__numpy__"
TF_LAYERS = ("TFOpLambda", "SlicingOpLambda")
TF_FUNCTIONS: dict[str, str] = {  # names after "tf.", of which the last part is often the name in lower case
    "__operators__.add": "Add",
    "__operators__.getitem": "GetItem",
    "__operators__.subtract": "Subtract",
    "cast": "Cast",
    "clip_by_value": "Clip",
    "concat": "Concatenate",
    "convert_to_tensor": "Identity",
    "expand_dims": "ExpandDims",
    "identity": "Identity",
    "image.resize": "Resize",
    "linalg.l2_normalize": "L2Normalize",
    "linalg.matmul": "Matmul",
    "math.abs": "Absolute",
    "math.add": "Add",
    "math.divide": "TrueDivide",
    "math.exp": "Exp",
    "math.l2_normalize": "L2Normalize",
    "math.log": "Log",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
    "math.multiply": "Multiply",
    "math.negative": "Negative",
    "math.pow": "Power",
    "math.reciprocal": "Reciprocal",
    "math.reduce_max": "Max",
    "math.reduce_mean": "Mean",
    "math.reduce_min": "Min",
    "math.reduce_std": "Std",
    "math.reduce_sum": "Sum",
    "math.reduce_variance": "Var",
    "math.rsqrt": "Rsqrt",
    "math.scalar_mul": "Multiply",
    "math.sigmoid": "Sigmoid",
    "math.softplus": "Softplus",
    "math.sqrt": "Sqrt",
    "math.square": "Square",
    "math.subtract": "Subtract",
    "math.tanh": "Tanh",
    "math.truediv": "TrueDivide",
    "nn.bias_add": "Add",
    "nn.depth_to_space": "DepthToSpace",
    "nn.elu": "Elu",
    "nn.gelu": "Gelu",
    "nn.l2_normalize": "L2Normalize",
    "nn.leaky_relu": "LeakyRelu",
    "nn.log_softmax": "LogSoftmax",
    "nn.relu": "Relu",
    "nn.relu6": "Relu6",
    "nn.selu": "Selu",
    "nn.sigmoid": "Sigmoid",
    "nn.silu": "Silu",
    "nn.softmax": "Softmax",
    "nn.softplus": "Softplus",
    "nn.softsign": "Softsign",
    "nn.space_to_depth": "SpaceToDepth",
    "nn.swish": "Silu",
    "nn.tanh": "Tanh",
    "pad": "Pad",
    "repeat": "Repeat",
    "reshape": "Reshape",
    "reverse": "Flip",
    "split": "SplitSizes",
    "squeeze": "Squeeze",
    "stack": "Stack",
    "tile": "Tile",
    "transpose": "Transpose",
    "unstack": "Unstack",
}
RENAMED = {
    "clip_value_min": "x_min",
    "clip_value_max": "x_max",
    "method": "interpolation",
    "multiples": "repeats",
    "paddings": "pad_width",
    "perm": "axes",
    "slice_spec": "key",
}
RENAMED_IN = {
    ("Reshape", "shape"): "newshape",
    ("Power", "y"): "exponent",
    ("Power", "x2"): "exponent",
    ("LeakyRelu", "alpha"): "negative_slope",
}
OPERANDS = ("x", "y", "a", "b", "x1", "x2", "scalar", "value", "values", "tensor", "input", "bias")  # names of tensors
FIRST = "compat.v1."  # what TensorFlow 2 calls some functions inside
WITHOUT_EFFECT = ("conjugate", "fill_mode", "fill_value")  # of numbers that are real, of a resize that does not pad
LOWER = ("mode", "interpolation")
FLOATS = ("float16", "bfloat16", "float32", "float64")


def is_operation(entry: dict[str, Any]) -> bool:
    """Whether an entry is an operation on tensors; the .h5 files of Keras 3 leave out the module that says so.

    Then its config has nothing of a layer's, and its operands are not in a list, as those of the layer Add are.
    """
    if entry.get("class_name") in TF_LAYERS:
        return True
    if entry.get("module"):
        return str(entry["module"]).startswith("keras.src.ops")
    node = next(iter(entry.get("inbound_nodes") or ()), None)
    kind, config = entry.get("class_name"), entry.get("config") or {}
    bare = kind == "Cast" or not config.keys() & {"dtype", "trainable"}
    return kind in (*FUNCTIONS, "Cast") and bare and isinstance(node, dict)


def operation_of(entry: dict[str, Any], name: str) -> Operation:
    """The operation of an entry, with the options that its config and its call say.

    Raises
    ------
    UnsupportedError
        A function that minicnn does not have, or an option of one.
    """
    config = dict(entry.get("config") or {})
    node = next(iter(entry.get("inbound_nodes") or ()), [])
    if entry.get("class_name") in TF_LAYERS:
        said = str(config.get("function"))
        function, options = TF_FUNCTIONS.get(said.removeprefix(FIRST), f"tf.{said}"), {}
        function = said if said in (*FUNCTIONS, "Cast") else function
        if function == "Resize" and said.startswith(FIRST):
            function = f"tf.{said}"  # which lays pixels otherwise
        if function == "Gelu":
            options = {"approximate": False}
    else:
        function, options = (
            str(entry.get("class_name")),
            {k: v for k, v in config.items() if k not in ("name", *WITHOUT_EFFECT)},
        )
    if function == "Cast":
        dtype = options.get("dtype") or _keywords(node).get("dtype")
        if dtype not in FLOATS:
            raise UnsupportedError(f"operation {name}: a cast to {dtype!r}; minicnn computes in floating point")
        return Operation("Identity", name)
    if function not in FUNCTIONS:
        raise UnsupportedError(
            f"operation {name!r} is {function}, which minicnn does not have; it has {', '.join(FUNCTIONS)}"
        )
    _, found = bound(function, node)
    if any(bound(function, other)[1] != found for other in entry.get("inbound_nodes") or ()):
        raise UnsupportedError(f"operation {name}: its calls have different options; minicnn keeps one set of them")
    options = {key: plain(value, f"operation {name}: {key}") for key, value in (options | found).items()}
    if function == "Pad" and str(options.setdefault("mode", "constant")).lower() != "constant":
        options.pop("constant_values", None)  # TensorFlow writes one, and Keras 3 refuses it
    options |= {key: options[key].lower() for key in LOWER if isinstance(options.get(key), str)}
    _, known = parameters_of(function)
    return Operation(function, name, **{k: v for k, v in options.items() if k in known or not _says_nothing(v)})


def bound(function: str, node: Any) -> tuple[list[Any], dict[str, Any]]:
    """(operands, options) of a call, as the config has them: references are not resolved."""
    names, known = parameters_of(function)
    arguments = _positional(node)
    if names == ["xs"] and isinstance(node, list):
        arguments = [arguments]
    operands = arguments[: len(names)]
    options: dict[str, Any] = dict(zip(known, arguments[len(names) :]))
    for key, value in _keywords(node).items():
        own = RENAMED_IN.get((function, key), RENAMED.get(key, key))
        if own not in known and key in OPERANDS and len(operands) < len(names):
            operands.append(value)
        elif own in known and not (value is None and known[own] is not None):
            options[own] = value
        elif own not in known and not _says_nothing(value):
            options[key] = value
    return operands, options


def plain(value: Any, owner: str) -> Any:
    """An option of a call: numbers, texts, and slices as Python has them.

    Raises
    ------
    UnsupportedError
        A tensor, of which the graph would have to be made anew for every batch.
    """
    if isinstance(value, dict):
        kind, inner = value.get("class_name"), value.get("config") or value
        if kind == TENSOR:
            raise UnsupportedError(f"{owner} is computed by the model itself; minicnn takes numbers there")
        if kind == "__ellipsis__":
            return ...
        if kind == "__tuple__":
            return tuple(plain(item, owner) for item in value["items"])
        if kind == ARRAY:
            return np.asarray(inner["value"]).tolist()
        return slice(*(inner[key] for key in ("start", "stop", "step")))
    if isinstance(value, list):
        if len(value) == 3 and isinstance(value[0], str):
            raise UnsupportedError(f"{owner} is computed by the model itself; minicnn takes numbers there")
        return tuple(plain(item, owner) for item in value)
    return value


def _positional(node: Any) -> list[Any]:
    """The arguments of a call without names: Keras 3's "args", or the tensors and constants of Keras 2's list."""
    if isinstance(node, dict):
        return list(node.get("args", []))
    single = bool(node) and isinstance(node[0], str)
    return [item[2] if item[0] == "_CONSTANT_VALUE" else item[:3] for item in ([node] if single else node)]


def _keywords(node: Any) -> dict[str, Any]:
    """The arguments of a call by name; Keras 2 repeats them with every tensor."""
    if isinstance(node, dict):
        found = node.get("kwargs") or {}
    else:
        first = node if not node or isinstance(node[0], str) else node[0]
        found = first[3] if len(first) > 3 else {}
    return {key: value for key, value in found.items() if key not in (MASK, "training", "name", *WITHOUT_EFFECT)}


def _says_nothing(value: Any) -> bool:
    return value is None or value is False
