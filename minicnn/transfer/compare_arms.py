"""What `compare` compares: ways from some labelled pictures to class probabilities for others.

A way is a function `method(task, base) -> learner`, and a learner a function `learner(split) -> probabilities (M,C)`
that trains on the rows split.train and says of the rows split.validation what they are.  What all folds share, such as
the features of a frozen base, is computed when the learner is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.data import ResizeRule, Split
from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, GlobalAveragePooling2D, Input, MaxPooling2D, ReLU
from minicnn.models import Sequential
from minicnn.optimizers import Adam
from minicnn.preparation import preprocess_input
from minicnn.schedules import CosineDecay
from minicnn.transfer.base import Base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.folds import fit_head
from minicnn.transfer.job import Job, check_unfreeze
from minicnn.transfer.labelled import Labelled, Progress
from minicnn.transfer.policy import Policy
from minicnn.transfer.samples import of_labelled

SCRATCH_RATE = 3e-3

Learner = Callable[[Split], np.ndarray]


@dataclass(frozen=True)
class Task:
    """
    What every way is given.

    Attributes
    ----------
    pictures : Labelled
    policy : Policy
        Of the head and its views, whose epochs and batch size a net from scratch has too, and of fine-tuning.
    scratch : function
        From the number of classes to a new, untrained model of pictures (N,H,W,3).
    cache : FeatureCache, optional
    progress : function, optional
    device : str
        Where bases that are loaded compute, and nets from scratch that are on the CPU.
    """

    pictures: Labelled
    policy: Policy
    scratch: Callable[[int], Any]
    cache: FeatureCache | None = None
    progress: Progress | None = None
    device: str = "cpu"

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.pictures.class_names)


Method = Callable[[Task, Base], Learner]


def small_net(classes: int, side: int = 64) -> Sequential:
    """
    The net that is trained from scratch unless another is given: four convolutions, 99,000 weights.

    Examples
    --------
    >>> small_net(5).output_shape
    (None, 5)
    """
    model = Sequential([Input((side, side, 3))])
    for number, filters in enumerate((16, 32, 64, 128)):
        model.add(Conv2D(filters, 3, strides=2 if number == 0 else 1, padding="same", use_bias=False))
        model.add(BatchNormalization(momentum=0.9))
        model.add(ReLU())
        if number < 3:
            model.add(MaxPooling2D())
    for layer in (GlobalAveragePooling2D(), Dropout(0.3), Dense(classes, activation="softmax")):
        model.add(layer)
    return model


def from_scratch(task: Task, base: Base | None = None) -> Learner:
    """A net with random weights, trained on pixels in [-1, 1] by Adam with a cosine rate; no base has a part in it."""
    policy, labels = task.policy, task.pictures.labels
    side = task.scratch(task.classes).input_shape[1:3]
    pixels = preprocess_input(task.pictures.images(ResizeRule(side)), "tf")

    def learn(split: Split) -> np.ndarray:
        model = task.scratch(task.classes)
        if model.device == "cpu":
            model.to(task.device)
        steps = policy.head_epochs * -(-len(split.train) // policy.batch_size)
        model.compile(Adam(CosineDecay(SCRATCH_RATE, steps)), "sparse_categorical_crossentropy")
        x, y = pixels[split.train], labels[split.train]
        model.fit(x, y, batch_size=policy.batch_size, epochs=policy.head_epochs, verbose=0)
        return model.predict(pixels[split.validation])

    return learn


def on_features(task: Task, base: Base) -> Learner:
    """A softmax head on the features of the frozen base and the policy's views of the pictures, its weight decay chosen
    inside the training rows."""
    pictures, policy = task.pictures, task.policy.without_fine_tuning()
    job = Job(base, of_labelled(pictures, base), policy, task.cache, task.progress)
    features, _, _ = job.features()
    views = job.head_views

    def learn(split: Split) -> np.ndarray:
        head, _ = fit_head(features, pictures.labels, split.train, split.validation, pictures.keys, policy, views=views)
        return head.probabilities(features[split.validation])

    return learn


def fine_tuned(task: Task, base: Base) -> Learner:
    """
    The head of `on_features`, then the layers of the base that the policy unfreezes together with it.

    Raises
    ------
    ArgumentError
        The policy unfreezes a layer that is not there.
    """
    pictures, policy = task.pictures, task.policy
    check_unfreeze(base.model, policy.unfreeze)
    job = Job(base, of_labelled(pictures, base), policy, task.cache, task.progress)
    features, tail, _ = job.features()
    assert tail is not None
    views = job.head_views

    def learn(split: Split) -> np.ndarray:
        head, _ = fit_head(features, pictures.labels, split.train, split.validation, pictures.keys, policy, views=views)
        with tail.borrowed():
            tail.set_head(head)
            tail.fit(split.train, split.validation, policy, pictures.keys)
            return tail.probabilities(split.validation, policy.batch_size)

    return learn


WITHOUT_BASE = "scratch"
METHODS: dict[str, Method] = {
    WITHOUT_BASE: from_scratch,  # type: ignore[dict-item]
    "features": on_features,
    "finetuned": fine_tuned,
}
