"""The precision of a model on a device: what takes it over, and what is kept apart by it."""

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install

from minicnn.layers import BatchNormalization, Conv2D, Dense, Flatten, GlobalAveragePooling2D, Input
from minicnn.models import Model, Sequential, feature_file, features
from minicnn.models.identity import kernels_text
from minicnn.seeds import set_random_seed
from minicnn.transfer import FeatureCache, Preparation, extract_features, freeze
from minicnn.transfer.features import features_by_batch

pytestmark = pytest.mark.cuda_emulated
DEVICE = "cuda-emulated"
X = np.random.default_rng(0).standard_normal((4, 8, 8, 3)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[np.arange(4) % 3]
PHOTOS = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def device() -> EmulatedDevice:
    return install()


def network(precision: str = "float32") -> Model:
    set_random_seed(5)
    image = Input((8, 8, 3))
    maps = BatchNormalization(name="norm")(Conv2D(8, 3, name="conv")(image))
    model = Model(image, Dense(3, name="dense")(GlobalAveragePooling2D(name="pool")(maps)))
    model.metadata["preprocessing"] = "tf"
    model.to(DEVICE).precision = precision
    return model


def part_of(model: Model) -> Model:
    return Model(model.inputs, model.get_layer("norm").output)


def test_the_part_up_to_a_layer_computes_as_the_whole():
    model = network("bfloat16")
    whole = Model(model.inputs, model.layers[-1].output)
    assert (whole.precision, part_of(model).precision) == ("bfloat16", "bfloat16")
    np.testing.assert_array_equal(whole.predict(X), model.predict(X))
    assert not np.array_equal(model.predict(X), network().predict(X))


def test_new_layers_on_a_rounded_body_are_rounded_with_it():
    body = network("bfloat16")
    head = Model(body.inputs, Dense(2, name="new")(body.get_layer("pool").output))
    assert (head.device, head.precision) == (DEVICE, "bfloat16")
    assert Model(head.inputs, head.get_layer("new").output).precision == "bfloat16"


def test_each_model_has_a_setting_of_its_own_afterwards():
    model = network("bfloat16")
    part = part_of(model)
    part.precision = "float32"
    assert (model.precision, part.precision) == ("bfloat16", "float32")
    assert part_of(part).precision == "float32"
    model.precision = "tf32"
    assert (part.precision, part_of(model).precision) == ("float32", "tf32")


def test_the_way_to_the_cpu_and_back_ends_at_float32():
    model = network("bfloat16")
    assert part_of(model.to("cpu")).precision == "float32"
    assert part_of(model.to(DEVICE)).precision == model.precision == "float32"


def test_a_model_that_is_built_by_its_first_data_hands_its_precision_on():
    model = Sequential([Conv2D(4, 3), Flatten(), Dense(2)]).to(DEVICE)
    model.precision = "bfloat16"
    model.predict(X)
    assert model.precision == "bfloat16"
    assert Model(model.inputs, model.layers[0].output).precision == "bfloat16"
    rounded = Sequential([Input((2,)), Dense(2)]).to(DEVICE)
    rounded.precision = "tf32"
    model.precision = "float32"
    model.add(rounded)
    assert model.predict(X).shape == (4, 2)
    assert (model.precision, rounded.precision) == ("float32", "tf32")


def test_kernels_are_told_apart_by_the_precision():
    names = [kernels_text(DEVICE, precision) for precision in ("float32", "tf32", "bfloat16")]
    assert names == [DEVICE, f"{DEVICE} tf32", f"{DEVICE} bfloat16"]


def test_fit_finds_features_in_the_precision_alone_that_they_were_computed_in(monkeypatch, tmp_path):
    monkeypatch.setattr(features, "SHARE", 0.0)
    monkeypatch.setattr(feature_file, "features_folder", lambda: tmp_path)  # kernels stay in the cache folder
    counts = []
    for precision in ("float32", "bfloat16", "float32", "bfloat16"):
        model = network(precision)
        for layer in model.layers[:3]:
            layer.trainable = False
        model.compile("sgd", "mse")
        model.fit(X, Y, epochs=2, batch_size=2, verbose=0)
        counts.append(len(list(tmp_path.rglob("*.features"))))
    assert counts == [1, 2, 2, 2]


def test_transfer_finds_features_in_the_precision_alone_that_they_were_computed_in(tmp_path):
    cache, found = FeatureCache(tmp_path), []
    for precision in ("float32", "bfloat16", "float32", "bfloat16"):
        model = network(precision)
        freeze(model)
        _, use = features_by_batch(
            model, PHOTOS, list("abc"), Preparation.from_metadata(model.metadata, model.input_shape), cache
        )
        found.append((use.found, use.computed))
    assert found == [(0, 3), (0, 3), (3, 0), (3, 0)]


def test_extracted_features_are_those_of_the_models_precision(tmp_path):
    cache, found = FeatureCache(tmp_path), []
    for precision in ("float32", "bfloat16"):
        model = network(precision)
        freeze(model)
        expected = part_of(model).predict(model.prepare(PHOTOS)).mean(axis=(1, 2))
        for kept in (False, cache, cache):
            found.append(extract_features(model, PHOTOS, layer="norm", cache=kept))
            np.testing.assert_allclose(found[-1], expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(found[0], found[-1], rtol=1e-4, atol=1e-5)
