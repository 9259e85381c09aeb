"""TensorFlowOpLayer, by which TensorFlow 2.0 to 2.3 wrote an operation: a node of its graph, with the node's constants.

It becomes what a later TFOpLambda says: a function, with its options by name.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from minicnn.errors import FileFormatError, UnsupportedError

NODE = "TensorFlowOpLayer"
NODES: dict[
    str, tuple[str, str]
] = {  # by the name in TensorFlow's graph: the function here, and its inputs; * is a list
    "Abs": ("Absolute", "x"),
    "Add": ("Add", "x y"),
    "AddV2": ("Add", "x y"),
    "BatchMatMulV2": ("Matmul", "x y"),
    "BiasAdd": ("Add", "x y"),
    "Cast": ("Cast", "x"),
    "ClipByValue": ("Clip", "x x_min x_max"),
    "ConcatV2": ("Concatenate", "* axis"),
    "DepthToSpace": ("DepthToSpace", "x"),
    "Elu": ("Elu", "x"),
    "Exp": ("Exp", "x"),
    "ExpandDims": ("ExpandDims", "x axis"),
    "Identity": ("Identity", "x"),
    "LeakyRelu": ("LeakyRelu", "x"),
    "Log": ("Log", "x"),
    "LogSoftmax": ("LogSoftmax", "x"),
    "Max": ("Max", "x axis"),
    "Maximum": ("Maximum", "x y"),
    "Mean": ("Mean", "x axis"),
    "Min": ("Min", "x axis"),
    "Minimum": ("Minimum", "x y"),
    "MirrorPad": ("Pad", "x pad_width"),
    "Mul": ("Multiply", "x y"),
    "Neg": ("Negative", "x"),
    "Pack": ("Stack", "*"),
    "Pad": ("Pad", "x pad_width"),
    "PadV2": ("Pad", "x pad_width constant_values"),
    "Pow": ("Power", "x exponent"),
    "RealDiv": ("TrueDivide", "x y"),
    "Reciprocal": ("Reciprocal", "x"),
    "Relu": ("Relu", "x"),
    "Relu6": ("Relu6", "x"),
    "Reshape": ("Reshape", "x newshape"),
    "ResizeBilinear": ("Resize", "x size"),
    "ResizeNearestNeighbor": ("Resize", "x size"),
    "ReverseV2": ("Flip", "x axis"),
    "Rsqrt": ("Rsqrt", "x"),
    "Selu": ("Selu", "x"),
    "Sigmoid": ("Sigmoid", "x"),
    "Softmax": ("Softmax", "x"),
    "Softplus": ("Softplus", "x"),
    "Softsign": ("Softsign", "x"),
    "SpaceToDepth": ("SpaceToDepth", "x"),
    "Sqrt": ("Sqrt", "x"),
    "Square": ("Square", "x"),
    "Squeeze": ("Squeeze", "x"),
    "StridedSlice": ("GetItem", "x begin end strides"),
    "Sub": ("Subtract", "x y"),
    "Sum": ("Sum", "x axis"),
    "Tanh": ("Tanh", "x"),
    "Tile": ("Tile", "x repeats"),
    "Transpose": ("Transpose", "x axes"),
}
ATTRIBUTES = {  # that say how, by the names that they have here
    "alpha": "negative_slope",
    "axis": "axis",
    "block_size": "block_size",
    "keep_dims": "keepdims",
    "mode": "mode",
    "squeeze_dims": "axis",
}
TYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16", "DT_BFLOAT16": "bfloat16"}
INTERPOLATIONS = {"ResizeBilinear": "bilinear", "ResizeNearestNeighbor": "nearest"}


def as_function(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of a TensorFlowOpLayer as that of a TFOpLambda; any other as it is.

    Raises
    ------
    UnsupportedError
        A node that minicnn does not know.
    """
    if entry.get("class_name") != NODE:
        return entry
    config, name = entry["config"], str(entry.get("name") or entry["config"]["name"])
    definition = config["node_def"]
    try:
        node = json.loads(definition) if isinstance(definition, str) else definition
    except ValueError:
        raise FileFormatError(f"layer {name!r} is a {NODE} whose node_def is no JSON") from None
    if node["op"] not in NODES:
        raise UnsupportedError(
            f"layer {name!r} is TensorFlow's {node['op']}, which minicnn does not have; it has {', '.join(NODES)}"
        )
    function, names = NODES[node["op"]]
    constants = dict(config.get("constants") or {})
    try:
        calls = [_call(node, names.split(), constants, list(call)) for call in entry["inbound_nodes"]]
    except UnsupportedError as error:
        error.args = (f"layer {name!r}: {error}",)
        raise
    return {
        "class_name": "TFOpLambda",
        "name": name,
        "config": {"name": name, "function": function},
        "inbound_nodes": calls,
    }


