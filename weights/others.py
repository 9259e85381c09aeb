"""What a file or folder is that minicnn does not open, and what to do: told by its first bytes, else by its name."""

import os
import re
from pathlib import Path

NONE_OF_OURS = "neither an HDF5 file nor a .keras archive nor safetensors"
OURS = "a .keras, .h5 or .safetensors file"
PICTURE = f"a picture, {NONE_OF_OURS}: name a model or weights"
PICKLE = "which minicnn does not open: save the state dict there with safetensors.torch.save_file"
SAVED_MODEL = (
    "a TensorFlow SavedModel, which minicnn does not open: load it with tf.keras of TensorFlow up to 2.15, or with the "
    "package tf_keras, and save it as .h5"
)
CHECKPOINT = (
    "a TensorFlow checkpoint, which minicnn does not open: load it into its model in TensorFlow and save the weights "
    "as .h5"
)
CONVERTED = "which minicnn does not open: name the {} that it was made from"
TFLITE = f"a TensorFlow Lite model, {CONVERTED.format('Keras model')}"
INDEX = (
    "the index of a checkpoint that lies in several files, and holds no weights: load each of them in Python with "
    "safetensors.numpy.load_file and save all arrays as one file with safetensors.numpy.save_file"
)
JSON = "JSON, no weights: if Keras wrote it, model_from_json(text) in Python builds the model, then load_weights"

STARTS = (  # place and bytes -> what the file is, and what to do
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself: run `git lfs pull`"),
    (0, b"<", "a web page, not weights: the download failed, get the file again"),
    (0, b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (0, b"\x93NUMPY", "a NumPy array, not a Keras file"),
    (0, b"{", JSON),
    (0, b"\x80", f"a Python pickle (PyTorch?), {PICKLE}"),
    (4, b"TFL3", TFLITE),
    (0, b"\xff\xd8\xff", PICTURE),
    (0, b"\x89PNG", PICTURE),
    (0, b"GIF8", PICTURE),
    (0, b"II*\0", PICTURE),
    (0, b"MM\0*", PICTURE),
    (8, b"WEBP", PICTURE),
    (4, b"ftypheic", PICTURE),
)
BMP = re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0", re.DOTALL)  # and how long its second header is: 12 to 124
NAMES = (  # the end of a name, of files whose first bytes say nothing
    (r"saved_model\.pb", SAVED_MODEL),
    (r"\.pb", f"a TensorFlow graph, {CONVERTED.format('Keras model')}"),
    (r"\.onnx", f"an ONNX model, {CONVERTED.format('Keras model or state dict')}"),
    (r"\.tflite", TFLITE),
    (r"\.index|\.data-\d+-of-\d+", CHECKPOINT),
    (r"\.(pt|pth|ckpt|bin|pkl)", f"no safetensors (a file of PyTorch?), {PICKLE}"),
)


def what_it_is(head: bytes, name: str, size: int) -> str:
    """What the file with these first bytes is, after "NAME is"."""
    if size == 0:
        return "empty (0 bytes): the download or the copy failed, get the file again"
    text = head.lstrip()
    if text.startswith(b"{") and (name.lower().endswith(".safetensors.index.json") or b'"weight_map"' in text):
        return INDEX
    if BMP.match(head):
        return PICTURE
    for place, start, what in STARTS:
        if (head[place:] if place else text).startswith(start):
            return what
    found = (what for end, what in NAMES if re.search(rf"({end})$", name.lower()))
    return next(found, f"{NONE_OF_OURS}: expected weights saved by Keras")


def what_a_folder_is(path: str) -> str:
    """What to name in place of a folder, after "PATH is"."""
    folder = Path(path)
    if any(os.path.isfile(folder / name) for name in ("saved_model.pb", "saved_model.pbtxt")):
        return SAVED_MODEL
    if os.path.isfile(folder / "checkpoint"):
        return CHECKPOINT
    model = os.path.join(path, "model.keras")
    return f"a folder: name {f'the model in it, {model}' if os.path.isfile(model) else OURS}"


def what_is_missing(path: str) -> str:
    """Why there is no file: a checkpoint of TensorFlow is named by what its files begin with."""
    if not path:
        return f"the path of a file is empty: name {OURS}"
    if re.match(r"\w+://", path):
        return f"{path} is an address: minicnn reads files, download it first"
    return f"{path} is {CHECKPOINT}" if os.path.isfile(f"{path}.index") else f"{path} does not exist: check the path"
