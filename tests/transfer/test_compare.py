"""Comparing ways to learn: the same folds for all, intervals that are honest, words that agree with the figures."""

import re
from dataclasses import replace

import numpy as np
import pytest
from transfer_cases import CLASSES, SIDE, small_net

from minicnn.data import ResizeRule, stratified_folds
from minicnn.errors import ArgumentError, DataError
from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.seeds import new_seed
from minicnn.transfer import Policy, compare, rank_bases
from minicnn.transfer.compare import Arm, Comparison, corrected_difference
from minicnn.transfer.compare_arms import METHODS, Task, fine_tuned, on_features
from minicnn.transfer.compare_arms import small_net as scratch_net
from minicnn.transfer.labelled import labelled
from minicnn.transfer.scores import student_975
from minicnn.transfer.scoring_bases import base_of
from minicnn.utils import set_random_seed

POLICY = Policy(head_epochs=6, batch_size=8, epochs=2)
METHOD_NAMES = ("scratch", "features", "finetuned")


def tiny_net(classes):
    return Sequential(
        [
            Input((12, 12, 3)),
            Conv2D(6, 3, strides=2, activation="relu"),
            GlobalAveragePooling2D(),
            Dense(classes, activation="softmax"),
        ]
    )


@pytest.fixture(scope="module")
def found(photos, net_file):
    return compare(photos, [net_file], folds=4, policy=POLICY, scratch=tiny_net, cache=False)


def test_every_way_is_judged_on_the_same_folds_with_the_same_seeds(photos, net_file, monkeypatch):
    seen = {}

    def noting(name):
        def learner(task, base):
            def learn(split):
                seen.setdefault(name, []).append((split.train.tolist(), split.validation.tolist(), new_seed()))
                return np.eye(task.classes)[task.pictures.labels[split.validation]]

            return learn

        return learner

    for name in METHOD_NAMES:
        monkeypatch.setitem(METHODS, name, noting(name))
    result = compare(photos, [net_file], folds=4, cache=False)
    assert seen["scratch"] == seen["features"] == seen["finetuned"]
    judged = np.concatenate([validation for _, validation, _ in seen["scratch"]])
    assert sorted(judged) == list(range(24))
    assert all(not {*train} & {*validation} for train, validation, _ in seen["scratch"])
    assert all(arm.accuracies == (1.0,) * 4 for arm in result.arms)
    assert (result.train, result.validation) == (18, 6)


def test_colours_are_learned_by_every_way(found):
    assert [arm.method for arm in found.arms] == list(METHOD_NAMES)
    assert all(arm.mean > 0.6 and arm.seconds > 0 for arm in found.arms)
    assert all(len(arm.accuracies) == 4 for arm in found.arms)
    assert [bool(arm.base) for arm in found.arms] == [False, True, True]


def test_a_way_alone_gives_the_same_accuracies_as_beside_others(found, photos, net_file):
    alone = compare(photos, [net_file], ["finetuned"], folds=4, policy=POLICY, cache=False)
    assert alone.arms[0].accuracies == found.arms[2].accuracies


def test_a_fold_knows_nothing_of_what_was_tuned_for_another(photos, net_file):
    task, found = Task(labelled(str(photos), ResizeRule(SIDE)), POLICY, tiny_net), []
    learn, split = fine_tuned(task, base_of(net_file)), stratified_folds(task.pictures.labels, 4)[0]
    for _ in range(2):
        set_random_seed(0)
        found.append(learn(split))
    np.testing.assert_array_equal(*found)


def test_the_head_on_features_sees_the_views_that_the_policy_asks_for(photos, net_file):
    def halved(picture, index, epoch):
        return picture // 2

    task = Task(labelled(str(photos), ResizeRule(SIDE)), POLICY, tiny_net)
    split, found = stratified_folds(task.pictures.labels, 4)[0], {}
    for name, policy in {
        "plain": POLICY, "live": replace(POLICY, augment=halved), "views": replace(POLICY, augment=halved, views=2),
    }.items():  # fmt: skip
        learn = on_features(replace(task, policy=policy), base_of(net_file))
        set_random_seed(0)
        found[name] = learn(split)
    np.testing.assert_array_equal(found["plain"], found["live"])
    assert not np.allclose(found["plain"], found["views"])


