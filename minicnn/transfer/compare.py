"""Is this transfer any good?  Ways to learn a set of pictures, judged on the same folds, and what follows in words."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicnn.arguments import items, whole_number
from minicnn.data import ResizeRule, stratified_folds
from minicnn.errors import ArgumentError
from minicnn.seeds import set_random_seed
from minicnn.transfer.base import Base
from minicnn.transfer.compare_arms import METHODS, WITHOUT_BASE, Method, Task, small_net
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.folds import fold_seed
from minicnn.transfer.freeze import freeze
from minicnn.transfer.labelled import Progress, labelled, store_of
from minicnn.transfer.policy import Policy, policy_of
from minicnn.transfer.scores import mean_interval, student_975
from minicnn.transfer.scoring_bases import BaseChoice, base_list, base_of


@dataclass(frozen=True)
class Arm:
    """
    One way to learn the pictures.

    Attributes
    ----------
    method : str
    base : str
        Empty for a net from scratch.
    accuracies : sequence of float
        Of each fold, on the pictures that it kept aside.
    preparing : float
        Seconds for what all folds share, as the features of the base, which the cache may have had.
    seconds : float
        Of training and judging, all folds together.
    """

    method: str
    base: str
    accuracies: Sequence[float]
    preparing: float
    seconds: float

    @property
    def name(self) -> str:
        """For people: "MobileNet, features"."""
        return f"{self.base}, {self.method}" if self.base else "from scratch"

    @property
    def mean(self) -> float:
        """The mean accuracy."""
        return float(np.mean(self.accuracies))


@dataclass(frozen=True)
class Difference:
    """By how much one way is better than another on the same folds, with a 95 % interval."""

    mean: float
    low: float
    high: float

    def is_gain(self) -> bool:
        """Whether all of the interval is above 0."""
        return self.low > 0

    def is_loss(self) -> bool:
        """Whether all of it is below 0."""
        return self.high < 0

    def __str__(self) -> str:
        return f"{100 * self.mean:+.1f} points (95 % interval {100 * self.low:+.1f} to {100 * self.high:+.1f})"


@dataclass(frozen=True)
class Comparison:
    """
    What `compare` found; prints as a table with the verdict below it.

    Attributes
    ----------
    title : str
    arms : sequence of Arm
    train, validation : float
        Pictures for training and for judging in a fold, on average.
    """

    title: str
    arms: Sequence[Arm]
    train: float
    validation: float

    def interval(self, arm: Arm) -> tuple[float, float]:
        """The 95 % interval of the mean accuracy, within [0, 1], found as that of `corrected_difference`."""
        _, (low, high) = mean_interval(arm.accuracies, self.validation / self.train)
        return max(low, 0.0), min(high, 1.0)

    def difference(self, one: Arm, other: Arm) -> Difference:
        """How much better `one` is than `other`: `corrected_difference` of their accuracies."""
        return corrected_difference(one.accuracies, other.accuracies, self.validation / self.train)

    @property
    def verdict(self) -> str:
        """
        What the figures say of transfer against a net from scratch, and of fine-tuning against features alone.

        A difference counts when its interval does not hold 0.  The intervals are those of single comparisons: of many
        ways, one may be ahead by chance.
        """
        said = self._against_scratch() + self._among_transfers()
        return " ".join(said) or "There is nothing to compare: one way was tried."

    def _against_scratch(self) -> list[str]:
        scratch = next((arm for arm in self.arms if arm.method == WITHOUT_BASE), None)
        others = [arm for arm in self.arms if arm is not scratch]
        if scratch is None or not others:
            return []
        gains = {arm.name: self.difference(arm, scratch) for arm in others}
        better, worse = (
            [arm for arm in others if won(gains[arm.name])] for won in (Difference.is_gain, Difference.is_loss)
        )
        unclear = [arm for arm in others if arm not in (*better, *worse)]
        best = max(better or unclear or worse, key=lambda arm: arm.mean)
        words = f"{best.name} ({best.mean:.1%}) against a net from scratch ({scratch.mean:.1%}): {gains[best.name]}."
        if not better and not unclear:
            return [f"Negative transfer: even the best way with a base is worse, {words}"]
        outcome = "Transfer helps" if better else "These folds do not tell transfer from a net from scratch"
        return [
            f"{outcome}: {words}",
            *(f"Negative transfer with {arm.name}: {gains[arm.name]} against the net from scratch." for arm in worse),
        ]

    def _among_transfers(self) -> list[str]:
        """Fine-tuning against features alone, for each base."""
        found = {(arm.base, arm.method): arm for arm in self.arms}
        said = []
        for (base, method), arm in found.items():
            features = found.get((base, "features"))
            if method == "finetuned" and features is not None:
                gain = self.difference(arm, features)
                outcome = "pays" if gain.is_gain() else "harms" if gain.is_loss() else "makes no difference that shows"
                said.append(f"Fine-tuning {base} {outcome}: {gain} against its features alone.")
        return said

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values."""
        return {
            "title": self.title,
            "training_pictures": self.train,
            "validation_pictures": self.validation,
            "arms": [
                {
                    "name": arm.name,
                    "method": arm.method,
                    "base": arm.base,
                    "accuracies": list(arm.accuracies),
                    "mean": arm.mean,
                    "interval_95": self.interval(arm),
                    "preparing_seconds": arm.preparing,
                    "seconds": arm.seconds,
                }
                for arm in self.arms
            ],
            "differences": [
                {"of": one.name, "to": other.name, **vars(self.difference(one, other))}
                for number, other in enumerate(self.arms)
                for one in self.arms[number + 1 :]
            ],
            "verdict": self.verdict,
        }

    def __str__(self) -> str:
        wide = max(len(arm.name) for arm in self.arms)
        lines = [f"{'':{wide}}  accuracy  95 % interval    preparing   training"]
        for arm in self.arms:
            low, high = self.interval(arm)
            spread = f"{low:.1%} to {high:.1%}"
            times = f"{arm.preparing:>7.1f} s  {arm.seconds:>7.1f} s"
            lines.append(f"{arm.name:{wide}}  {arm.mean:>8.1%}  {spread:<15}  {times}")
        return "\n".join([*lines, "", self.verdict])


