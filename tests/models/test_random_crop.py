"""RandomCrop of files of every Keras 3, against golden/random_crop.npz."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from minicnn import weights
from minicnn.errors import UnsupportedError, WeightsMismatchError
from minicnn.layers import Dense, Flatten, Input, RandomCrop
from minicnn.models import Model, Sequential, load_model, model_from_config, model_from_json
from minicnn.models.config_writing import model_config
from minicnn.models.weight_files import layer_spec

pytestmark = pytest.mark.numpy_only
GOLDEN = dict(np.load(Path(__file__).parents[1] / "golden" / "random_crop.npz"))
NO_LAYER_OF_315 = [key for key in GOLDEN if key.startswith(("3.6", "3.7")) and key.endswith(("9 3 4 6", "3 9 4 6"))]


def images(height: int, width: int) -> np.ndarray:
    return (np.arange(height * width, dtype=np.float32) * 7 % 31).reshape(1, height, width, 1)


def crop_model(key: str) -> Model:
    version, *numbers = key.split()
    height, width, rows, columns = map(int, numbers)
    config = model_config(Sequential([Input((height, width, 1)), RandomCrop(rows, columns, name="crop")]))
    return model_from_config(config, version)


@pytest.mark.parametrize("key", GOLDEN)
def test_gives_what_the_keras_of_the_file_gave(key):
    model, expected = crop_model(key), GOLDEN[key]
    assert model.output_shape == (None, *expected.shape[1:])
    np.testing.assert_allclose(model.predict(images(*model.input_shape[1:3])), expected, atol=1e-5)


@pytest.mark.parametrize("key", sorted(GOLDEN.keys() - set(NO_LAYER_OF_315)))
def test_stays_so_when_it_is_saved(key):
    model = model_from_json(crop_model(key).to_json())
    np.testing.assert_allclose(model.predict(images(*model.input_shape[1:3])), GOLDEN[key], atol=1e-5)


@pytest.mark.parametrize("key", NO_LAYER_OF_315)
def test_is_not_saved_as_something_else(key):
    with pytest.raises(UnsupportedError, match=r"layer crop: no layer of Keras 3\.15 gives what this RandomCrop"):
        crop_model(key).to_json()


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.15.0", "middle"), ("3.0.0", "middle"), ("3.5.0", "middle"), ("3.6.0.dev2024", "corner"), ("3.7.0", "corner")]
    + [("3.8.0", "keep"), ("3.10.0", "keep"), ("4.0", "keep"), ("3", "keep"), ("nightly", "keep")],
)
def test_what_it_does_follows_the_version(version, expected):
    config = model_config(Sequential([Input((9, 9, 1)), RandomCrop(4, 4)]))
    assert model_from_config(config, version).layers[0].in_inference == expected


def saved(path: Path, sides: tuple[int, int], version: str | None) -> Model:
    """A file with RandomCrop(4,6) before Flatten and Dense, whose weights are for images of `sides`."""
    tail = [Flatten(name="flat"), Dense(2, name="classes")]
    fitting = Sequential([Input((*sides, 1)), RandomCrop(sides[0], sides[1], name="crop"), *tail])
    crop = RandomCrop(4, 6, name="crop")
    config = model_config(Sequential([Input((9, 11, 1)), crop, Flatten(name="flat"), Dense(2, name="classes")]))
    weights.save_legacy_model(path, layer_spec(fitting), [w.numpy() for w in fitting.weights], config)
    with h5py.File(path, "a") as file:
        del file.attrs["keras_version"]
        if version:
            file.attrs["keras_version"] = version
    return fitting


@pytest.mark.parametrize("version", [None, "3.8.0", "3.15.1"])
def test_weights_that_fit_cropped_images_alone_are_given_those(version, tmp_path):
    fitting = saved(tmp_path / "a.h5", (4, 6), version)
    with pytest.warns(UserWarning, match="the weights only fit images that RandomCrop has cropped"):
        model = load_model(tmp_path / "a.h5")
    np.testing.assert_allclose(model.predict(images(9, 11)), fitting.predict(GOLDEN["3.5.0 9 11 4 6"]), rtol=1e-4)


def test_weights_that_fit_neither_are_refused_by_the_size_that_keras_has(tmp_path):
    saved(tmp_path / "a.h5", (5, 5), "3.15.1")
    with pytest.raises(WeightsMismatchError, match=r"\(99, 2\)"):
        load_model(tmp_path / "a.h5")
