"""finetune: any model, any data, one call; what is trained, what judges, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from transfer_cases import CLASSES, SIDE, small_net, write_photos

from minicnn.data import ArrayDataset
from minicnn.errors import ArgumentError, DataError, UnsupportedError
from minicnn.layers import Dense, Input
from minicnn.models import Sequential, load_model
from minicnn.transfer import FeatureCache, Policy, finetune, load_base

pytestmark = pytest.mark.numpy_only

POLICY = Policy(unfreeze=1, head_epochs=15, epochs=2, batch_size=8)


def pictures(per_class: int = 8, side: int = SIDE):
    """(uint8 pictures, class numbers) of noisy red, green and blue."""
    generator = np.random.default_rng(0)
    colours = np.repeat(list(CLASSES.values()), per_class, axis=0)[:, None, None]
    noisy = colours + generator.normal(0, 25, (len(colours), side, side, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8), np.repeat(np.arange(3), per_class)


def test_a_folder_and_a_file(photos, net_file):
    result = finetune(net_file, photos, POLICY)
    assert result.accuracy == 1.0
    assert list(result.class_names) == ["blue", "green", "red"]
    assert [phase.name for phase in result.phases] == ["head", "fine-tuning"]
    assert len(result.labels) == len(result.probabilities) == len(result.split.validation) == 6
    low, high = result.interval
    assert 0 < low < high == 1.0
    assert {"features", "train the head", "fine-tune"} <= result.seconds.keys()


def test_a_result_is_shown_in_a_line(net_file):
    result = finetune(net_file, pictures(), Policy(unfreeze=None, head_epochs=5))
    assert repr(result) == "FineTuned(3 classes: 100.0% of 6 samples kept aside, 95% interval 61.0% to 100.0%)"


def test_the_result_is_an_ordinary_model_that_knows_its_classes(photos, net_file, tmp_path):
    result = finetune(net_file, photos, replace(POLICY, rank=2, ema=0.9))
    result.model.save(tmp_path / "m.keras")
    again = load_model(str(tmp_path / "m.keras"))
    assert again.metadata["class_names"] == ["blue", "green", "red"]
    images, _ = pictures(2)
    found = again.predict(again.prepare(list(images)))
    np.testing.assert_allclose(found, result.model.predict(result.model.prepare(list(images))), rtol=1e-5)
    assert [again.metadata["class_names"][i] for i in found.argmax(axis=1)] == ["red"] * 2 + ["green"] * 2 + [
        "blue"
    ] * 2


@pytest.mark.parametrize("one_hot", [False, True])
def test_arrays_of_pictures_are_resized_and_prepared(net_file, one_hot):
    images, labels = pictures(side=30)
    result = finetune(net_file, (images, np.eye(3)[labels] if one_hot else labels), POLICY, class_names=["r", "g", "b"])
    assert result.accuracy == 1.0
    assert result.model.metadata["preprocessing"] == "tf"


def test_a_dataset_is_the_same_as_its_arrays(net_file):
    images, labels = pictures()
    ways = [(images, labels), ArrayDataset(images, labels)]
    first, second = (finetune(net_file, data, POLICY).probabilities for data in ways)
    assert first.tobytes() == second.tobytes()


def test_a_model_of_ones_own_takes_arrays_as_they_are():
    images, labels = pictures()
    model = small_net()
    result = finetune(model, (images / np.float32(127.5) - 1, labels), POLICY)
    assert result.accuracy == 1.0
    assert result.model.get_layer("conv2") is model.get_layer("conv2")  # its layers are those of the result
    assert "preprocessing" not in result.model.metadata


def test_a_model_whose_file_says_how_takes_pictures(photos):
    assert finetune(small_net(preprocessing="tf"), photos, POLICY).accuracy == 1.0


def test_the_head_alone_changes_no_other_layer():
    model, (images, labels) = small_net(), pictures()
    before = [w.copy() for layer in model.layers[:-1] for w in layer.get_weights()]
    result = finetune(model, (images / np.float32(255), labels), POLICY.without_fine_tuning())
    assert [phase.name for phase in result.phases] == ["head"]
    after = [w for layer in model.layers[:-1] for w in layer.get_weights()]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(before, after, strict=True))


def test_validation_samples_change_nothing():
    images, labels = pictures()
    x = images / np.float32(255)
    first = finetune(small_net(), (x, labels), POLICY)
    changed = x.copy()
    changed[first.split.validation] = changed[first.split.validation][::-1]
    kept = finetune(small_net(), (x, labels), POLICY)
    assert [w.tobytes() for w in kept.model.get_weights()] == [w.tobytes() for w in first.model.get_weights()]
    hashes = {row.tobytes() for row in x[first.split.validation]} & {row.tobytes() for row in x[first.split.train]}
    assert not hashes


def test_copies_stay_on_one_side():
    images, labels = pictures(4)
    x, y = np.concatenate([images, images]) / np.float32(255), np.concatenate([labels, labels])
    split = finetune(small_net(), (x, y), POLICY).split
    assert not {i % 12 for i in split.train} & {i % 12 for i in split.validation}


def test_a_cache_changes_no_bit(net_file, tmp_path):
    data, cache = pictures(), FeatureCache(tmp_path)
    policy = replace(POLICY, augment=None)
    results = [finetune(net_file, data, policy, cache=use) for use in (False, cache, cache)]
    assert len({result.probabilities.tobytes() for result in results}) == 1


def test_a_name_and_a_base():
    images, labels = pictures(side=32)
    by_name, by_base = (
        finetune(m, (images, labels), replace(POLICY, epochs=1)) for m in ("bundled", load_base("bundled"))
    )
    assert by_name.probabilities.tobytes() == by_base.probabilities.tobytes()


def test_a_rate_that_diverges_is_refused():
    images, labels = pictures()
    with np.errstate(all="ignore"), pytest.raises(DataError, match="fine-tuning diverged"):
        finetune(small_net(), (images / np.float32(255), labels), replace(POLICY, learning_rate=1e30))


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": 3}, ArgumentError, "takes a model"),
        ({"model": Sequential([Input((4,)), Dense(2)])}, UnsupportedError, "pictures"),
        ({"data": 3}, ArgumentError, "data must be"),
        ({"data": (np.zeros((3, 24, 24, 3)), [0, 1])}, DataError, "3 samples but 2 labels"),
        ({"data": (np.zeros((3, 24, 24, 3)), [0, 0, 0])}, DataError, "at least two"),
        ({"data": (np.zeros((3, 24, 24, 3)), [0, 1, 2]), "class_names": ["a", "b"]}, DataError, "label .2. is none of"),
        ({"class_names": ["r", "g", "b", "k"]}, DataError, "class 'k' has no pictures: add some or leave"),
        ({"policy": "fast"}, ArgumentError, "transfer.Policy"),
        ({"policy": Policy(unfreeze="conv9")}, ArgumentError, "no layer 'conv9'"),
        ({"validation": 1.0}, ArgumentError, "validation"),
        ({"policy": replace(POLICY, patience=2)}, DataError, "patience=2 training .* class '0' has too few different"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, error, said):
    images, labels = pictures(2)
    given = {"model": small_net(), "data": (images / np.float32(255), labels), "policy": POLICY} | arguments
    with pytest.raises(error, match=said):
        finetune(given.pop("model"), given.pop("data"), given.pop("policy"), **given)


def test_a_folder_for_a_model_that_does_not_say_how_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="how pixels are prepared"):
        finetune(small_net(), write_photos(tmp_path / "p", 2), POLICY)
