"""The score of a class, as it is before softmax or sigmoid, and its gradient anywhere in a network.

A probability of 1 has no slope; the score behind it has.  So gradients begin at the scores, as in the papers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minicnn.autograd import Parameter, Tensor
from minicnn.autograd.function import Context, Node
from minicnn.errors import ArgumentError, ShapeError, UnsupportedError
from minicnn.losses import softmax_input
from minicnn.models.arrays import as_array
from minicnn.models.graph import Program
from minicnn.models.plan import Plan

BATCH = 8
Classes = int | Sequence[int] | np.ndarray | None


def input_gradient(model: Any, x: np.ndarray, classes: Classes = None) -> np.ndarray:
    """
    The gradient of the scores of classes for the input: how much each number of it matters, and in which direction.

    Parameters
    ----------
    model : Model
        A classifier with one input and one output (N,C).
    x : float array (N,...)
        What the model takes, as `model.prepare` makes it.
    classes : int or ints (N,), optional
        The class to explain, for all or for each sample; the likeliest of each when None.

    Returns
    -------
    float array of the shape of x
        d score / d x; its absolute value, the greatest over the channels, is a saliency map.

    Raises
    ------
    ArgumentError, ShapeError, UnsupportedError

    Source
    ------
    Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks", 2014, section 3.

    Examples
    --------
    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Sequential
    >>> model = Sequential([Input((2,)), Dense(3, activation="softmax")])
    >>> model.set_weights([np.array([[1, 2, 3], [4, 5, 6]]), np.zeros(3)])
    >>> input_gradient(model, np.ones((1, 2)), 1)
    array([[2., 5.]], dtype=float32)
    """
    x, classes = checked(model, x, classes)
    return gradients_at(model, x, classes, model.program.inputs[0])[1]


def checked(model: Any, x: np.ndarray, classes: Classes) -> tuple[np.ndarray, np.ndarray]:
    """
    (x as the model takes it, the class of each sample).

    Raises
    ------
    UnsupportedError
        The model has several inputs or outputs, or gives no row of classes.
    ShapeError, ArgumentError
        x does not fit, or a class is none of the model's.
    """
    shapes = [tensor.shape[1:] for tensor in model.outputs]
    if len(model.inputs) != 1 or len(shapes) != 1 or len(shapes[0]) != 1:
        said = ", ".join(map(str, shapes))
        raise UnsupportedError(
            f"model {model.name} has {len(model.inputs)} inputs and outputs of shapes {said}; explanations are for a "
            "classifier with one input and one output of shape (classes,)"
        )
    (x,) = model.cast_inputs([as_array(x, "the pictures")])
    count = 2 if shapes[0] == (1,) else shapes[0][0]
    if classes is None:
        return x, likeliest(model.predict(x, batch_size=BATCH))
    numbers = np.asarray(classes)
    if numbers.ndim > 1 or numbers.dtype.kind not in "iu" or (numbers.ndim and len(numbers) != len(x)):
        raise ShapeError(f"classes are one class number, or one for each of {len(x)} samples; got {classes!r}")
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < count):
        raise ArgumentError(f"the model has classes 0 to {count - 1}; classes is {classes!r}")
    return x, np.broadcast_to(numbers, len(x))


def likeliest(outputs: np.ndarray) -> np.ndarray:
    """The class (N,) of outputs (N,C); one output is the probability of the second of two classes."""
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(np.int64)


def gradients_at(model: Any, x: np.ndarray, classes: np.ndarray, slot: int) -> tuple[np.ndarray, np.ndarray]:
    """
    (value, gradient of each sample's class score) of one value on the way from the input to the output.

    Parameters
    ----------
    slot : int
        Where the model's program keeps that value.
    """
    if not len(x):
        raise ShapeError("there are no samples to explain")
    before, after = _cut(model.program, slot)
    plan = Plan(before, [x.shape[1:]], [x.dtype]) if before.calls else None
    pairs = []
    for start in range(0, len(x), BATCH):
        part = slice(start, start + BATCH)
        border = [x[part]] if plan is None else plan.run([x[part]])
        pairs.append(_gradients(after, border, classes[part], slot, model.weights))
    values, gradients = zip(*pairs)
    return np.concatenate(values), np.concatenate(gradients)


def _cut(program: Program, slot: int) -> tuple[Program, Program]:
    """(the program up to the call that makes a value, the rest of it)."""
    last = next((i for i, call in enumerate(program.calls) if slot in call.outputs), -1)
    first, rest = program.calls[: last + 1], program.calls[last + 1 :]
    there = {*program.inputs, *(index for call in first for index in call.outputs)}
    needed = {source for call in rest for source in call.sources()} | set(program.outputs)
    border = sorted(needed & there)
    return Program(first, program.inputs, border), Program(rest, border, program.outputs)


def _gradients(
    after: Program, border: list[np.ndarray], classes: np.ndarray, slot: int, weights: Sequence[Parameter]
) -> tuple[np.ndarray, np.ndarray]:
    """(the value at a slot, the gradient there), from what flows into the rest of a program."""
    values = {index: Tensor(array, requires_grad=index == slot) for index, array in zip(after.inputs, border)}
    leaf = values[slot]
    with _constant(weights):
        (outputs,) = after.run(values, training=False)
        scores_behind(outputs).backward(_directions(classes, outputs))
    assert leaf.grad is not None
    return leaf.numpy(), leaf.grad.numpy()


def _directions(classes: np.ndarray, outputs: Tensor) -> np.ndarray:
    """Each sample's score as factors of its outputs: 1 at its class; -1 for the first class of a lone output."""
    if outputs.shape[1] == 1:
        return np.where(classes[:, None] == 1, 1, -1).astype(outputs.dtype)
    return np.eye(outputs.shape[1], dtype=outputs.dtype)[classes]


def scores_behind(outputs: Tensor) -> Tensor:
    """
    The tensor whose softmax or sigmoid the outputs are, or the outputs themselves.

    Only its history counts: behind a sigmoid that is a part of another operation its numbers are not known.
    """
    logits = softmax_input(outputs)
    node = outputs.creator
    if logits is not None or node is None or node.context is None:
        return outputs if logits is None else logits
    options = node.context.options
    if options.get("name") == "sigmoid":
        return node.input(0, outputs.array)
    if options.get("activation") != "sigmoid":
        return outputs
    context = Context(node.context.needs, options | {"activation": None})
    context.saved = node.context.saved
    scores = Tensor(outputs.array, requires_grad=True)
    scores.creator = Node(node.function, context, node.inputs, node.shape)
    return scores


@contextmanager
def _constant(weights: Sequence[Parameter]) -> Iterator[None]:
    """Within the block no weight collects a gradient."""
    flags = [weight.trainable for weight in weights]
    try:
        for weight in weights:
            weight.trainable = False
        yield
    finally:
        for weight, flag in zip(weights, flags):
            weight.trainable = flag
