"""extract_features: the outputs of any layer, for every form of pictures, each picture passes once."""

import numpy as np
import pytest
from transfer_cases import SIDE, small_net

from minicnn.data import load_images, scan_folder
from minicnn.errors import ArgumentError, DataError, DTypeError, ShapeError
from minicnn.layers import Conv2D, Dense, Flatten, GlobalAveragePooling2D, Input
from minicnn.models import Model, Sequential
from minicnn.preparation import Preparation, ResizeRule
from minicnn.transfer import FeatureCache, extract_features
from minicnn.transfer.extraction import feature_base, features_of, picture_source

pytestmark = pytest.mark.numpy_only

IMAGES = np.random.default_rng(0).integers(0, 256, (40, SIDE, SIDE, 3)).astype(np.uint8)
TF = Preparation(ResizeRule(SIDE), "tf")


@pytest.fixture
def net():
    model = small_net(preprocessing="tf")
    model.trainable = False  # with a cache, a net that would act otherwise in training is refused
    return model


def outputs(net, layer):
    """What a layer of a model gives for the pictures."""
    return Model(net.inputs, net.get_layer(layer).output).predict(TF(IMAGES))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_by_default_features_are_what_the_classifier_sees(net):
    close(extract_features(net, IMAGES), outputs(net, "pool"))


def test_maps_are_pooled_by_mean_or_maximum_or_not_at_all(net):
    maps = outputs(net, "relu1")
    close(extract_features(net, IMAGES, layer="relu1"), maps.mean((1, 2)))
    close(extract_features(net, IMAGES, layer="relu1", pooling="max"), maps.max((1, 2)))
    close(extract_features(net, IMAGES, layer="relu1", pooling=None), maps)


def test_another_pooling_takes_the_place_of_the_networks_last_average(net):
    maps = outputs(net, "relu2")
    close(extract_features(net, IMAGES, pooling="max"), maps.max((1, 2)))
    close(extract_features(net, IMAGES, pooling=None), maps)


def test_the_classifier_can_be_asked_too(net):
    close(extract_features(net, IMAGES, layer="old_head"), net.predict(TF(IMAGES)))


def test_channels_first_are_pooled_over_their_places():
    model = Sequential(
        [Input((3, 8, 8)), Conv2D(5, 3, data_format="channels_first", name="maps"),
         GlobalAveragePooling2D("channels_first"), Dense(2)]
    )  # fmt: skip
    x = np.random.default_rng(0).random((2, 3, 8, 8), np.float32)
    maps = Model(model.inputs, model.get_layer("maps").output).predict(x)
    close(extract_features(model, x, layer="maps"), maps.mean((2, 3)))


def test_layers_of_models_inside_models_can_be_named(net):
    body = Model(net.inputs, net.get_layer("relu2").output, name="body")
    outer = Sequential([Input((SIDE, SIDE, 3)), body, Flatten(), Dense(7, name="fc"), Dense(2, name="last")])
    x = TF(IMAGES)
    close(extract_features(outer, x, layer="relu1", pooling=None), outputs(net, "relu1"))
    close(extract_features(outer, x, layer="fc"), Model(outer.inputs, outer.get_layer("fc").output).predict(x))


def test_files_arrays_and_lists_give_the_same(net, photos):
    files = scan_folder(photos).files
    images = load_images(files, ResizeRule(SIDE)).images
    expected = extract_features(net, images)
    for same in (files, [str(file) for file in files], np.array(files, dtype=str), list(images)):
        np.testing.assert_array_equal(extract_features(net, same), expected)


def test_pictures_of_several_sizes_are_resized(net):
    large = np.repeat(np.repeat(IMAGES[:3], 2, axis=1), 2, axis=2)
    found = extract_features(net, [*large, IMAGES[3]])
    expected = extract_features(net, np.stack([*(TF.rule.apply_to_array(picture) for picture in large), IMAGES[3]]))
    np.testing.assert_array_equal(found, expected)


def test_an_array_of_pictures_of_several_sizes_is_taken_as_their_list(net):
    several = np.empty(2, object)
    several[:] = [IMAGES[0][:20], IMAGES[1]]
    np.testing.assert_array_equal(extract_features(net, several), extract_features(net, list(several)))


