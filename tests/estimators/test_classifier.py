"""CNNClassifier: what `finetune` does, as a classifier among scikit-learn's."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from transfer_cases import SIDE, small_net

from minicnn import seeds
from minicnn.estimators import CNNClassifier
from minicnn.models import load_model
from minicnn.transfer import Policy

HEAD = Policy(unfreeze=None, head_epochs=20)
TUNED = Policy(unfreeze=1, head_epochs=20, epochs=2)


def darker(picture, index, epoch):
    return picture // (epoch + 2)


@pytest.mark.parametrize("policy", [HEAD, TUNED])
def test_it_learns_names_of_classes_and_survives_pickling_and_saving(pictures, net_file, policy, tmp_path):
    x, y = pictures
    classifier = CNNClassifier(net_file, policy=policy, cache=False).fit(x, y)
    assert classifier.classes_.tolist() == ["blue", "green", "red"]
    assert classifier.score(x, y) > 0.9
    probabilities = classifier.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(x), probabilities)
    classifier.model_.save(tmp_path / "mine.keras")
    model = load_model(tmp_path / "mine.keras")
    np.testing.assert_allclose(model.predict(model.prepare(list(x))), probabilities, atol=1e-5)
    assert model.metadata["class_names"] == ["blue", "green", "red"]


def test_a_policy_that_unfreezes_changes_the_network_and_none_else_does(pictures, net_file):
    kernels = [
        CNNClassifier(net_file, policy=policy, cache=False).fit(*pictures).model_.get_layer("conv2").get_weights()[0]
        for policy in (HEAD, TUNED)
    ]
    original = load_model(net_file).get_layer("conv2").get_weights()[0]
    np.testing.assert_array_equal(kernels[0], original)
    assert not np.array_equal(kernels[1], original)


def test_the_base_stays_as_it_is(pictures):
    model = small_net(preprocessing="tf")
    before = [array.copy() for array in model.get_weights()]
    CNNClassifier(model, policy=TUNED, cache=False).fit(*pictures)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert model.trainable


def test_the_folds_of_a_head_cost_one_pass_of_the_backbone(pictures, net_file, tmp_path, passes):
    x, y = pictures
    classifier = CNNClassifier(net_file, policy=HEAD, cache=tmp_path)
    assert cross_val_score(classifier, x, y, cv=3, error_score="raise").mean() > 0.9
    assert sum(passes) == len(x)


def test_features_of_a_head_are_kept_in_half_the_room_when_the_policy_says_so(pictures, net_file, tmp_path, passes):
    x, y = pictures
    sizes, answers = [], []
    for policy in (HEAD, replace(HEAD, storage="float16")):
        passes.clear()
        cache = tmp_path / policy.storage
        classifier = CNNClassifier(net_file, policy=policy, cache=cache).fit(x, y)
        answers.append(classifier.predict_proba(x))
        assert sum(passes) == len(x), "what was kept to learn from is what answers are given by"
        (file,) = (file for file in cache.rglob("*") if file.is_file())
        sizes.append(file.stat().st_size)
        np.testing.assert_allclose(classifier.set_params(cache=False).predict_proba(x), answers[-1], rtol=1e-6)
    width = classifier.base_.model.layers[-1].get_weights()[0].shape[0]
    assert sizes[0] - sizes[1] == len(x) * width * 2
    assert not np.array_equal(*answers)
    np.testing.assert_allclose(*answers, atol=1e-2)


@pytest.mark.parametrize("choice", [{"storage": "float16"}, {"views": 2}], ids=["storage", "views"])
def test_rows_refuse_what_is_for_pictures(choice):
    classifier = CNNClassifier(policy=replace(HEAD, augment="mirror", **choice))
    with pytest.raises(ValueError, match=r"is for pictures' features: with rows leave it out"):
        classifier.fit(np.eye(6), [0, 1] * 3)


def test_rows_beyond_float32_are_refused():
    with pytest.raises(ValueError, match=r"beyond 3.4e\+38, which float32 has not: scale them"):
        CNNClassifier(policy=HEAD).fit(np.eye(6) * 1e39, [0, 1] * 3)


def test_a_refused_second_fit_leaves_no_classes_beside_the_first_head():
    classifier = CNNClassifier(policy=HEAD).fit(np.eye(6), [0, 1] * 3)
    with pytest.raises(ValueError, match="float32"):
        classifier.fit(np.eye(6) * 1e39, ["a", "b"] * 3)
    with pytest.raises(NotFittedError):
        classifier.predict(np.eye(6))


def test_labels_of_several_kinds_are_refused():
    with pytest.raises(ValueError, match="labels are of one kind; y holds NoneType, str"):
        CNNClassifier(policy=HEAD).fit(np.eye(6), np.array(["a", None] * 3, object))


def test_policies_can_be_searched(pictures, net_file):
    classifier = CNNClassifier(net_file, cache=False)
    search = GridSearchCV(classifier, {"policy": [HEAD, TUNED]}, cv=2, error_score="raise").fit(*pictures)
    assert search.best_estimator_.get_params()["policy"] in (HEAD, TUNED)


def test_choices_of_a_policy_can_be_searched_one_by_one(pictures, net_file):
    classifier = CNNClassifier(net_file, policy=HEAD, cache=False)
    grid = {"cnn__policy__head_epochs": [1, 20], "cnn__policy__label_smoothing": [0.1]}
    search = GridSearchCV(Pipeline([("cnn", classifier)]), grid, cv=2, error_score="raise").fit(*pictures)
    found = search.best_estimator_.named_steps["cnn"].policy
    assert found.label_smoothing == 0.1
    assert found.head_epochs in (1, 20)
    assert Policy(unfreeze=None, head_epochs=20) == HEAD


def test_choices_of_a_policy_are_parameters():
    classifier = CNNClassifier()
    assert classifier.get_params()["policy__epochs"] == Policy().epochs
    assert "policy__epochs" not in classifier.get_params(deep=False)
    classifier.set_params(policy__epochs=3, base="bundled")
    assert (classifier.policy, classifier.base) == (Policy(epochs=3), "bundled")
    classifier.set_params(policy=HEAD, policy__head_epochs=5)
    assert clone(classifier).policy == replace(HEAD, head_epochs=5)
    with pytest.raises(ValueError, match=r"a policy has no choice 'epoch'; it has unfreeze, head_epochs"):
        classifier.set_params(policy__epoch=3)
    with pytest.raises(ValueError, match="epochs=3 is for fine-tuning, but unfreeze=None trains the head alone"):
        classifier.set_params(policy=replace(HEAD, seed=1), base="mobilenet", policy__epochs=3)
    assert (classifier.policy, classifier.base) == (replace(HEAD, head_epochs=5), "bundled")
    assert "policy__epochs" not in classifier.set_params(policy="default").get_params()
    assert repr(CNNClassifier(policy=Policy(epochs=3))) == "CNNClassifier(policy=Policy(epochs=3))"


def test_a_head_alone_sees_the_views_that_the_policy_asks_for(pictures, net_file):
    x, y = pictures
    plain, drawn = (
        CNNClassifier(net_file, policy=policy, cache=False).fit(x, y).model_.get_layer("classifier").get_weights()[0]
        for policy in (HEAD, replace(HEAD, augment=darker, views=2))
    )
    assert not np.array_equal(plain, drawn)


@pytest.mark.parametrize("policy", [HEAD, TUNED])
def test_maps_that_are_not_pooled_are_features_too(pictures, net_file, policy):
    x, y = pictures
    classifier = CNNClassifier(net_file, layer="conv2", pooling=None, policy=policy, cache=False).fit(x, y)
    assert classifier.predict_proba(x).shape == (len(x), 3)
    assert classifier.score(x, y) > 0.9


def test_flat_pictures_are_pictures(pictures, net_file):
    x, y = pictures
    whole = CNNClassifier(net_file, policy=HEAD, cache=False).fit(x, y)
    flat = clone(whole).set_params(image_shape=(SIDE, SIDE, 3)).fit(x.reshape(len(x), -1), y)
    np.testing.assert_array_equal(flat.predict_proba(x.reshape(len(x), -1)), whole.predict_proba(x))


def test_rows_are_features():
    x, y = load_iris(return_X_y=True)
    assert cross_val_score(CNNClassifier(policy=HEAD), x, y, cv=3).mean() > 0.8


def test_the_seed_decides_and_others_keep_their_random_numbers(pictures, net_file):
    x, y = pictures

    def fitted(seed):
        return CNNClassifier(net_file, policy=TUNED, cache=False, random_state=seed).fit(x, y).predict_proba(x)

    seeds.set_random_seed(3)
    before = seeds.state()
    first, again, other = fitted(1), fitted(1), fitted(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert seeds.state() == before


def test_a_picture_with_nan_is_named(pictures, net_file):
    x, y = pictures[0] / np.float32(127.5) - 1, pictures[1]
    for policy in (HEAD, TUNED):
        classifier = CNNClassifier(net_file, policy=policy, cache=False).fit(x, y)
        broken = np.where(np.arange(len(x))[:, None, None, None] == 4, np.float32(np.nan), x)
        for call in (classifier.predict, lambda x, c=classifier: clone(c).fit(x, y)):
            with pytest.raises(ValueError, match="picture 4 holds NaN or infinity"):
                call(broken)


def test_rows_are_not_fine_tuned():
    with pytest.raises(
        ValueError, match=r"ema=0.9 is for fine-tuning, but rows of numbers are features, .* or give pic"
    ):
        CNNClassifier(policy=Policy(ema=0.9)).fit(np.eye(6), [0, 1] * 3)


def test_one_class_is_refused(pictures, net_file):
    classifier = CNNClassifier(net_file)
    with pytest.raises(ValueError, match="at least 2 classes; y has 1 class, cat"):
        classifier.fit(pictures[0], ["cat"] * len(pictures[0]))
    with pytest.raises(NotFittedError):
        classifier.predict(pictures[0])