def test_a_base_is_called_as_it_was_asked_for():
    data = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8), [0, 1] * 4
    assert rank_bases(data, ["bundled"], cache=False).best.name == "bundled"
    (arm,) = compare(data, ["Bundled"], ["features"], folds=2, policy=POLICY, cache=False).arms
    assert arm.name == "bundled, features"


def test_the_table_and_the_values_hold_the_same_figures(found):
    values, text = found.to_dict(), str(found)
    assert [arm["mean"] for arm in values["arms"]] == [arm.mean for arm in found.arms]
    for arm in found.arms:
        assert re.search(rf"{re.escape(arm.name)} +{arm.mean:.1%}", text)
    assert text.endswith(values["verdict"])
    assert len(values["differences"]) == 3
    for arm, row in zip(found.arms, values["arms"]):
        low, high = row["interval_95"]
        assert 0 <= low <= arm.mean <= high <= 1


def ways(scratch, features, tuned=None):
    """A comparison of made-up accuracies, in 100 pictures."""
    arms = [Arm("scratch", "", scratch, 0, 1), Arm("features", "Net", features, 0, 1)]
    return Comparison("made up", [*arms, *([Arm("finetuned", "Net", tuned, 0, 1)] if tuned else [])], 80, 20)


LOW, HIGH = (0.50, 0.52, 0.51, 0.49, 0.50), (0.80, 0.83, 0.80, 0.79, 0.81)
WILD = (0.95, 0.50, 0.85, 0.55, 0.90)
UNSURE = (1.00, 0.35, 1.00, 1.00, 0.95)  # whose mean is the highest


@pytest.mark.parametrize(
    ("comparison", "says", "not_said"),
    [
        (ways(LOW, HIGH), ["Transfer helps: Net, features (80.6%)", "+30.2 points"], ["Negative"]),
        (ways(HIGH, LOW), ["Negative transfer: even the best way with a base is worse", "-30.2 points"], ["helps"]),
        (ways(WILD, LOW), ["do not tell transfer from a net from scratch"], ["Negative", "helps"]),
        (ways(HIGH, HIGH), ["do not tell transfer", "+0.0 points"], ["Negative"]),
        (ways(LOW, HIGH, LOW), ["Transfer helps: Net, features", "Fine-tuning Net harms: -30.2"], ["Negative"]),
        (ways(LOW, LOW, HIGH), ["Transfer helps: Net, finetuned", "Fine-tuning Net pays: +30.2"], ["Negative"]),
        (ways(HIGH, LOW, HIGH), ["do not tell transfer", "Negative transfer with Net, features"], ["helps", "even"]),
        (ways(LOW, HIGH, WILD), ["no difference that shows", "Transfer helps: Net, features"], ["pays", "harms"]),
        (ways(LOW, UNSURE, HIGH), ["Transfer helps: Net, finetuned (80.6%)"], ["Negative", "do not tell"]),
        (ways(HIGH, LOW, UNSURE), ["tell transfer from a net from scratch: Net, finetuned"], ["even", "helps"]),
    ],
)
def test_the_verdict_agrees_with_its_figures(comparison, says, not_said):
    for words in says:
        assert words in comparison.verdict
    for words in not_said:
        assert words not in comparison.verdict


def test_a_verdict_without_a_net_from_scratch():
    assert "nothing to compare" in Comparison("x", [Arm("features", "Net", LOW, 0, 1)], 80, 20).verdict
    both = Comparison("x", [Arm("features", "Net", LOW, 0, 1), Arm("finetuned", "Net", HIGH, 0, 1)], 80, 20)
    assert both.verdict.startswith("Fine-tuning Net pays")


def test_the_interval_by_its_formula():
    rng = np.random.default_rng(0)
    one, other = rng.random(5), rng.random(5)
    found = corrected_difference(one, other, 0.25)
    gaps = one - other
    half = student_975(4) * np.sqrt((1 / 5 + 0.25) * gaps.var(ddof=1))
    assert (found.mean, found.low, found.high) == pytest.approx((gaps.mean(), gaps.mean() - half, gaps.mean() + half))
    assert corrected_difference(one, one, 0.25).high == 0.0