def corrected_difference(one: Sequence[float], other: Sequence[float], test_share: float) -> Difference:
    """
    Mean difference d of paired figures of k folds, and d ± t₀.₉₇₅(k-1) s √(1/k + n_test/n_train).

    The training parts of folds overlap, so that their differences are not independent, and s/√k is too small: by plain
    paired t-tests, ways that are equal differ far more often than in 5 % of the cases.  The term n_test/n_train, which
    is 1/(k-1) in a cross-validation, is Nadeau and Bengio's correction.

    Parameters
    ----------
    one, other : k accuracies, of the same folds
    test_share : float
        n_test / n_train.

    Raises
    ------
    ArgumentError
        Fewer than two folds, or not as many of each.

    Source
    ------
    C. Nadeau and Y. Bengio, Inference for the generalization error (Machine Learning, 2003), section 5: the corrected
    resampled t-test; R. Bouckaert and E. Frank, Evaluating the replicability of significance tests (2004), for folds.

    Examples
    --------
    >>> print(corrected_difference([0.8, 0.9, 0.85], [0.7, 0.75, 0.8], 0.5))
    +10.0 points (95 % interval -9.6 to +29.6)
    """
    if len(one) != len(other) or len(one) < 2:
        raise ArgumentError(f"a difference needs the same folds, at least 2, of both: got {len(one)} and {len(other)}")
    gaps = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    half = student_975(len(gaps) - 1) * float(gaps.std(ddof=1)) * math.sqrt(1 / len(gaps) + test_share)
    mean = float(gaps.mean())
    return Difference(mean, mean - half, mean + half)


