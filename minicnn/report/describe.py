"""From the result of a transfer to the content of its report."""

import datetime
import importlib.metadata
import platform
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minicnn import __version__
from minicnn.preparation import Preparation
from minicnn.report.content import LayerGroup, TrainingReport
from minicnn.report.seen import looked_at
from minicnn.report.words import count
from minicnn.transfer.base import Base
from minicnn.transfer.groups import Group, layer_groups
from minicnn.transfer.result import TransferResult

PIXELS = {
    "caffe": "blue, green, red, each minus its ImageNet mean",
    "tf": "x / 127.5 − 1",
    "torch": "x / 255, minus the ImageNet mean, divided by its deviation",
    "unit": "x / 255",
    "none": "as they are, 0 to 255",
}
TUNING = (  # what a policy says of fine-tuning, beside epochs and rate
    "layer_decay", "gradual", "schedule", "warmup", "optimizer", "batchnorm", "weight_decay", "l2_sp", "rank",
    "augment", "clip_norm", "ema", "patience",
)  # fmt: skip


def describe(result: TransferResult, command: Sequence[str], next_command: str) -> TrainingReport:
    """
    The report of a result.

    Parameters
    ----------
    command : sequence of str
        The arguments that led to it, the program's name first.
    next_command : str
        How to use the model.
    """
    ended = now()
    return TrainingReport(
        title=result.title,
        created=f"{ended.day} {ended:%B %Y, %H:%M}",
        command=shlex.join(command),
        class_names=result.class_names,
        confusion=result.confusion,
        phases=result.phases,
        train_counts=result.train_counts,
        val_counts=result.val_counts,
        mistakes=result.mistakes,
        refused=result.refused,
        adapted=result.adapted,
        remarks=result.remarks,
        folds=result.folds,
        cache=result.cache,
        facts={
            "Model": _model_facts(result.base),
            "Settings": _setting_facts(result),
            "Software": software(),
        },
        seconds=result.seconds,
        judged=result.judged,
        seen=looked_at(result),
        groups=trained_layers(result),
        next_command=next_command,
    )


def trained_layers(result: TransferResult) -> list[LayerGroup]:
    """The layer groups of a network that was fine-tuned, from its inputs to its head; nothing without fine-tuning."""
    if len(result.phases) < 2:
        return []
    policy, below = result.training, layer_groups(result.base.model)
    head, rate = result.model.layers[-1], policy.learning_rate
    rows = [_layer_group(Group(head.name, (head,)), rate)]
    for group in reversed(below):
        learns = any(layer.trainable_weights for layer in group.layers)
        rate *= policy.layer_decay if learns else 1.0
        rows.append(_layer_group(group, rate))
    return rows[::-1]


def _layer_group(group: Group, rate: float) -> LayerGroup:
    trained = sum(weight.size for layer in group.layers for weight in layer.trainable_weights)
    size = sum(weight.size for layer in group.layers for weight in layer.weights)
    return LayerGroup(group.name, size, trained, rate)


def now() -> datetime.datetime:
    """The time with its zone."""
    return datetime.datetime.now().astimezone()


def _model_facts(base: Base) -> Mapping[str, str]:
    facts = {"base": base.name, "weights": base.weights}
    if isinstance(base.preparation, Preparation):
        mode, (height, width) = base.preparation.preprocessing, base.preparation.size
        facts["pixel values"] = f"{mode}: {PIXELS[mode]}"
        facts["picture size"] = f"{height} × {width}, by {base.preparation.rule.method}"
    return facts if base.sha256 is None else facts | {"sha256 of the weights": base.sha256}


def _setting_facts(result: TransferResult) -> Mapping[str, str]:
    policy = result.training
    facts = {
        "seed": str(policy.seed),
        "validation pictures": result.split,
        "batch size": str(policy.batch_size),
        "head": f"{count(policy.head_epochs, 'epoch')}, dropout {policy.dropout:g}",
    }
    if policy.unfreeze is not None:
        epochs, layers = count(policy.epochs, "epoch"), f"from {policy.unfreeze} on"
        if isinstance(policy.unfreeze, int):
            layers = f"of the last {count(policy.unfreeze, 'group')} of layers"
        facts["fine-tuning"] = f"{epochs} {layers}, learning rate {policy.learning_rate:g}"
    told = [*TUNING] if policy.unfreeze is not None else ["augment"] if policy.views else []
    told += ["views", "label_smoothing", "class_weight", *(["held_out"] if policy.patience else [])]
    return facts | {name.replace("_", " "): _told(getattr(policy, name)) for name in told if getattr(policy, name)}


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return getattr(value, "__qualname__", str(value))  # a function that augments


def software() -> Mapping[str, str]:
    """The versions that a result depends on."""
    from minicnn.kernels import get_num_threads

    try:
        numba = importlib.metadata.version("numba")
    except importlib.metadata.PackageNotFoundError:
        numba = "not installed"
    return {
        "minicnn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba,
        "system": platform.platform(terse=True),
        "threads": str(get_num_threads()),
    }