def test_the_model_stays_as_it_is(net):
    net.trainable = True
    before = [array.copy() for array in net.get_weights()]
    extract_features(net, IMAGES, layer="relu1")
    assert all(np.array_equal(a, b) for a, b in zip(before, net.get_weights()))
    assert all(layer.trainable for layer in net.layers)


def test_any_selection_of_known_pictures_costs_nothing(net, tmp_path, passes):
    cache = FeatureCache(tmp_path)
    features = extract_features(net, IMAGES, cache=cache)
    assert passes == [32, 8]
    rows = [7, 3, 39, 3, 0]
    np.testing.assert_array_equal(extract_features(net, IMAGES[rows], cache=cache), features[rows])
    assert passes == [32, 8]


def test_a_picture_that_occurs_twice_is_computed_once(net, passes):
    features = extract_features(net, IMAGES[[0, 1, 0, 0]])
    assert passes == [2]
    np.testing.assert_array_equal(features[[0, 2]], features[[3, 0]])


@pytest.mark.parametrize("other", [{"layer": "relu1"}, {"pooling": "max"}])
def test_other_features_are_kept_apart(net, tmp_path, passes, other):
    cache = FeatureCache(tmp_path)
    extract_features(net, IMAGES[:4], cache=cache)
    extract_features(net, IMAGES[:4], cache=cache, **other)
    assert passes == [4, 4]


def test_prepared_numbers_are_not_taken_for_pixels(net, tmp_path, passes):
    cache = FeatureCache(tmp_path)
    extract_features(net, IMAGES[:4], cache=cache)
    extract_features(net, IMAGES[:4].astype(np.float32), cache=cache)
    assert passes == [4, 4]


@pytest.mark.parametrize(
    ("images", "options", "error", "said"),
    [
        ([], {}, DataError, "there are no pictures"),
        ("photos", {}, ArgumentError, r"for a folder: scan_folder\('photos'\).files"),
        (IMAGES, {"layer": "relu"}, ArgumentError, "no layer 'relu'; some that it has: relu2, relu1"),
        (IMAGES, {"layer": "no_layer"}, ArgumentError, "some that it has: (?!input)"),
        (IMAGES, {"pooling": "mean"}, ArgumentError, "pooling must be one of 'avg', 'max', None; it is 'mean'"),
        (
            [IMAGES[0] / 255, IMAGES[1][:20] / 255],
            {},
            ShapeError,
            r"have 2, \(20, 24, 3\) and \(24, 24, 3\) among them",
        ),
        ([IMAGES[0] / 255, IMAGES[1]], {}, DTypeError, "all uint8, or all floats .* got float64, uint8"),
        (np.where(np.arange(40)[:, None, None, None] == 7, np.nan, IMAGES), {}, DataError, "picture 7 holds NaN"),
        ([IMAGES[0, :0]], {}, ShapeError, r"a picture has no pixels: its shape is \(0, 24, 3\)"),
        (IMAGES.astype(np.int64), {}, DTypeError, "pictures are uint8 with values 0..255, or floats"),
    ],
)
def test_what_is_not_understood_is_refused(net, images, options, error, said):
    with pytest.raises(error, match=said):
        extract_features(net, images, **options)


def test_files_need_a_model_that_says_how_pixels_are_prepared(photos):
    with pytest.raises(ArgumentError, match=r"set model.metadata\['preprocessing'\]"):
        extract_features(small_net(), scan_folder(photos).files)


def test_a_file_that_is_no_picture_is_named(net, photos, tmp_path):
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match=r"torn\.png"):
        extract_features(net, [*scan_folder(photos).files[:2], tmp_path / "torn.png"])


def test_damaged_weights_are_named(net):
    net.get_layer("conv2").set_weights([np.full_like(w, np.nan) for w in net.get_layer("conv2").get_weights()])
    with pytest.raises(DataError, match="features that are not finite"):
        extract_features(net, IMAGES)


def test_a_file_that_changes_in_between_leaves_no_features_under_its_old_name(net, photos, tmp_path):
    file, base = next(photos.rglob("*.png")), feature_base(net)
    before, source = file.read_bytes(), picture_source([file], base)
    file.write_bytes(before + b"more")  # which the decoder does not mind
    try:
        with pytest.raises(DataError, match=rf"{file.name} changed while it was used: run again"):
            features_of(base, source, FeatureCache(tmp_path))
    finally:
        file.write_bytes(before)
    assert list(tmp_path.rglob("*.features")) == []
