"""One step of training and one of testing: the arithmetic between a batch and the change of the weights."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from minicnn import kernels, losses, metrics, optimizers
from minicnn.arguments import number
from minicnn.autograd import Parameter, Tensor, no_grad
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.optimizers import LossScale
from minicnn.training import all_finite


class Choices(NamedTuple):
    """The arguments of `compile`."""

    optimizer: Any
    loss: Any = None
    metrics: Any = None
    loss_weights: Any = None


class Compiled:
    """What `compile` chose: an optimizer, a loss and metrics for each output.

    It holds nothing that a layer's `trainable` could contradict: the flags are read at every step.
    """

    def __init__(self, output_names: list[str], choices: Choices):
        self.output_names = output_names
        self.optimizer = choices.optimizer
        self.losses = [None if item is None else losses.get(item) for item in _each(choices.loss, output_names, "loss")]
        self.loss_weights = _each_weight(choices.loss_weights, output_names)
        several = sum(loss is not None for loss in self.losses) > 1
        self.loss_means = [
            metrics.Mean(f"{name}_loss") if several and loss is not None else None
            for name, loss in zip(output_names, self.losses)
        ]
        groups = _each(choices.metrics, output_names, "metrics", nested=True)
        self.metrics = [[metrics.get(item) for item in _as_list(group)] for group in groups]
        self.memory = kernels.Memory()  # of the arrays of a step, for the next

    @property
    def seen_by(self) -> list[Any]:
        """The metrics and means that see each batch."""
        return [*filter(None, self.loss_means), *(metric for group in self.metrics for metric in group)]

    def reset(self) -> None:
        """Begin an epoch: forget what the metrics have seen."""
        for metric in self.seen_by:
            metric.reset_state()

    def check_targets(self, targets: list[Any], shapes: list[Any], weights: np.ndarray | None = None) -> None:
        """Raise where targets, or weights of samples, do not fit outputs of these shapes, of any number of samples."""
        self._check_number(len(targets))
        if weights is not None and weights.ndim > 1:
            for loss, shape in zip(self.losses, shapes):
                steps = (*shape[1:-1], 1)[: weights.ndim - 1]
                pairs = zip_longest(weights.shape[1:], steps, fillvalue=1)
                if loss is not None and any(w != 1 and n is not None and w != n for w, n in pairs):
                    each = f", or one a step, (N,{','.join(map(str, shape[1:-1]))})" if shape[1:-1] else ""
                    raise ShapeError(
                        f"sample_weight has shape {weights.shape}, an output {shape}: give one number a sample, "
                        f"(N,){each}"
                    )
        for loss, target, shape in zip(self.losses, targets, shapes):
            if loss is not None:
                loss.check(target, (None, *shape[1:]))

    def _check_number(self, targets: int) -> None:
        if targets != len(self.losses):
            raise DataError(f"the model has {len(self.losses)} outputs, targets were given for {targets}")
        if all(loss is None for loss in self.losses):
            raise ArgumentError("compile(loss=...) named no loss, so there is nothing to train or evaluate")

    def loss_of(self, targets: list[Any], outputs: list[Tensor], weights: Any) -> Tensor:
        """The weighted sum of the losses of the outputs; where there are several, each is noted."""
        self._check_number(len(targets))
        total = None
        for loss, factor, mean, target, output in zip(
            self.losses, self.loss_weights, self.loss_means, targets, outputs
        ):
            if loss is None:
                continue
            part = loss(target, output, weights)
            if mean is not None:
                mean.update_state(part.item())  # Keras has each batch count alike, but for the total
            part = part if factor == 1 else part * factor
            total = part if total is None else total + part
        assert total is not None
        return total

    def observe(self, targets: list[Any], outputs: list[Tensor]) -> None:
        """Show a batch to the metrics, which take no sample weights, as Keras' plain ones.

        Those that are means of values leave out what a mask does; the others count it, as in Keras.
        """
        for group, target, output in zip(self.metrics, targets, outputs):
            mask = None if output.mask is None else output.mask.numpy()
            for metric in group:
                weights = () if mask is None or not isinstance(metric, metrics.MeanOf) else (mask,)
                metric.update_state(np.asarray(target), output.numpy(), *weights)

    def figures(self) -> dict[str, Any]:
        """The metrics by the names of their figures: losses of several outputs first, whose names then lead."""
        found: dict[str, Any] = {mean.name: mean for mean in self.loss_means if mean is not None}
        for name, group in zip(self.output_names, self.metrics):
            prefix = "" if len(self.output_names) == 1 else f"{name}_"
            found |= {f"{prefix}{metric.name}": metric for metric in group}
        return found

    def results(self) -> dict[str, float]:
        """The figures so far."""
        values = {name: metric.result() for name, metric in self.figures().items()}
        return {name: float(value) if np.ndim(value) == 0 else value for name, value in values.items()}


def check_choices(choices: Choices) -> None:
    """Raise ArgumentError for an unknown name, also where a model does not know its outputs yet."""
    optimizers.get(choices.optimizer)
    for item in _leaves(choices.loss):
        losses.get(item)
    for item in _leaves(choices.metrics):
        metrics.get(item)
    for item in _leaves(choices.loss_weights):
        number("compile", "loss_weights", item, "(-inf, inf)")


def _leaves(value: Any) -> list[Any]:
    """The objects and names in a choice that may be nested by output."""
    items = value.values() if isinstance(value, dict) else _as_list(value)
    nested = isinstance(value, (dict, list, tuple))
    return [leaf for item in items for leaf in (_leaves(item) if nested else [item])]


class NotFinite(ArithmeticError):
    """The loss of a step is NaN or infinite, or the gradient of a parameter is at a finite loss."""

    def __init__(self, loss: float, parameter: Parameter | None = None):
        super().__init__(loss)
        self.loss, self.parameter = loss, parameter


def train_step(
    compiled: Compiled, forward: Any, parameters: list[Parameter], x: list[Any], y: list[Any], weights: Any
) -> float:
    """One batch: forward, loss, backward, update.  Returns the loss, penalties included.

    Raises
    ------
    NotFinite
        The loss is NaN or infinite, or a gradient whose loss cannot be scaled less; no parameter has been changed.
    """
    with kernels.reuse(compiled.memory):
        return _train_step(compiled, forward, parameters, x, y, weights)


def _train_step(
    compiled: Compiled, forward: Any, parameters: list[Parameter], x: list[Any], y: list[Any], weights: Any
) -> float:
    for parameter in parameters:
        parameter.zero_grad()
    outputs = forward(x, training=True)
    loss = compiled.loss_of(y, outputs, weights)
    value = loss.item() + penalty(parameters)
    if not math.isfinite(value):
        raise NotFinite(value)
    compiled.observe(y, outputs)
    scale = compiled.optimizer.loss_scale
    if loss.requires_grad:
        loss.backward(None if scale is None else np.full_like(loss.array, scale.value))
    moved = [p for p in parameters if p.grad is not None]
    if scale is not None and moved and not _unscale(moved, scale, value):
        return value
    pairs = [(_with_penalty(p), p) for p in moved]
    compiled.optimizer.apply_gradients(pairs)
    for _, parameter in pairs:
        if parameter.constraint is not None:
            parameter.rewrite(parameter.checked(parameter.constraint(parameter.numpy())))
        parameter.zero_grad()
    return value


def _unscale(parameters: list[Parameter], scale: LossScale, loss: float) -> bool:
    """Make the gradients those of the loss; False where one is not finite, and the step is to be left out.

    Raises
    ------
    NotFinite
        One is not, though the loss was scaled by the least that there is.
    """
    least = scale.is_least
    found = scale.unscaled([p.grad.array for p in parameters if p.grad is not None])
    if found is None and least:
        on_the_way_back = reversed(parameters)
        raise NotFinite(loss, next(p for p in on_the_way_back if p.grad is not None and not all_finite(p.grad.numpy())))
    for parameter, gradient in zip(parameters, found or ()):
        parameter.grad = Tensor(gradient)
    return found is not None


def test_step(compiled: Compiled, outputs: list[Tensor], y: list[Any], weights: Any) -> float:
    """The loss of predictions, without penalties; the metrics see the batch."""
    with no_grad():
        value = compiled.loss_of(y, outputs, weights).item()
    compiled.observe(y, outputs)
    return value


def penalty(parameters: list[Parameter]) -> float:
    """The sum of the regularizers of the weights."""
    return sum(p.regularizer.penalty(p.numpy()) for p in parameters if p.regularizer is not None)


def _with_penalty(parameter: Parameter) -> Tensor:
    assert parameter.grad is not None
    if parameter.regularizer is None:
        return parameter.grad
    added = kernels.to_device(parameter.regularizer.gradient(parameter.numpy()), parameter.device)
    return Tensor(parameter.grad.array + added)


def _as_list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]


def _each(value: Any, names: list[str], what: str, nested: bool = False) -> list[Any]:
    """One entry for each output, from a single value, a list or a dict by output name."""
    if isinstance(value, dict):
        if unknown := sorted(value.keys() - set(names)):
            raise ArgumentError(f"compile({what}=...): no output is named {', '.join(unknown)}; there are {names}")
        return [value.get(name) for name in names]
    if len(names) == 1:
        single = isinstance(value, (list, tuple)) and len(value) == 1 and not nested
        return [value[0] if single else value]
    if isinstance(value, (list, tuple)) and len(value) == len(names):
        return list(value)
    return [value for _ in names]


def _each_weight(value: Any, names: list[str]) -> list[float]:
    """The factor of each output's loss; those that a dict leaves out are 1."""
    if value is None:
        return [1.0] * len(names)
    if isinstance(value, dict):
        return [1.0 if item is None else float(item) for item in _each(value, names, "loss_weights")]
    weights = _as_list(value)
    if len(weights) != len(names) or None in weights:
        raise ArgumentError(
            f"compile: loss_weights must be one number an output, of {names}; it is {value!r}: give a list or a dict"
        )
    return [float(item) for item in weights]
