"""Cross-validation: what a head is judged by has no part in its making, and copies stay on one side."""

import numpy as np
import pytest

from minicnn.transfer import Policy
from minicnn.transfer.folds import cross_validate, fit_head
from minicnn.transfer.weight_decay import CANDIDATES
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only

POLICY = Policy(head_epochs=20, batch_size=8)
ROWS = np.arange(40)
COPIED = [f"picture {row // 2}" for row in ROWS]  # the keys of pictures and their copies
ALL_DIFFERENT = [f"picture {row}" for row in ROWS]


def noise_and_its_copies():
    """Features and labels without a connection, every row twice: only who has seen its copy can name it."""
    features = np.random.default_rng(0).normal(size=(20, 60)).astype(np.float32)
    return features.repeat(2, axis=0), np.tile([0, 0, 1, 1], 10)


def test_pictures_kept_aside_change_nothing_of_the_head_nor_of_its_weight_decay():
    made = []
    for plain in (False, True):
        features, labels = noise_and_its_copies()
        if plain:  # what a single feature tells, which asks for other weights and for less decay
            labels[20:] = 1 - labels[20:]
            features[20:] = 100 * labels[20:, None]
        set_random_seed(0)
        head, decay = fit_head(features, labels, ROWS[:20], ROWS[20:], ALL_DIFFERENT, POLICY)
        made.append((decay, head.kernel.tobytes(), head.bias.tobytes()))
    assert made[0] == made[1]


def test_rare_classes_count_in_the_head_as_the_policy_says():
    features, labels = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32), (ROWS % 8 == 0).astype(int)

    def found(choice) -> int:
        policy = Policy(unfreeze=None, head_epochs=20, batch_size=8, class_weight=choice)
        head, _ = fit_head(features, labels, ROWS, ROWS, ALL_DIFFERENT, policy)
        return int(head.probabilities(features).argmax(axis=1).sum())

    assert found(None) < 5 < 10 < found("balanced")


def test_labels_are_smoothed_in_the_head_as_the_policy_says():
    features, labels = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32), ROWS % 2
    features += 3 * labels[:, None]
    plain, smooth = (
        fit_head(features, labels, ROWS, ROWS, ALL_DIFFERENT, Policy(unfreeze=None, label_smoothing=a))[0]
        for a in (0.0, 0.3)
    )
    assert smooth.probabilities(features).max() < plain.probabilities(features).max() - 0.02


def test_copies_do_not_make_the_choice_of_weight_decay_bold():
    features, labels = noise_and_its_copies()
    careful, bold = (fit_head(features, labels, ROWS, ROWS, keys, POLICY)[1] for keys in (COPIED, ALL_DIFFERENT))
    assert careful == CANDIDATES[0] > bold


def test_copies_do_not_flatter_the_folds():
    features, labels = noise_and_its_copies()
    honest, flattered = (
        np.mean(cross_validate(features, labels, keys, ["a", "b"], POLICY, 4).head) for keys in (COPIED, ALL_DIFFERENT)
    )
    assert honest < 0.7 < flattered