def test_equal_ways_differ_in_one_case_of_twenty_and_by_the_plain_test_more_often():
    """Two classifiers of the same worth, judged by cross-validation: means of features of chance learn nothing."""
    wrong = {0.0: 0, 0.25: 0}
    cases = 400
    for seed in range(cases):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(60, 2, 3)), np.arange(60) % 2
        folds = np.array_split(rng.permutation(60), 5)
        figures = np.array([[_accuracy(x[:, way], y, fold) for fold in folds] for way in (0, 1)])
        for share in wrong:
            gap = corrected_difference(*figures, share)
            wrong[share] += gap.low > 0 or gap.high < 0
    assert wrong[0.25] / cases < 0.07 < wrong[0.0] / cases


def _accuracy(x, y, fold):
    """Of a nearest-mean classifier on the fold, trained on all else."""
    rest = np.setdiff1d(np.arange(len(y)), fold)
    means = [x[rest[y[rest] == label]].mean(0) for label in (0, 1)]
    distances = [np.square(x[fold] - mean).sum(1) for mean in means]
    return ((distances[1] < distances[0]) == y[fold]).mean()


def test_bases_are_ranked_by_how_much_their_features_tell(photos, net_file, tmp_path, feature_folder):
    blind = small_net(preprocessing="tf")
    blind.get_layer("conv1").set_weights([1e-3 * w for w in blind.get_layer("conv1").get_weights()])
    blind.get_layer("conv2").set_weights([0 * w for w in blind.get_layer("conv2").get_weights()])
    blind.save(tmp_path / "blind.keras")
    ranking = rank_bases(photos, [str(tmp_path / "blind.keras"), net_file])
    assert ranking.best.name.startswith("small.keras")
    assert ranking.scores[0].log_me > ranking.scores[1].log_me
    assert ranking.scores[0].width == 8
    assert all(score.leep is not None and score.leep < 0 for score in ranking.scores)
    assert [line.split()[0] for line in str(ranking).splitlines()[1:]] == ["small.keras", "blind.keras"]
    assert [row["log_me"] for row in ranking.to_dict()] == [score.log_me for score in ranking.scores]
    assert list(feature_folder.glob("*/*"))


def test_pictures_from_arrays_and_from_a_folder(photos):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (6, 10, 10), dtype=np.uint8)
    found = labelled((grey, [0, 1, 0, 1, 0, 1]))
    assert found.class_names == ("0", "1")
    np.testing.assert_array_equal(found.images(ResizeRule(10))[..., 1], grey)
    assert found.images(ResizeRule(5)).shape == (6, 5, 5, 3)
    assert len(set(found.hashes)) == 6
    folder = labelled(str(photos), ResizeRule(SIDE))
    assert folder.class_names == tuple(sorted(CLASSES))
    assert folder.images(ResizeRule(SIDE)).shape == (24, SIDE, SIDE, 3)


def test_the_net_that_is_trained_from_scratch_has_the_weights_that_it_says():
    assert 98_500 < scratch_net(5).count_params() < 99_500


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p, n: compare(p, [n], ["magic"]), ArgumentError, "scratch, features, finetuned, each once"),
        (lambda p, n: compare(p, [n], ["scratch", "scratch"]), ArgumentError, "each once"),
        (lambda p, n: compare(p, []), ArgumentError, "needs a base"),
        (lambda p, n: compare(p, "mobilenet"), ArgumentError, r"bases is a list; for one base give \['mobilenet'\]"),
        (lambda p, n: compare(p, [n], policy=Policy(unfreeze=None)), ArgumentError, "unfreeze is None"),
        (lambda p, n: compare(p, [n], folds=1), ArgumentError, "folds"),
        (lambda p, n: compare(p, [n], folds=9), DataError, "too few different pictures"),
        (lambda p, n: rank_bases(p, []), ArgumentError, "at least one base"),
        (lambda p, n: rank_bases(p, [n, n, n], cache=False), ArgumentError, "given twice"),
        (lambda p, n: labelled(3), DataError, "folder"),
        (lambda p, n: labelled((np.zeros((2, 4, 4, 3), np.uint8), [0])), DataError, "2 pictures but 1 labels"),
        (lambda p, n: labelled((np.zeros((1, 4, 4, 3), np.uint8), [2], ["a", "b"])), DataError, "label .2. is none of"),
        (lambda p, n: corrected_difference([1.0], [1.0], 0.2), ArgumentError, "at least 2"),
    ],
)
def test_refusals(call, error, message, photos, net_file):
    with pytest.raises(error, match=message):
        call(photos, net_file)