def compare(
    data: Any,
    bases: Sequence[BaseChoice] = ("mobilenet",),
    methods: Sequence[str] = tuple(METHODS),
    *,
    folds: int = 5,
    policy: Policy | None = None,
    scratch: Callable[[int], Any] = small_net,
    device: str = "cpu",
    cache: FeatureCache | bool = True,
    progress: Progress | None = None,
) -> Comparison:
    """
    Judge ways to learn the same pictures on the same stratified folds, and say in words what the figures mean.

    Every choice, as that of a weight decay, is made inside the training part of each fold.

    Parameters
    ----------
    data : folder, table, or (images, labels)
        As `labelled` takes it; copies of a picture, and pictures of one group, stay in one fold.
    bases : list
        Each a name or a file as `load_base` takes it, a pair (name, weights), or a Base.
    methods : list
        Of "scratch" (a small net with random weights, once), "features" (a head on each base), "finetuned" (then more).
    policy : Policy, optional
        head_epochs, batch_size and seed hold for all ways; all that the head is trained by, views among it, for
        "features" and "finetuned", and the rest for "finetuned".
    scratch : function
        From the number of classes to a new, untrained model of pictures (N,H,W,3): what "scratch" trains.
    device, cache, progress
        As in `finetune`; a net from scratch goes to `device` too, if not `scratch` has moved it to another.

    Raises
    ------
    MinicnnError : an unknown method, too few bases or pictures; of the kinds that `labelled` and `load_base` name

    Examples
    --------
    >>> mobilenet = ("mobilenet", "mobilenet_2_5_224_tf.h5")
    >>> found = compare("flowers", [mobilenet], ["scratch", "features"])  # doctest: +SKIP
    >>> print(found.verdict)  # doctest: +SKIP
    These folds do not tell transfer from a net from scratch: MobileNet, alpha 0.25, features (64.8%) against ...
    """
    whole_number("compare", "folds", folds, 2)
    policy = policy_of(policy)
    named = base_list("compare", bases)
    ways = _chosen(methods, named, policy)
    pictures = labelled(data, ResizeRule(scratch(2).input_shape[1:3]), progress)
    return _compared(Task(pictures, policy, scratch, store_of(cache), progress, device), ways, named, folds)


def _compared(task: Task, ways: Sequence[str], bases: Sequence[BaseChoice], folds: int) -> Comparison:
    """The ways, each on all folds."""
    known = task.pictures
    splits = stratified_folds(
        known.labels, folds, seed=task.policy.seed, keys=known.keys, class_names=known.class_names
    )
    arms = [_judge(task, WITHOUT_BASE, None, splits)] if WITHOUT_BASE in ways else []
    for choice in bases:
        base = base_of(choice, [arm.base for arm in arms], task.device)
        arms += [_judge(task, way, base, splits) for way in ways if way != WITHOUT_BASE]
        freeze(base.model)
    sizes = (float(np.mean([len(rows) for rows in part])) for part in zip(*((s.train, s.validation) for s in splits)))
    return Comparison(known.title, arms, *sizes)


def _chosen(methods: Any, bases: Sequence[BaseChoice], policy: Policy) -> list[str]:
    """The methods, checked."""
    chosen = list(items("compare", "methods", methods))
    unknown = [method for method in chosen if method not in METHODS]
    if unknown or not chosen or len(set(chosen)) < len(chosen):
        raise ArgumentError(f"compare: methods are one or more of {', '.join(METHODS)}, each once; they are {chosen}")
    if not bases and any(method != WITHOUT_BASE for method in chosen):
        raise ArgumentError("compare: a method other than 'scratch' needs a base; bases is empty")
    if "finetuned" in chosen and policy.unfreeze is None:
        raise ArgumentError("compare: 'finetuned' needs a policy that unfreezes layers; its unfreeze is None")
    return chosen


def _judge(task: Task, name: str, base: Base | None, splits: Sequence[Any]) -> Arm:
    """One way on all folds; each fold draws from a seed of its own, whatever ways were judged before."""
    method: Method = METHODS[name]
    label = base.name if base is not None else ""
    begun = time.perf_counter()
    learn = method(task, base)  # type: ignore[arg-type]
    ready, accuracies = time.perf_counter(), []
    for number, split in enumerate(splits, 1):
        set_random_seed(fold_seed(task.policy.seed, number))
        found = learn(split).argmax(axis=1)
        accuracies.append(float((found == task.pictures.labels[split.validation]).mean()))
        if task.progress is not None:
            task.progress(f"{label} {name}".strip(), number, len(splits))
    return Arm(name, label, tuple(accuracies), ready - begun, time.perf_counter() - ready)
