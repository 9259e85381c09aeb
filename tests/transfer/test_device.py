"""Transfer on a device: bases by name go where they are told, and objects stay where they are."""

import copy

import numpy as np
import pytest
from emulator.device import NAME, install
from transfer_cases import SIDE, small_net

from minicnn.errors import ArgumentError
from minicnn.estimators import CNNClassifier, CNNFeatures
from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.transfer import Policy, compare, extract_features, find_learning_rate, finetune, load_base, rank_bases

HEAD = Policy(unfreeze=None, head_epochs=3, batch_size=8)
TUNED = Policy(unfreeze="conv2", epochs=2, head_epochs=3, batch_size=8)

pytestmark = pytest.mark.cuda_emulated


@pytest.fixture(autouse=True)
def device():
    return install()


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, list[str]]:
    generator = np.random.default_rng(0)
    night = generator.integers(0, 90, (8, SIDE, SIDE, 3))
    day = generator.integers(120, 250, (8, SIDE, SIDE, 3))
    return np.concatenate([night, day]).astype(np.uint8), ["night"] * 8 + ["day"] * 8


@pytest.mark.parametrize("policy", [HEAD, TUNED], ids=["head", "tuned"])
def test_finetune_loads_a_base_to_the_device_and_leaves_the_model_there(device, net_file, data, policy):
    on_device, on_cpu = finetune(net_file, data, policy, device=NAME), finetune(net_file, data, policy)
    assert (on_device.model.device, on_cpu.model.device) == (NAME, "cpu")
    assert (on_device.details.settings.device, on_cpu.details.settings.device) == (NAME, "cpu")
    assert device.launched
    np.testing.assert_allclose(on_device.probabilities, on_cpu.probabilities, atol=1e-4)


def test_objects_stay_where_they_are(device, net_file, data):
    model = small_net(preprocessing="tf").to(NAME)
    assert finetune(model, data, HEAD).model.device == NAME
    base = load_base(net_file, device=NAME)
    tuned = finetune(base, data, HEAD)
    assert (tuned.model.device, tuned.details.settings.device) == (NAME, NAME)
    device.launched.clear()
    extract_features(small_net(preprocessing="tf"), data[0], device=NAME)
    assert not device.launched


def test_features_come_from_the_device(device, net_file, data):
    features = extract_features(net_file, data[0], device=NAME)
    assert device.launched
    assert type(features) is np.ndarray
    np.testing.assert_allclose(features, extract_features(net_file, data[0]), atol=1e-4)


def test_find_learning_rate_on_the_device(device, net_file, data):
    found = find_learning_rate(net_file, data, TUNED, steps=5, device=NAME)
    assert device.launched
    np.testing.assert_allclose(found.losses, find_learning_rate(net_file, data, TUNED, steps=5).losses, rtol=1e-3)


def test_bases_are_ranked_on_the_device(device, net_file, data, monkeypatch):
    predicted, predict = [], type(small_net()).predict
    monkeypatch.setattr(
        type(small_net()), "predict", lambda m, *a, **k: predicted.append(m.device) or predict(m, *a, **k)
    )
    ranking = rank_bases(data, [net_file], device=NAME, cache=False)
    assert ranking.best.leep is not None
    assert set(predicted) == {NAME}  # the base, and its classifier, for LEEP
    assert ranking.best.log_me == pytest.approx(rank_bases(data, [net_file], cache=False).best.log_me, abs=1e-3)


@pytest.mark.parametrize("moved", [False, True], ids=["named", "moved by scratch"])
def test_all_that_is_compared_is_on_the_device(net_file, data, moved):
    made = []

    def scratch(classes):
        layers = [Conv2D(4, 3, strides=2, activation="relu"), GlobalAveragePooling2D(), Dense(classes, "softmax")]
        made.append(Sequential([Input((12, 12, 3)), *layers]))
        return made[-1].to(NAME) if moved else made[-1]

    base = load_base(net_file, device=NAME) if moved else net_file
    where = {} if moved else {"device": NAME}
    found = compare(data, [base], folds=2, policy=TUNED, scratch=scratch, cache=False, **where)
    assert [arm.method for arm in found.arms] == ["scratch", "features", "finetuned"]
    assert {model.device for model in made[2:]} == {NAME}  # the first two say the size of pictures


def test_estimators_take_a_device(device, net_file, data):
    pictures, labels = data
    features = CNNFeatures(net_file, device=NAME, cache=False).fit(pictures)
    assert features.base_.model.device == NAME
    classifier = CNNClassifier(net_file, device=NAME, policy=TUNED, cache=False).fit(pictures, labels)
    assert classifier.model_.device == NAME
    assert classifier.predict_proba(pictures).shape == (16, 2)
    assert copy.deepcopy(classifier).predict(pictures).tolist() == classifier.predict(pictures).tolist()


@pytest.mark.parametrize("is_base", [False, True])
def test_a_classifier_trains_its_copy_where_the_model_is(net_file, data, is_base):
    base = load_base(net_file, device=NAME) if is_base else small_net(preprocessing="tf").to(NAME)
    (base.model if is_base else base).precision = "bfloat16"
    trained = CNNClassifier(base, policy=TUNED, cache=False).fit(*data).model_
    assert (trained.device, trained.precision) == (NAME, "bfloat16")


def test_a_device_is_refused_before_weights_are_fetched(monkeypatch):
    monkeypatch.setattr("minicnn.transfer.base._found", lambda *options: pytest.fail("it was fetched"))
    with pytest.raises(ArgumentError, match="there is no device 'cud'"):
        load_base("mobilenet", device="cud")


@pytest.mark.parametrize("call", [finetune, find_learning_rate, extract_features, rank_bases, compare])
def test_a_device_that_is_not_there_is_refused(net_file, data, call):
    first = (data, [net_file]) if call in (rank_bases, compare) else (net_file, data)
    first = (net_file, data[0]) if call is extract_features else first
    with pytest.raises(ArgumentError, match="there is no device 'cud'"):
        call(*first, device="cud")
