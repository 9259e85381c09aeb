"""Every ingredient of a policy, against steps written out in NumPy or against what it must leave alone."""

import json
import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from policy_cases import PLAIN, ROWS, begun, job, trained

from minicnn.callbacks import LambdaCallback
from minicnn.data import augment, stratified_split
from minicnn.errors import ArgumentError, MinicnnError
from minicnn.optimizers import SGD
from minicnn.transfer import Policy
from minicnn.transfer.class_weights import class_weights
from minicnn.transfer.fine_tuning import Augmented, schedule_of
from minicnn.transfer.head import SmoothedCrossentropy

pytestmark = pytest.mark.numpy_only


def changed(policy: Policy) -> set[str]:
    before, after = begun(), trained(policy)
    return {name for name in before if before[name].tobytes() != after[name].tobytes()}


# What is trained


def test_groups_from_the_top_are_trained_and_batch_normalization_stays():
    assert changed(replace(PLAIN, unfreeze=1)) == {
        "conv2/kernel", "conv2/bias", "classifier/kernel", "classifier/bias",
    }  # fmt: skip


def test_a_name_means_the_layers_from_there_on():
    assert changed(replace(PLAIN, unfreeze="conv2")) == changed(replace(PLAIN, unfreeze=1))


def test_batch_normalization_is_trained_when_asked():
    found = changed(replace(PLAIN, unfreeze=1, batchnorm="train"))
    assert {f"bn2/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")} <= found
    assert not any(name.startswith("bn1") for name in found)


def test_borrowed_weights_come_back_with_the_statistics():
    made, tail = job(replace(PLAIN, batchnorm="train"))
    before = [p.numpy().copy() for p in made.model.weights]
    with tail.borrowed():
        tail.fit(ROWS, ROWS, replace(PLAIN, batchnorm="train"))
    assert all(a.tobytes() == p.numpy().tobytes() for a, p in zip(before, made.model.weights))


def test_gradual_unfreezing_begins_with_the_head_and_goes_down_a_group_at_a_time():
    policy, seen = replace(PLAIN, gradual=1, epochs=3), []
    made, tail = job(policy)
    before = {name: made.model.get_layer(name).get_weights()[0] for name in ("conv1", "conv2", "classifier")}
    fit = tail.model.fit

    def noted(*args: Any, callbacks: Any, **options: Any) -> Any:
        def note(epoch: int, logs: Any) -> None:
            now = {name: made.model.get_layer(name).get_weights()[0] for name in before}
            seen.append({name for name in before if now[name].tobytes() != before[name].tobytes()})

        return fit(*args, callbacks=[*callbacks, LambdaCallback(on_epoch_end=note)], **options)

    tail.model.fit = noted
    tail.fit(ROWS, ROWS, policy)
    assert seen == [{"classifier"}, {"classifier", "conv2"}, {"classifier", "conv2", "conv1"}]
    assert [group.layers[0].trainable for group in tail.groups] == [True, True]


@pytest.mark.parametrize("gradual", [1, 5])
def test_groups_that_would_never_be_unfrozen_are_refused(gradual):
    said = f"the lowest of 2 groups would begin to learn after {2 * gradual} epochs, and there are 2"
    with pytest.raises(ArgumentError, match=said):
        job(replace(PLAIN, gradual=gradual))


# Rates


