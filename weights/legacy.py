"""Legacy .h5 (Keras 1 and 2, and Keras 3 when asked for it): one group a top-level layer, named by attributes.

/  @layer_names  @keras_version  @backend        (in a full model all this is in the group model_weights)
   conv1/  @weight_names                         dataset names, which contain slashes themselves
     conv1/kernel:0
"""

from collections import Counter
from dataclasses import replace

from minicnn.errors import FileFormatError

from ._json import parse_config
from .entries import LayerEntry, WeightEntry, WeightFile
from .hdf5 import Group, HDF5File
from .recurrent import modern_weights
from .roles import layer_of
from .theano import ROWS, TRANSPOSED, KernelOrder, layers_of, without_width

MAX_NAMES = 100_000


def is_legacy(root: Group) -> bool:
    return bool({"model_config", "layer_names", "layer_names0"} & root.attributes.keys())


def read_legacy(file: HDF5File, path: str) -> WeightFile:
    """Describe a legacy file, weights only or full model."""
    root = file.root
    config, training, metadata = (
        _json_attribute(root, key, path) for key in ("model_config", "training_config", "minicnn")
    )
    full = "model_config" in root.attributes
    weights = root.group("model_weights") if full else root
    version = _text(weights, "keras_version") or _text(root, "keras_version")
    order = KernelOrder.of(path, version, _text(weights, "backend") or _text(root, "backend"), config)
    names = _names(weights, "layer_names", path)
    rows, transposed = layers_of(config, ROWS), layers_of(config, TRANSPOSED)
    return WeightFile(
        path=path,
        format="legacy model" if full else "legacy weights",
        layers=[_layer(weights, name, order, path, rows, transposed) for name in names],
        keras_version=version,
        config=config,
        training_config=training,
        metadata=metadata,
        channels_first=order.channels_first,
        _file=file,
    )


def _text(group: Group, name: str) -> str | None:
    value = group.attribute(name)
    return value if isinstance(value, str) else None


def _json_attribute(root: Group, name: str, path: str) -> dict | None:
    text = _text(root, name)
    return None if text is None else parse_config(text, f"{path}: the attribute {name!r}")


def _names(group: Group, attribute: str, path: str) -> list[str]:
    """The list in an attribute, or in attribute0, attribute1, ... when it was too long for one."""
    where = f"{path}: the attribute {attribute!r} of {group.name!r}"
    if attribute in group.attributes:
        pieces = [group.attribute(attribute)]
    else:
        pieces = []
        while f"{attribute}{len(pieces)}" in group.attributes:
            pieces.append(group.attribute(f"{attribute}{len(pieces)}"))
        if not pieces:
            raise FileFormatError(f"{where} is missing: this is no Keras weights file, or a damaged one")
    values = [name for piece in pieces for name in (piece if isinstance(piece, list) else [piece])]
    names = [name for name in values if isinstance(name, str) and name]
    if len(names) < len(values) or len(names) > MAX_NAMES:
        raise FileFormatError(f"{where} is not a list of names: the file is damaged, get it again")
    if len(set(names)) < len(names):
        twice, _ = Counter(names).most_common(1)[0]
        raise FileFormatError(f"{where} has {twice!r} twice: the file is damaged, get it again")
    return names


def _layer(
    weights: Group, name: str, order: KernelOrder, path: str, rows: set[str], transposed: set[str]
) -> LayerEntry:
    """One group; in that of a nested model the names of the weights say whose they are."""
    group = weights.group(name)
    stored = []
    for weight in _names(group, "weight_names", path):
        dataset = group.dataset(weight, opaque_bfloat16=True)
        entry = WeightEntry(weight, dataset.shape, dataset.dtype, dataset.read)
        owners = {name, layer_of(weight)}
        if owners & rows:
            entry = without_width(replace(order, channels_first=False).entry(entry))
        else:
            entry = order.entry(entry, bool(owners & transposed))
        stored.append(entry)
    return LayerEntry(name, name, modern_weights(stored))
