"""Cross-validation over all pictures: features are computed once, every choice is made inside each training part."""

from collections.abc import Callable, Sequence

import numpy as np

from minicnn.callbacks import Callback
from minicnn.data import stratified_folds
from minicnn.seeds import set_random_seed
from minicnn.transfer.class_weights import class_weights
from minicnn.transfer.fine_tuning import Tail
from minicnn.transfer.head import TrainedHead, train_head
from minicnn.transfer.policy import Policy
from minicnn.transfer.result import Folds
from minicnn.transfer.weight_decay import choose_weight_decay

Progress = Callable[[str, int, int], None]


def fit_head(
    features: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    hashes: Sequence[str],
    policy: Policy,
    progress: Progress | None = None,
    callbacks: Sequence[Callback] = (),
    views: Sequence[np.ndarray] = (),
) -> tuple[TrainedHead, float]:
    """
    (head, weight decay): the decay is chosen and the head trained on the training rows alone.

    With features of changed views of the pictures, like `features`, every epoch draws from them.
    """
    classes = int(labels.max()) + 1
    keys = [hashes[int(i)] for i in train]
    decay = choose_weight_decay(features[train], labels[train], classes, seed=policy.seed, keys=keys, progress=progress)
    head = train_head(
        (features[train], labels[train]),
        (features[validation], labels[validation]),
        classes,
        epochs=policy.head_epochs,
        batch_size=policy.batch_size,
        weight_decay=decay,
        dropout=policy.dropout,
        label_smoothing=policy.label_smoothing,
        class_weight=class_weights(policy.class_weight, labels[train], classes),
        progress=progress,
        callbacks=callbacks,
        views=[view[train] for view in views],
        seed=policy.seed,
    )
    return head, decay


def cross_validate(
    features: np.ndarray,
    labels: np.ndarray,
    hashes: Sequence[str],
    class_names: Sequence[str],
    policy: Policy,
    folds: int,
    tail: Tail | None = None,
    progress: Progress | None = None,
    callbacks: Callable[[str], Sequence[Callback]] = lambda stage: (),
    views: Sequence[np.ndarray] = (),
) -> Folds:
    """
    The accuracies of `folds` heads, each on the pictures that it never saw; with a tail, of fine-tuning too.

    The tail's weights are those of before when this returns.  Every fold draws from a seed of its own, so that a head
    does not depend on what was fine-tuned before it.  `callbacks` gives those of a stage: "fold 1 head", ...
    """
    splits = stratified_folds(labels, folds, seed=policy.seed, keys=hashes, class_names=class_names)
    heads, tuned = [], []
    for number, split in enumerate(splits, 1):
        set_random_seed(fold_seed(policy.seed, number))
        stage, rows = f"fold {number}", (split.train, split.validation)
        head, _ = fit_head(features, labels, *rows, hashes, policy, callbacks=callbacks(f"{stage} head"), views=views)
        truth = labels[split.validation]
        heads.append(_accuracy(head.probabilities(features[split.validation]), truth))
        if tail is not None:
            with tail.borrowed():
                tail.set_head(head)
                tail.fit(*rows, policy, hashes, callbacks=callbacks(f"{stage} fine-tuning"))
                tuned.append(_accuracy(tail.probabilities(split.validation, policy.batch_size), truth))
        if progress is not None:
            progress("cross-validation", number, len(splits))
    return Folds(heads, tuned)


def fold_seed(seed: int, number: int) -> int:
    """The seed of one fold."""
    return int(np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1, np.uint64)[0])


def _accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean())