def test_each_group_has_its_share_of_the_rate(monkeypatch):
    policy = replace(PLAIN, layer_decay=0.25, epochs=1, batch_size=12)
    before, full, less = begun(), trained(replace(policy, layer_decay=1.0)), trained(policy)
    for name, share in (("classifier/kernel", 1.0), ("conv2/kernel", 0.25), ("conv1/kernel", 0.0625)):
        np.testing.assert_allclose(less[name] - before[name], share * (full[name] - before[name]), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle", "constant"])
def test_schedules_climb_over_the_warmup_and_end_as_they_say(schedule):
    rate = schedule_of(replace(PLAIN, schedule=schedule, warmup=0.25), 40)
    rates = [rate(step) for step in range(40)]
    assert max(rates) == pytest.approx(0.01, rel=1e-3)
    assert int(np.argmax(rates)) in (9, 10)
    if schedule == "constant":
        assert rates[39] == pytest.approx(0.01)
    else:
        assert rates[39] < 0.0001
        assert rates[10:] == sorted(rates[10:], reverse=True)


def test_without_warmup_a_cosine_begins_at_the_top():
    rate = schedule_of(replace(PLAIN, schedule="cosine", warmup=0.0), 10)
    assert [rate(0), rate(5)] == pytest.approx([0.01, 0.005])


# Penalties


def gradients_of(policy: Policy) -> dict[str, np.ndarray]:
    """The gradients of one step over all samples, from what a rate of 1 changes without momentum's past."""
    before, after = begun(), trained(replace(policy, epochs=1, batch_size=12, learning_rate=0.1))
    return {name: (before[name] - after[name]) / 0.1 for name in before}


def test_weight_decay_leaves_out_biases_and_norms():
    plain = gradients_of(replace(PLAIN, batchnorm="train"))
    decayed = gradients_of(replace(PLAIN, batchnorm="train", weight_decay=0.5))
    for name, start in begun().items():
        share = 0.5 if name.endswith("kernel") else 0.0
        if "moving" not in name:
            np.testing.assert_allclose(decayed[name] - plain[name], share * start, atol=2e-5)


def test_l2_sp_draws_to_the_weights_of_the_beginning():
    made, _ = job(PLAIN)
    kernel = made.model.get_layer("conv2").kernel
    start = kernel.numpy().copy()
    policy = replace(PLAIN, l2_sp=0.5, epochs=2, batch_size=12, optimizer="sgd", learning_rate=0.1)
    found = trained(policy)["conv2/kernel"]
    first = {name: before - 0.1 * g for (name, before), g in zip(begun().items(), _gradients(begun()).values())}
    second = _gradients(first)["conv2/kernel"] + 0.5 * (first["conv2/kernel"] - start)
    velocity = 0.9 * (first["conv2/kernel"] - start) - 0.1 * second
    np.testing.assert_allclose(found, first["conv2/kernel"] + velocity, rtol=1e-4, atol=1e-5)
    assert kernel.regularizer is None


def _gradients(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gradients of the plain loss over all samples at some weights."""
    made, tail = job(PLAIN)
    for layer in made.model.layers:
        layer.set_weights([weights[f"{layer.name}/{p.name}"] for p in layer.weights])
    tail.compile(SGD(1.0), PLAIN)
    before = {f"{layer.name}/{p.name}": p.numpy().copy() for layer in made.model.layers for p in layer.weights}
    tail.model.fit(tail._inputs(ROWS), tail.labels, batch_size=12, epochs=1, verbose=0)
    return {
        f"{layer.name}/{p.name}": before[f"{layer.name}/{p.name}"] - p.numpy()
        for layer in made.model.layers
        for p in layer.weights
    }


def test_with_l2_sp_only_the_head_decays():
    plain, drawn = gradients_of(PLAIN), gradients_of(replace(PLAIN, l2_sp=1e-9, weight_decay=0.5))
    np.testing.assert_allclose(drawn["conv2/kernel"], plain["conv2/kernel"], atol=2e-5)
    head = begun()["classifier/kernel"]
    np.testing.assert_allclose(drawn["classifier/kernel"] - plain["classifier/kernel"], 0.5 * head, atol=2e-5)


def test_smoothed_targets_by_hand():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    targets = np.full((2, 3), 0.1) + 0.7 * np.eye(3)[[0, 2]]
    expected = -(targets * np.log(p)).sum(axis=1).mean()
    assert SmoothedCrossentropy(0.3)(np.array([0, 2]), p).item() == pytest.approx(expected)
    assert SmoothedCrossentropy()(np.array([0, 2]), p).item() == pytest.approx(-np.log([0.7, 0.6]).mean())


def test_weights_of_classes():
    labels = np.array([0] * 9 + [1])
    assert class_weights("balanced", labels, 2) == pytest.approx({0: 10 / 18, 1: 5.0})
    found = class_weights("sqrt", labels, 2)
    assert found is not None
    assert found[1] / found[0] == pytest.approx(3.0)
    assert (9 * found[0] + found[1]) / 10 == pytest.approx(1.0)
    assert class_weights({0: 2.0}, labels, 2) == {0: 2.0}
    assert class_weights(None, labels, 2) is None


def test_class_weights_multiply_the_losses():
    weights = {0: 0.0, 1: 0.0, 2: 1.0}  # then only every third sample teaches
    found = gradients_of(replace(PLAIN, class_weight=weights))["classifier/bias"]
    _, tail = job(PLAIN)
    errors = tail.probabilities(ROWS, 12) - np.eye(3)[tail.labels]
    np.testing.assert_allclose(found, errors[tail.labels == 2].sum(axis=0) / 12, atol=2e-5)


def test_clipping_limits_all_gradients_together():
    free, clipped = (gradients_of(replace(PLAIN, clip_norm=limit)) for limit in (None, 1e-3))
    norm = math.sqrt(sum(float(np.sum(g**2)) for g in free.values()))
    assert norm > 2e-3
    for name in free:
        np.testing.assert_allclose(clipped[name], free[name] * 1e-3 / norm, atol=2e-6)


# Averages and early stopping


def test_the_result_is_the_average():
    policy = replace(PLAIN, ema=0.5, epochs=1)  # of three steps
    made, tail = job(policy)
    kernel, steps = made.head_layer.kernel, []
    apply = SGD.apply_gradients

    def noted(optimizer: Any, pairs: Any) -> int:
        count = apply(optimizer, pairs)
        steps.append(kernel.numpy().copy())
        return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SGD, "apply_gradients", noted)
        tail.fit(ROWS, ROWS, policy)
    first, second, third = steps
    expected = 0.5 * (0.5 * first + 0.5 * second) + 0.5 * third
    np.testing.assert_allclose(kernel.numpy(), expected, rtol=1e-5, atol=1e-7)


def test_early_stopping_looks_at_training_samples_alone():
    policy = replace(PLAIN, patience=2, epochs=4, held_out=0.25)
    histories = []
    for truth in (True, False):
        _, tail = job(policy)
        if not truth:
            tail.labels = np.where(ROWS < 9, tail.labels, 0)
        histories.append(tail.fit(ROWS[:9], ROWS[9:], policy)[0])
    assert histories[0] == histories[1]


def watched(tail: Any, policy: Policy) -> float:
    """The loss now on what early stopping watches."""
    rows = stratified_split(tail.labels, policy.held_out, seed=policy.seed + 2).validation
    p = tail.probabilities(rows, 4)
    return float(-np.log(p[np.arange(len(p)), tail.labels[rows]]).mean())


@pytest.mark.parametrize("ema", [None, 0.5])
def test_early_stopping_goes_back_to_the_best_epoch(ema):
    policy = replace(PLAIN, patience=2, epochs=12, learning_rate=0.3, held_out=0.3, ema=ema)
    _, tail = job(policy)
    start = watched(tail, policy)
    losses = tail.fit(ROWS, ROWS, policy)[0]["val_loss"]
    best = min(start, *losses)
    assert watched(tail, policy) == pytest.approx(best, rel=1e-4)
    assert len(losses) == (0 if best == start else losses.index(best) + 1) + 2 < 12


def test_fine_tuning_that_only_harms_is_undone_whole():
    policy = replace(PLAIN, patience=1, epochs=9, learning_rate=3.0, held_out=0.3)
    made, tail = job(policy)
    before = begun()
    with np.errstate(all="ignore"):
        losses = tail.fit(ROWS, ROWS, policy)[0]["val_loss"]
    assert len(losses) == 1
    after = {f"{layer.name}/{p.name}": p.numpy() for layer in made.model.layers for p in layer.weights}
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)


# Augmentation


def test_augmented_pictures_differ_by_epoch_and_pass_the_frozen_part():
    seen = []

    def change(picture: np.ndarray, index: int, epoch: int) -> np.ndarray:
        seen.append((index, epoch))
        return picture if epoch == 0 else picture[:, ::-1]

    policy = replace(PLAIN, unfreeze=1, augment=change, batch_size=5)
    _, tail = job(policy)
    epochs = Augmented(tail, ROWS, policy)
    plain = {int(row): tail.features[0][row] for row in ROWS}
    batches = list(epochs)
    assert [len(y) for _, y in batches] == [5, 5, 2] == [5] * 2 + [len(epochs) * 5 % 13]
    order = [index for index, _ in seen]
    assert sorted(order) == ROWS.tolist() != order
    found = np.concatenate([x[0] for x, _ in batches])
    np.testing.assert_allclose(found, np.stack([plain[i] for i in order]), rtol=1e-4, atol=1e-5)
    again = np.concatenate([x[0] for x, _ in epochs])
    second = [index for index, epoch in seen if epoch == 1]
    assert second != order
    assert not np.allclose(again, np.stack([plain[i] for i in second]), atol=1e-3)


def test_an_interrupted_augmentation_goes_on_with_its_epoch():
    policy = replace(PLAIN, unfreeze=1, augment="mirror")
    _, tail = job(policy)
    straight, other = Augmented(tail, ROWS, policy), Augmented(tail, ROWS, policy)
    list(straight)
    state = straight.state()
    other.load_state(state)
    for (x, y), (x2, y2) in zip(straight, other, strict=True):
        np.testing.assert_array_equal(x[0], x2[0])
        np.testing.assert_array_equal(y, y2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda picture, index, epoch: picture[:8],
            r"like those it gets, float32 \(24, 24, 3\); it gave float32 \(8, ",
        ),
        (lambda picture, index, epoch: picture > 0.5, r"it gave bool \(24, 24, 3\)"),
        (lambda picture, index, epoch: None, "it gave NoneType"),
        (
            lambda picture: picture,
            r"augment\(picture, index=\d+, epoch=0\) of the policy failed \(TypeError: .*'index'",
        ),
        (augment.Pipeline([augment.Flip()]), "uint8"),  # of pictures, which these prepared arrays are not
    ],
)
def test_an_augmentation_that_makes_no_such_picture_is_refused(change, said):
    policy = replace(PLAIN, unfreeze=1, augment=change)
    _, tail = job(policy)
    with pytest.raises(MinicnnError, match=said):
        list(Augmented(tail, ROWS, policy))


def test_mirroring_trains():
    assert "conv2/kernel" in changed(replace(PLAIN, unfreeze=1, augment="mirror"))


# Refusals


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"epochs": 0}, "epochs"),
        ({"unfreeze": 0}, "unfreeze"),
        ({"unfreeze": True}, "unfreeze"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"layer_decay": 1.5}, "layer_decay"),
        ({"schedule": "linear"}, "schedule"),
        ({"optimizer": "lion"}, "optimizer"),
        ({"batchnorm": "yes"}, "batchnorm"),
        ({"class_weight": "even"}, "class_weight"),
        ({"class_weight": {0: -1.0}}, "class_weight"),
        ({"class_weight": np.ones(2)}, "class_weight must be None"),
        ({"augment": np.ones(2)}, "augment must be None"),
        ({"clip_norm": 0.0}, "clip_norm"),
        ({"ema": 1.0}, "ema"),
        ({"patience": 0}, "patience"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"augment": "rotate"}, "augment"),
        ({"augment": augment.Flip()}, r"Pipeline of steps; it is the single step Flip\("),
        ({"augment": augment.Pipeline([augment.MixUp()])}, r"cannot mix them as \[MixUp\("),
        ({"rank": 4, "l2_sp": 0.1}, "choose one"),
        ({"rank": 4, "batchnorm": "train"}, "batchnorm"),
        ({"unfreeze": None, "augment": lambda picture, index, epoch: picture}, "as views only: add views=4"),
    ],
)
def test_choices_out_of_range_are_refused(choice, said):
    with pytest.raises(ArgumentError, match=said):
        Policy(**choice)


def test_numbers_of_numpy_are_those_of_python():
    arrays = {"seed": np.int64(3), "unfreeze": np.int32(2), "ema": np.float64(0.5), "class_weight": {np.int64(0): 2.0}}
    made, plain = Policy(**arrays), Policy(seed=3, unfreeze=2, ema=0.5, class_weight={0: 2.0})
    assert json.dumps(asdict(made)) == json.dumps(asdict(plain))
    assert repr(made) == repr(plain)
