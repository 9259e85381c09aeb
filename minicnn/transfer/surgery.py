"""Cutting models: the classifier off a trained net, a net at a layer, and a net in two where training begins."""

from difflib import get_close_matches
from typing import Any

from minicnn.arguments import one_of
from minicnn.errors import ArgumentError, UnsupportedError
from minicnn.layers import GlobalAveragePooling2D, GlobalMaxPooling2D, InputLayer
from minicnn.models import Model
from minicnn.preparation import has_channels_first
from minicnn.transfer.freeze import leaf_layers


def without_head(model: Any) -> Any:
    """
    The model from its inputs to the features (N,D) that its classifier sees.

    The classifier is the last layer with weights, when it is dense or a 1×1 convolution and the output is one row a
    picture; what follows it goes too.  A model that ends in a map (N,H,W,C), or (N,C,H,W) where its pictures have
    channels first, keeps all its layers and gets global average pooling.

    Raises
    ------
    UnsupportedError
        The model has several inputs or outputs, or does not take pictures (N,H,W,3) or (N,H,W,1).
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UnsupportedError(
            f"model {model.name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; "
            "transfer needs one of each"
        )
    shape = model.inputs[0].shape
    first = has_channels_first(shape)
    if len(shape) != 4 or not (first or shape[3] in (1, 3)):
        raise UnsupportedError(
            f"model {model.name} takes inputs of shape {shape}; transfer needs pictures (N,H,W,3) or (N,H,W,1)"
        )
    features = model.outputs[0]
    if len(features.shape) == 2:
        last = _last_weighted(features)
        if last is not None and _is_classifier(last.layer):
            features = last.inputs[0]
    if len(features.shape) == 4:
        order = "channels_first" if first else "channels_last"
        features = GlobalAveragePooling2D(order, name="feature_pooling")(features)
    if len(features.shape) != 2 or features.shape[1] is None:
        raise UnsupportedError(f"model {model.name} gives features of shape {features.shape}; expected (N,D)")
    return Model(model.inputs, features)


POOLINGS = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D, None: None}


def features_at(model: Any, layer: str | None = None, pooling: str | None = "avg") -> Any:
    """
    The model from its inputs to the outputs of a layer; maps (N,H,W,C) are pooled over H and W.

    Parameters
    ----------
    layer : str, optional
        Its name, in models that the model uses too; when None, the model's own output, before its last average.
    pooling : "avg", "max" or None
        The mean or the largest of each channel, (N,C), or the maps as they are.

    Raises
    ------
    ArgumentError
        There is no such layer or pooling.

    Examples
    --------
    >>> from minicnn.applications import VGG16
    >>> model = VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    >>> features_at(model, "block4_conv3").output_shape, features_at(model, pooling=None).output_shape
    ((None, 512), (None, 1, 1, 512))
    """
    pool = POOLINGS[one_of("features", "pooling", pooling, POOLINGS)]
    features = model.outputs[0] if layer is None else _output_of(model, layer)
    if layer is None and pooling != "avg" and isinstance(features.node.layer, GlobalAveragePooling2D):
        features = features.node.inputs[0]
    if len(features.shape) == 4 and pool is not None:
        order = "channels_first" if has_channels_first(model.inputs[0].shape) else "channels_last"
        features = pool(order)(features)
    return model if features is model.outputs[0] else Model(model.inputs, features)


def _output_of(model: Any, name: str) -> Any:
    """What the layer of this name gives; in a nested model, that model is cut there and called in its place."""
    for node in model.graph.nodes:
        if node.layer.name == name:
            return node.outputs[0]
    for node in model.graph.nodes:
        if hasattr(node.layer, "layers") and any(layer.name == name for layer in leaf_layers(node.layer)):
            return Model(node.layer.inputs, _output_of(node.layer, name))(*node.inputs)
    names = [layer.name for layer in leaf_layers(model) if not isinstance(layer, InputLayer)]
    near = get_close_matches(name, names, 3) or names[:-4:-1]
    raise ArgumentError(f"model {model.name} has no layer {name!r}; some that it has: {', '.join(near)}")


def _last_weighted(tensor: Any) -> Any:
    """The node of the last layer with weights, walking back while there is one way; None when it forks before."""
    node = tensor.node
    while len(node.inputs) == 1:
        if node.layer.weights:
            return node
        node = node.inputs[0].node
    return None


def _is_classifier(layer: Any) -> bool:
    kernel_size = tuple(getattr(layer, "kernel_size", ()))
    return type(layer).__name__ == "Dense" or (type(layer).__name__ == "Conv2D" and kernel_size == (1, 1))


def split_where_training_begins(model: Any) -> tuple[Any, Any]:
    """
    (prefix, tail): the prefix computes the same whatever training does, the tail is all the rest.

    Both share the layers of the model, so training the tail trains the model.  The tail's inputs are the prefix's
    outputs, several where a shortcut passes the first trainable layer.
    """
    graph = model.graph
    fixed = {(id(tensor.node), tensor.index) for tensor in graph.inputs}
    rest = []
    for node in graph.nodes:
        layers = list(leaf_layers(node.layer)) if hasattr(node.layer, "layers") else [node.layer]
        frozen = all(layer.deterministic and not layer.trainable_weights for layer in layers)
        if frozen and all((id(tensor.node), tensor.index) in fixed for tensor in node.inputs):
            fixed.update((id(node), tensor.index) for tensor in node.outputs)
        else:
            rest.append(node)
    wanted = [tensor for node in rest for tensor in node.inputs] + list(graph.outputs)
    border = {(id(tensor.node), tensor.index): tensor for tensor in wanted}
    border = [tensor for key, tensor in border.items() if key in fixed]
    return Model(graph.inputs, border), Model(border, graph.outputs)