def _call(node: dict[str, Any], names: list[str], constants: dict[str, Any], tensors: list[Any]) -> list[Any]:
    """The tensors and constants of a call as TFOpLambda has them, what says how among them by name."""
    values = {int(place): value for place, value in constants.items()}
    count = len(values) + len(tensors)
    if names[0] == "*":
        names = ["x"] * (count - len(names) + 1) + names[1:]
    given = iter(tensors)
    inputs = [values[i] if i in values else next(given)[:3] for i in range(count)]
    references = [
        ["_CONSTANT_VALUE", -1, v] if i in values else v for i, v in enumerate(inputs) if names[i] in ("x", "y")
    ]
    options = {names[i]: v for i, v in enumerate(inputs) if names[i] not in ("x", "y")} | _attributes(node)
    if node["op"] == "StridedSlice":
        options = {"key": _key(options, node.get("attr") or {})}
    return [[*reference, options] for reference in references]


def _attributes(node: dict[str, Any]) -> dict[str, Any]:
    """The options that are attributes of the node."""
    attributes = node.get("attr") or {}
    if "data_format" in attributes and (order := _plain(attributes["data_format"])) != "NHWC":
        raise UnsupportedError(f"TensorFlow's {node['op']} with data_format {order!r}; minicnn takes 'NHWC'")
    found = {own: _plain(attributes[key]) for key, own in ATTRIBUTES.items() if key in attributes}
    if node["op"] == "Squeeze" and found.get("axis") == []:
        del found["axis"]
    if node["op"] in INTERPOLATIONS:
        if not _plain(attributes.get("half_pixel_centers", {"b": False})):
            raise UnsupportedError(f"TensorFlow's {node['op']} without half_pixel_centers, which lays pixels otherwise")
        found["interpolation"] = INTERPOLATIONS[node["op"]]
    if node["op"] == "Cast":
        found["dtype"] = TYPES.get(attributes["DstT"]["type"], attributes["DstT"]["type"])
    return found


def _plain(attribute: dict[str, Any]) -> Any:
    """The value of an attribute, in which whole numbers are texts, and texts are in base 64."""
    ((kind, value),) = attribute.items()
    if kind == "list":
        return [int(item) for item in value.get("i", [])]
    if kind == "i":
        return int(value)
    return base64.b64decode(value).decode() if kind == "s" else value


def _key(limits: dict[str, Any], attributes: dict[str, Any]) -> list[Any]:
    """The index of a StridedSlice, of which bit i of each mask says what place i is."""

    def holds(mask: str, place: int) -> bool:
        return bool(int(attributes.get(mask, {}).get("i", 0)) >> place & 1)

    key: list[Any] = []
    for i, edges in enumerate(zip(limits["begin"], limits["end"], limits["strides"])):
        if holds("ellipsis_mask", i):
            key.append({"class_name": "__ellipsis__"})
        elif holds("new_axis_mask", i):
            key.append(None)
        elif holds("shrink_axis_mask", i):
            key.append(edges[0])
        else:
            start, stop = (None if holds(f"{end}_mask", i) else n for end, n in zip(("begin", "end"), edges))
            key.append({"start": start, "stop": stop, "step": edges[2]})
    return key
