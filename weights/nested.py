"""A base in a model around it, as transfer learning saves them: its weights as if they were alone."""

from collections import Counter
from dataclasses import replace

from .entries import LayerEntry, WeightFile
from .state_dict import PYTORCH


def place_of_base(file: WeightFile) -> str | None:
    """Where most of a file's weights are in one model within the model: its group in Keras 3 files, else its name."""
    if file.format == PYTORCH:
        return None
    places = {entry.path: _place(entry.path) for entry in file.layers}
    counts = Counter(places[entry.path] for entry in file.layers for _ in entry.weights)
    place, most = counts.most_common(1)[0] if counts else ("", 0)
    return place if 2 * most > counts.total() else None


def _place(path: str) -> str:
    """The first group below the model's own: "layers/functional" of "layers/functional/layers/conv2d"."""
    first = path.removeprefix("layers/").partition("/")[0]
    return path[: len(path) - len(path.removeprefix("layers/"))] + first


def within(file: WeightFile, place: str) -> WeightFile:
    """The layers of the model at a place, as a file that holds them alone; in a legacy file that is one entry."""
    if file.is_legacy:
        return replace(file, layers=[entry for entry in file.layers if entry.path == place])
    start = f"{place}/"  # of the group in Keras 3 files; of the name too in safetensors, which has no groups
    inner = [entry for entry in file.layers if entry.path.startswith(start)]
    bare = [replace(e, path=e.path.removeprefix(start), name=e.name.removeprefix(start)) for e in inner]
    return replace(file, layers=bare)


def beside(file: WeightFile, place: str) -> list[LayerEntry]:
    """The layers with weights that are not in the model at a place."""
    return [entry for entry in file.layers if entry.weights and _place(entry.path) != place]
