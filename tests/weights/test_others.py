"""Files and folders that are not opened are called what they are, with what can be done about them."""

import zipfile

import pytest

from minicnn.errors import ArgumentError, FileAccessError, FileFormatError
from minicnn.weights import open_weights

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("name", "contents", "said"),
    [
        ("net.tflite", b"\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite model, .*: name the Keras model that it was made"),
        ("net.bin", b"\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite model"),
        ("net.onnx", b"\x08\x08\x12\x07pytorch", "an ONNX model, .*: name the Keras model or state dict that it was"),
        ("frozen.pb", b"\x0a\x10\x0a\x05input", "a TensorFlow graph, .*: name the Keras model that it was made from"),
        ("saved_model.pb", b"\x08\x01\x12\x10", "a TensorFlow SavedModel, .* and save it as .h5"),
        ("net.ckpt.index", b"\0\0\x03\x14", "a TensorFlow checkpoint, .* save the weights as .h5"),
        ("net.ckpt.data-00000-of-00001", b"\0\0\x80\x3f", "a TensorFlow checkpoint"),
        ("net.pt", b"ustar\0", r"no safetensors \(a file of PyTorch\?\), .*safetensors.torch.save_file"),
        ("cat.jpg", b"\xff\xd8\xff\xe0", "a picture, neither .*: name a model or weights"),
        ("cat.png", b"\x89PNG\r\n\x1a\n", "a picture"),
        ("cat.webp", b"RIFF\0\0\0\0WEBP", "a picture"),
        ("cat.bmp", b"BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "a picture"),
        ("cars.txt", b"BMW and Opel are makers of cars", "neither an HDF5 file nor a .keras archive nor safetensors"),
        ("model.safetensors.index.json", b'{"metadata": {"total_size": 9}}', "the index of a checkpoint that lies in"),
        ("parts", b'{"weight_map": {"a": "model-00001-of-00002.safetensors"}}', "the index .* save all arrays as one"),
    ],
)
def test_files_of_others(name, contents, said, tmp_path):
    path = tmp_path / name
    path.write_bytes(contents)
    with pytest.raises(FileFormatError, match=rf"{name} is {said}"):
        open_weights(path)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("saved_model.pb", "is a TensorFlow SavedModel, .* and save it as .h5"),
        ("checkpoint", "is a TensorFlow checkpoint"),
        ("model.keras", "is a folder: name the model in it, .*/net/model.keras"),
        ("readme.txt", "is a folder: name a .keras, .h5 or .safetensors file"),
    ],
)
def test_folders(inside, said, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / inside).write_bytes(b"")
    with pytest.raises(FileAccessError, match=f"/net {said}"):
        open_weights(tmp_path / "net")


def test_a_checkpoint_is_named_by_what_its_files_begin_with(tmp_path):
    with pytest.raises(FileAccessError, match=r"/net.ckpt does not exist: check the path"):
        open_weights(tmp_path / "net.ckpt")
    (tmp_path / "net.ckpt.index").write_bytes(b"")
    with pytest.raises(FileAccessError, match=r"/net.ckpt is a TensorFlow checkpoint"):
        open_weights(tmp_path / "net.ckpt")


def test_an_empty_path():
    with pytest.raises(FileAccessError, match=r"^the path of a file is empty: name a .keras, "):
        open_weights("")


def test_a_zip_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("cat/1.jpg", b"")
    with pytest.raises(FileFormatError, match=r"photos.zip is a zip archive, but no .keras file: unpack it"):
        open_weights(tmp_path / "photos.zip")


@pytest.mark.parametrize("path", [None, 3, ["a.h5"]])
def test_what_is_no_path(path):
    with pytest.raises(ArgumentError, match="weights are read from a file, which is named by its path; got"):
        open_weights(path)
