"""What commands share that take a trained model and pictures."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.applications.labels import IMAGENET_CLASSES, imagenet_classes
from minicnn.autograd import Tensor
from minicnn.cli import model_files
from minicnn.cli.class_names import read_names
from minicnn.cli.console import note
from minicnn.data import ImageNote, LabelledFiles, load_images, pictures_below
from minicnn.data.decode import ENLARGED
from minicnn.data.folder import UnknownClassError
from minicnn.data.signatures import FORMATS, sniff
from minicnn.data.table import named_files
from minicnn.errors import ArgumentError, DataError, UnsupportedError
from minicnn.ops import softmax
from minicnn.transfer import Preparation, class_count, class_names_of, preparation_of
from minicnn.weights.fetch import find
from minicnn.weights.registry import class_index

BATCH = 32
SHOWN = 8  # names of classes in a line
KEEPING = ("Dropout", "Flatten", "GlobalAveragePooling2D", "Reshape")


@dataclass(frozen=True)
class Classifier:
    """A model from a file, with its class names and how pictures are made ready for it."""

    model: Any
    preparation: Preparation
    class_names: Sequence[str]
    logits: bool = False

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """(N,C) for uint8 pictures (N,H,W,3); of a model with one output, those of no and yes."""
        y = self.model.predict(self.preparation(images), batch_size=BATCH)
        if y.shape[1] == 1:
            y = np.concatenate([np.zeros_like(y) if self.logits else 1 - y, y], axis=1)
        return softmax(Tensor(y)).numpy() if self.logits else y


def load_classifier(
    path: str,
    preprocessing: str | None = None,
    dense_storage: str = "float32",
    classes: str | None = None,
    device: str = "cpu",
) -> Classifier:
    """
    The classifier in a model file, or of published weights; classes without names are called "class 0", "class 1", ...

    It predicts on `device`, with the weights of dense layers stored as `dense_storage`; `classes` is what --classes
    says.

    Raises
    ------
    MinicnnError
        The file is damaged, holds no whole model, or the model is no classifier of pictures.
    """
    _refuse_pictures(path)
    model = model_files.load(path, classifier=True)
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        shapes = ", ".join(str(tensor.shape[1:]) for tensor in model.outputs)
        raise UnsupportedError(f"{path} is no classifier: its outputs have shapes {shapes}; expected one of (classes,)")
    model.dense_storage = dense_storage
    model.to(device)
    preparation = preparation_of(model, path, preprocessing=preprocessing)
    names = _class_names(model, path, classes)
    logits = _last_activation(model.outputs[0]) == "linear"
    if logits:
        note(f"the last layer of {path} has no activation: its outputs are taken for logits")
    return Classifier(model, preparation, names, logits)


def _last_activation(tensor: Any) -> Any:
    """What a layer with an activation did before others that keep rows of probabilities what they are."""
    layer = tensor.node.layer
    if hasattr(layer, "graph"):
        return _last_activation(layer.outputs[tensor.index])
    if type(layer).__name__ in KEEPING:
        return _last_activation(tensor.node.inputs[0])
    return getattr(layer, "activation", None)


def _refuse_pictures(path: str) -> None:
    """Say where a model is expected when arguments are swapped."""
    if os.path.isdir(path) and pictures_below(path)[0]:
        raise ArgumentError(f"{path} is a folder of pictures: the model is named first, then pictures")
    if os.path.isfile(path) and os.access(path, os.R_OK):
        with open(path, "rb") as file:
            if sniff(file.read(16)) not in FORMATS:
                return
        raise ArgumentError(
            f"{path} is a picture, neither an HDF5 file nor a .keras archive: the model is named first, then pictures"
        )


def _class_names(model: Any, path: str, chosen: str | None) -> list[str]:
    """Those that are chosen, with a note where the file has others; else the file's, else the usual ones."""
    stored, count = class_names_of(model, path), class_count(model)
    if chosen is None:
        return stored or _usual_names(count)
    names = read_names(chosen, count)
    if stored and stored != names:
        known = ", ".join(stored[:SHOWN]) + ", ..." * (len(stored) > SHOWN)
        note(f"warning: {path} names its classes {known}; those of --classes are used instead")
    return names


def _usual_names(count: int) -> list[str]:
    """ImageNet's names for 1,000 classes where they are on this machine, else numbers; nothing is downloaded."""
    if count == IMAGENET_CLASSES:
        if find(class_index()) is not None:
            return [name for _, name in imagenet_classes()]
        note(f"classes are numbered; minicnn weights fetch {class_index().file}, once, gets their names")
    return _numbered(count)


def _numbered(count: int) -> list[str]:
    return [f"class {i}" for i in range(count)]


@dataclass(frozen=True)
class Answers:
    """Files that could be read with their probabilities (M,C) and SHA-256, and what was said about the others.

    `doubts` are of files that were read, but have little to see.
    """

    files: list[Path]
    probabilities: np.ndarray
    hashes: Sequence[str]
    problems: Sequence[ImageNote]
    doubts: Sequence[ImageNote]


def classify(classifier: Classifier, files: Sequence[Path], progress=None) -> Answers:
    """The probabilities of all files that can be read, BATCH of them in memory at a time."""
    good: list[Path] = []
    hashes: list[str] = []
    rows, problems, doubts = [np.empty((0, len(classifier.class_names)), np.float32)], [], []
    for start in range(0, len(files), BATCH):
        loaded = load_images(files[start : start + BATCH], classifier.preparation.rule)
        problems += loaded.problems
        doubts += [said for said in loaded.notes if said.kind == ENLARGED]
        good += [files[start + i] for i in loaded.indices]
        hashes += loaded.hashes
        if len(loaded.images):
            rows.append(classifier.probabilities(loaded.images))
        if progress is not None:
            progress("pictures", min(start + BATCH, len(files)), len(files))
    return Answers(good, np.concatenate(rows), hashes, problems, doubts)


def best(probabilities: np.ndarray, names: Sequence[str], top: int) -> Iterator[tuple[str, float]]:
    """(class name, probability) of the `top` likeliest classes of one picture, the likeliest first."""
    for i in map(int, np.argsort(-probabilities, kind="stable")[:top]):
        yield names[i], float(probabilities[i])


def labelled_files(path: str, class_names: Sequence[str]) -> tuple[LabelledFiles, np.ndarray]:
    """
    (files of a folder or a table, rows to judge): the validation part where a folder has one, else all.

    Raises
    ------
    DataError, FileAccessError, FileFormatError
        As of `named_files`; for a model whose file names no classes, the message says how to name them.
    """
    try:
        files = named_files(path, class_names)
    except UnknownClassError as error:
        if list(class_names) != _numbered(len(class_names)):
            raise
        remedy = "add --classes NAMES, in the order of its outputs (Keras sorts folders by name)"
        raise DataError(f"{error.found}, but the file of the model does not name its classes: {remedy}") from None
    return files, np.arange(len(files)) if files.split is None else files.split.validation
