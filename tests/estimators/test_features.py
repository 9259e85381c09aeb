"""CNNFeatures: what the network gives, for every form of pictures, with one pass for all folds."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from transfer_cases import SIDE, small_net

from minicnn import estimators
from minicnn.data import load_images, scan_folder
from minicnn.errors import ArgumentError, DataError, MissingExtraError, ShapeError
from minicnn.estimators import CNNClassifier, CNNFeatures
from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.preparation import ResizeRule
from minicnn.transfer import extract_features


def test_features_are_those_of_extract_features(pictures, net_file):
    features = CNNFeatures(net_file, layer="relu1", pooling="max", cache=False).fit_transform(pictures[0])
    expected = extract_features(net_file, pictures[0], layer="relu1", pooling="max")
    np.testing.assert_array_equal(features, expected)


def test_maps_that_are_not_pooled_are_rows(pictures, net_file):
    step = CNNFeatures(net_file, layer="relu1", pooling=None, cache=False).fit(pictures[0])
    assert step.transform(pictures[0][:2]).shape == (2, 12 * 12 * 8)
    assert len(step.get_feature_names_out()) == 12 * 12 * 8


def column(values) -> np.ndarray:
    """Things of any kind as an array of objects, which a column of a table is."""
    array = np.empty(len(values), object)
    for place, value in enumerate(values):
        array[place] = value
    return array


class Column:
    """What pandas and polars call a Series."""

    def __init__(self, values):
        self.values, self.shape = values, (len(values),)

    def __len__(self):
        return len(self.values)

    def to_numpy(self):
        return column(self.values)


def test_files_lists_and_flat_pictures_are_taken_as_arrays_are(photos, net_file):
    files = list(scan_folder(photos).files)
    images = load_images(files, ResizeRule(SIDE)).images
    expected = CNNFeatures(net_file, cache=False).fit_transform(images)
    several = column(images), Column(images), list(images), np.array(list(images), dtype=object)
    for same in (files, np.array(files, dtype=str), Column(files), *several):
        np.testing.assert_array_equal(CNNFeatures(net_file, cache=False).fit_transform(same), expected)
    flat = CNNFeatures(net_file, image_shape=(SIDE, SIDE, 3), cache=False).fit_transform(
        images.reshape(len(images), -1)
    )
    np.testing.assert_array_equal(flat, expected)


def test_pictures_of_pillow_are_pictures(pictures, net_file):
    given = [Image.fromarray(pixels) for pixels in pictures[0]]
    step = CNNFeatures(net_file, cache=False)
    np.testing.assert_array_equal(step.fit_transform(given), step.fit_transform(pictures[0]))


def test_pictures_of_several_sizes_go_through_folds(pictures, net_file):
    x, y = pictures
    several = column([picture[: 12 + number % 9] for number, picture in enumerate(x)])
    pipeline = make_pipeline(CNNFeatures(net_file, cache=False), SVC())
    assert cross_val_score(pipeline, several, y, cv=3, error_score="raise").mean() > 0.9


@pytest.mark.parametrize("given", [list, column])
def test_pictures_and_files_in_one_list_are_refused(pictures, net_file, given):
    mixed = given([*pictures[0][:2], "file.png"])
    said = "CNNFeatures: X is all pictures or all files; number 2 is the file 'file.png' and number 0 a picture"
    with pytest.raises(DataError, match=said):
        CNNFeatures(net_file, cache=False).fit_transform(mixed)


def test_floats_as_objects_are_what_the_network_takes(pictures, net_file):
    x = pictures[0][:4] / np.float32(127.5) - 1
    step = CNNFeatures(net_file, cache=False)
    np.testing.assert_array_equal(step.fit_transform(x.astype(object)), step.fit_transform(x))


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_refused_with_what_to_do(photos, net_file, kind):
    with pytest.raises(ArgumentError, match=r"CNNFeatures: X is pictures or a list of files, .*scan_folder\(\.\.\.\)"):
        CNNFeatures(net_file).fit(kind(photos), [0, 1])


def test_all_folds_cost_one_pass_of_the_backbone(pictures, net_file, tmp_path, passes):
    x, y = pictures
    pipeline = make_pipeline(CNNFeatures(net_file, cache=tmp_path), SVC())
    scores = cross_val_score(pipeline, x, y, cv=StratifiedKFold(5, shuffle=True, random_state=0))
    assert scores.mean() > 0.9
    assert sum(passes) == len(x)
    passes.clear()
    search = GridSearchCV(pipeline, {"svc__C": [0.1, 1.0, 10.0]}, cv=3).fit(x, y)
    assert search.score(x, y) > 0.9
    assert passes == []


def test_layers_can_be_searched(pictures, net_file, tmp_path):
    pipeline = make_pipeline(CNNFeatures(net_file, cache=tmp_path), SVC())
    grid = {"cnnfeatures__layer": ["relu1", "relu2"], "cnnfeatures__pooling": ["avg", "max", None]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(*pictures)
    assert len(search.cv_results_["params"]) == 6


def test_a_pickled_pipeline_says_the_same_without_its_file(pictures, tmp_path):
    small_net(preprocessing="tf").save(tmp_path / "net.keras")
    pipeline = make_pipeline(CNNFeatures(str(tmp_path / "net.keras"), cache=False), SVC()).fit(*pictures)
    again = pickle.loads(pickle.dumps(pipeline))
    (tmp_path / "net.keras").unlink()
    np.testing.assert_array_equal(again.decision_function(pictures[0]), pipeline.decision_function(pictures[0]))


def test_a_model_of_yours_is_a_base_and_is_not_changed(pictures):
    model = small_net(preprocessing="tf")
    before = [array.copy() for array in model.get_weights()]
    step = clone(CNNFeatures(model, cache=False)).fit(pictures[0])
    np.testing.assert_allclose(step.transform(pictures[0]), extract_features(model, pictures[0]), rtol=1e-6)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert model.trainable


def test_rows_stay_as_they_are_and_it_says_so():
    rows = np.random.default_rng(0).standard_normal((4, 5))
    with pytest.warns(UserWarning, match=r"rows of 5 numbers are no pictures .* image_shape"):
        step = CNNFeatures().fit(rows)
    np.testing.assert_array_equal(step.transform(rows), rows)


@pytest.mark.filterwarnings("ignore:CNNFeatures. rows of")
def test_pictures_and_rows_are_not_mixed(pictures, net_file):
    with pytest.raises(ShapeError, match="was fitted to pictures and is given rows of numbers"):
        CNNFeatures(net_file).fit(pictures[0]).transform(np.zeros((3, 8)))
    with pytest.raises(ShapeError, match="was fitted to rows of numbers and is given pictures"):
        CNNFeatures(net_file).fit(np.zeros((3, 8))).transform(pictures[0])
    with pytest.raises(ShapeError, match=r"image_shape is \(4, 4\), so rows have 16 numbers; got an array \(3, 8\)"):
        CNNFeatures(net_file, image_shape=(4, 4)).fit(np.zeros((3, 8)))


def test_without_scikit_learn_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"CNNFeatures needs scikit-learn.*pip install scikit-learn"):
        estimators.CNNFeatures  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'CNNRegressor'"):
        estimators.CNNRegressor  # noqa: B018


def test_a_refused_fit_changes_nothing(pictures, net_file):
    step = CNNFeatures(net_file, layer="nothing", cache=False)
    with pytest.raises(ArgumentError, match="no layer 'nothing'"):
        step.fit(pictures[0])
    with pytest.raises(NotFittedError):
        step.transform(pictures[0])


@pytest.mark.filterwarnings("ignore:CNNFeatures. rows of")
def test_pictures_have_no_names_of_columns(pictures, net_file):
    step = CNNFeatures(net_file, cache=False).fit(np.zeros((3, 8)))
    assert hasattr(step, "n_features_in_")
    assert not hasattr(step.fit(pictures[0]), "n_features_in_")


@pytest.mark.parametrize("kind", [CNNFeatures, CNNClassifier])
def test_maps_as_large_as_the_pictures_are_no_rows(kind, pictures):
    net = Sequential([Input((None, None, 3)), Conv2D(4, 3), GlobalAveragePooling2D(), Dense(2)])
    x, y = pictures[0] / np.float32(255), pictures[1]
    with pytest.raises(ArgumentError, match=r"maps \(None, None, 4\), as large as the pictures: take pooling='avg'"):
        kind(net, pooling=None, cache=False).fit(x, y)
