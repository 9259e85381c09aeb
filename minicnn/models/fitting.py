"""fit: epochs of training over a model's trainable weights.

At every step the model's `trainable` flags are read anew.  What they leave frozen at the beginning of the net runs as
a prediction plan, and its results are kept from the first epoch on (features.py); the rest runs on the tape.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from minicnn import kernels
from minicnn.arguments import number, whole_number
from minicnn.autograd import Tensor
from minicnn.callbacks import CallbackList, History
from minicnn.errors import ArgumentError, DataError, DivergedError, GraphError, OutOfMemoryError
from minicnn.training import random_streams, weight_not_finite

from .batches import ArraySource, Batch, Source, StreamSource, limited, make_source
from .before import Before
from .compute import NotFinite, train_step
from .course import Course
from .device_memory import too_large
from .divergence import what_diverged
from .evaluation import evaluate
from .features import FeatureStore, Splits
from .memory import out_of_memory
from .progress import TrainingProgress, watched

if TYPE_CHECKING:
    from .model import Model


class Trainer:
    """The state of one call of fit; `splits` are kept from an earlier one."""

    def __init__(
        self,
        model: Model,
        train: Source,
        validation: Source | None = None,
        class_weight: dict[int, float] | None = None,
        splits: Splits | None = None,
    ):
        self.model, self.train, self.validation = model, train, validation
        self.class_weight = None if class_weight is None else checked_class_weight(class_weight)
        self.train_store = FeatureStore(train)
        self.validation_store = FeatureStore(validation)
        self.streams = random_streams(model)
        self.splits = Splits() if splits is None else splits

    def step(self, batch: Batch) -> float:
        """Train on one batch.

        Raises
        ------
        OutOfMemoryError
        """
        try:
            with kernels.precision(self.model.precision):
                return self._step(batch)
        except MemoryError as error:
            self.model.compilation.memory = kernels.Memory()
            self.splits.clear()
            if self.model.device != "cpu":
                traceback.clear_frames(error.__traceback__)  # which hold the arrays of the step
                raise self._too_large(batch) from None
            raise out_of_memory("training on a batch", len(batch), error) from error

    def _too_large(self, batch: Batch) -> OutOfMemoryError:
        """The refusal of a batch that the device has no memory for; frees what the step has left there."""
        weights = self.model.weights
        moving = [(weight, weight.numpy()) for weight in weights if not weight.learnable]
        before = Before(moving, self.streams)

        def step(count: int) -> None:
            part = batch.first(count)
            x = self.model.cast_inputs(part.x)
            self.splits.forget_batches()
            split = self.splits.of(self.model, x)
            try:
                with kernels.precision(self.model.precision), before.restored():
                    outputs = split.forward(split.features(x), True)
                    self.model.compilation.loss_of(part.y, outputs, None).backward()
            finally:
                for weight in weights:
                    weight.zero_grad()

        for weight in weights:
            weight.zero_grad()
        return too_large(kernels.device(self.model.device), "training on", len(batch), step)

    def _step(self, batch: Batch) -> float:
        x = self.model.cast_inputs(batch.x)
        split = self.splits.of(self.model, x)
        every = list({id(p): p for call in split.rest.calls for p in call.layer.weights}.values())
        parameters = [p for p in every if p.trainable]
        if not parameters:
            raise GraphError("nothing can be trained: every layer has trainable=False")
        compiled = self.model.compilation
        compiled.optimizer.scale_loss(self.model.precision == "float16")
        compiled.check_targets(
            batch.y, split.output_shapes, batch.weights
        )  # running on them moves BatchNorm's statistics
        features = self.train_store.get(split, batch, x)
        weights = combine_weights(batch, self.class_weight, self.model.outputs[0].shape)
        before = Before([(p, p.array.copy()) for p in every if not p.learnable], self.streams)
        try:
            with before.restored_on_error():
                return train_step(compiled, lambda f, training: split.forward(f, training), parameters,
                                  features, batch.y, weights)  # fmt: skip
        except NotFinite as error:
            with before.restored():
                message = what_diverged(self.model.program, x, error)
            raise DivergedError(message) from None

    def validate(self, callbacks: CallbackList, batch_size: int, interrupted: Callable[[], bool]) -> dict[str, float]:
        """Loss and metrics on the validation data, in inference mode."""
        assert self.validation is not None
        logs = evaluate(self.model, self.validation, self._start_validation, callbacks, batch_size, interrupted)
        return {f"val_{name}": value for name, value in logs.items()}

    def _start_validation(self, batch: Batch) -> Callable[[], list[Tensor]]:
        x = self.model.cast_inputs(batch.x)
        split = self.splits.of(self.model, x)
        with kernels.precision(self.model.precision):
            return split.start(self.validation_store.get(split, batch, x))

    def ran_out(self, epoch: int, done: int, options: dict[str, Any]) -> bool:
        """Whether a generator has ended, after an epoch of `done` steps, before the last has; a warning says so."""
        epochs, rhythm = options["epochs"], options["validation_freq"]
        steps = self.train.steps(options["batch_size"])
        last, short = epoch + 1 == epochs, steps is not None and done < steps
        if (short or not last) and self.train.ran_out():
            what, rest = "", "steps_per_epoch batches for each epoch"
        elif self.validation and epochs // rhythm > (epoch + 1) // rhythm and self.validation.ran_out():
            what, rest = "of validation data ", "validation_steps batches for each validation"
        else:
            return False
        warnings.warn(
            f"fit: the generator {what}ended in epoch {epoch + 1} of {epochs}, so training ends; it must give {rest}",
            stacklevel=5,
        )
        return True


def fit(model: Model, train: Source, validation: Source | None, options: dict[str, Any]) -> History:
    """Train; the arguments are those of Model.fit, checked and with the data as sources."""
    epochs = options["epochs"]
    trainer = Trainer(model, train, validation, options["class_weight"])
    steps = train.steps(options["batch_size"])
    progress = TrainingProgress(options["verbose"], steps, epochs)
    watching = watched(model, options["callbacks"], progress, options["verbose"], epochs=epochs, steps=steps)
    callbacks = CallbackList(watching, add_history=True, model=model, **watching.params)
    check_before(model, train, validation, callbacks)
    course = Course(model, train, validation, callbacks, options)
    with callbacks.backup.holding(course), abandoned_on_error(callbacks):
        model.stop_training = False
        callbacks.on_train_begin()
        with interruptible() as interrupted:
            callbacks.backup.resume(course)
            before = _steps_and_scale(model)
            logs = _epochs(trainer, course, interrupted)
            if not course.has_diverged:
                _warn_of_overflow(before, _steps_and_scale(model))
            model.optimizer.finalize_variable_values()
            callbacks.on_train_end(logs)
            model.compilation.memory = kernels.Memory()
            if not interrupted():
                callbacks.backup.end(course)
    assert callbacks.history is not None
    return callbacks.history


def _steps_and_scale(model: Model) -> tuple[int, float | None]:
    """How many steps the optimizer has made, and by what it scales the loss."""
    scale = model.optimizer.loss_scale
    return model.optimizer.iterations, None if scale is None else scale.value


def _warn_of_overflow(before: tuple[int, float | None], after: tuple[int, float | None]) -> None:
    """Say that nothing was learned, where the scale became smaller and no step was made."""
    if after[0] == before[0] and after[1] is not None and after[1] != before[1]:
        warnings.warn(
            "fit: the weights are as before: in every step a gradient was NaN or infinite in float16, with a loss that "
            f"is scaled by {after[1]:g} now, and by half of it after each further step until they are finite; "
            "model.precision = 'bfloat16' has the range of float32",
            stacklevel=4,
        )


def check_before(model: Model, train: Source, validation: Source | None, callbacks: CallbackList) -> None:
    """Refuse what does not fit before anything is changed: arrays, first batches of other data, figures to monitor."""
    figures = ["loss", *model.compilation.figures()]
    for source, use in ((train, "train on"), (validation, "evaluate")):
        if source is not None:
            batch = source.peek()
            if batch is None:
                raise DataError(f"there are no batches to {use}")
            model.check_arrays(batch.x)
            shapes = model.shapes_for([array.shape for array in batch.x])
            model.compilation.check_targets(batch.y, shapes, batch.weights)
    callbacks.expect(figures if validation is None else [*figures, *(f"val_{name}" for name in figures)])


def _epochs(trainer: Trainer, course: Course, interrupted: Callable[[], bool]) -> dict[str, Any]:
    """All epochs that are left, with their hooks and checkpoints; the figures of the last."""
    model, callbacks, options, position = course.model, course.callbacks, course.options, course.position
    logs = position.logs
    while position.epoch < options["epochs"] and not position.over:
        epoch = position.epoch
        logs = _steps(trainer, course, interrupted)
        done = position.step
        if course.validation is not None and (epoch + 1) % options["validation_freq"] == 0 and not interrupted():
            logs |= trainer.validate(callbacks, options["validation_batch_size"], interrupted)
        if not interrupted():
            callbacks.on_epoch_end(epoch, logs)
            position.next_epoch(logs)
            position.over = model.stop_training or trainer.ran_out(epoch, done, options)
        if position.epoch == epoch:
            callbacks.backup.save(course)
        else:
            callbacks.backup.epoch_done(course, position.over or interrupted() or position.epoch == options["epochs"])
        if interrupted():
            if options["verbose"]:
                print(f"interrupted in epoch {epoch + 1}: the model keeps what it has learned", file=sys.stderr)
            break
    return logs


def _steps(trainer: Trainer, course: Course, interrupted: Callable[[], bool]) -> dict[str, Any]:
    """The steps of an epoch that are left; the mean loss and the metrics over all of it."""
    model, callbacks, position = course.model, course.callbacks, course.position
    if not position.step:
        callbacks.on_epoch_begin(position.epoch)
    order = course.begin_epoch()
    logs = course.figures()
    for batch in course.train.batches_from(position.step, course.options["batch_size"], order):
        step = position.step
        callbacks.on_train_batch_begin(step)
        try:
            loss = trainer.step(batch)
        except DivergedError as error:
            before = "the model keeps the weights of before this step"
            logs = course.diverge(f"step {step + 1} of epoch {position.epoch + 1} {error}; {before}")
        else:
            position.add(loss, len(batch))
            logs = course.figures()
        callbacks.on_train_batch_end(step, logs)
        callbacks.backup.step_done(course)
        if model.stop_training or interrupted():
            break
    if not logs:
        raise DataError("there are no batches to train on")
    course.end_steps()
    if not course.has_diverged and (place := weight_not_finite(model)) is not None:
        return course.diverge(f"epoch {position.epoch + 1} {place} became NaN or infinite")
    return logs


def combine_weights(
    batch: Batch, class_weight: dict[int, float] | None, shape: tuple[int | None, ...]
) -> np.ndarray | None:
    """Sample weights times those of the classes of samples, or of their steps, for an output (N,K) or (N,...,K)."""
    if class_weight is None:
        return batch.weights
    if len(batch.y) != 1:
        raise ArgumentError("class_weight needs a model with one output")
    y, greatest, outputs = batch.y[0], max(class_weight, default=0), shape[-1]
    has_axis = y.ndim >= max(len(shape), 2)  # of classes; class numbers may have one of length 1, or none
    columns = y.shape[-1] if has_axis else 1
    if columns > 1 and greatest >= columns:
        raise ArgumentError(f"class_weight names class {greatest}; the targets have classes 0..{columns - 1}")
    if columns == 1 and outputs is not None and 1 < outputs <= greatest:  # one output may be any number
        raise ArgumentError(f"class_weight names class {greatest}; the model has classes 0..{outputs - 1}")
    classes = y.argmax(-1) if columns > 1 else y[..., 0] if has_axis else y
    labels, places = np.unique(classes, return_inverse=True)
    weights = np.array([class_weight.get(int(c), 1.0) for c in labels], np.float32)[places].reshape(classes.shape)
    if batch.weights is None:
        return weights
    axes = max(weights.ndim, batch.weights.ndim)
    weights, own = (w.reshape(*w.shape, *[1] * (axes - w.ndim)) for w in (weights, batch.weights))
    return weights * own


def checked_class_weight(class_weight: Any) -> dict[int, float]:
    """{class number: weight}, when it is that.

    Raises
    ------
    ArgumentError
        No dict, a key that is no class number, or a weight that is no finite number of at least 0.
    """
    if not isinstance(class_weight, dict):
        raise ArgumentError(f"class_weight must be a dict of class numbers and weights; it is {class_weight!r}")
    return {
        whole_number("class_weight", "each class", label, 0): number("class_weight", f"of {label}", weight, "[0, inf)")
        for label, weight in class_weight.items()
    }


def split_validation(train: Source, share: float) -> tuple[Source, Source]:
    """(training, validation): the last part of the samples is held out, before any shuffling."""
    if not isinstance(train, ArraySource):
        raise ArgumentError("validation_split needs x and y as arrays; give validation_data instead")
    assert train.size is not None
    cut = int(train.size * (1 - share))
    if not 0 < cut < train.size:
        raise ArgumentError(f"validation_split={share} of {train.size} samples leaves one side empty")

    def part(rows: slice) -> ArraySource:
        weights = None if train.weights is None else train.weights[rows]
        x, y = ([a[rows] for a in arrays] for arrays in (train.x, train.y))
        return ArraySource(x, y, weights, check=False)

    return part(slice(cut)), part(slice(cut, None))


def training_source(model: Model, x: Any, y: Any, sample_weight: Any, steps_per_epoch: int | None) -> Source:
    """The source of what fit takes as its data."""
    source = make_source(model, x, y, sample_weight)
    if steps_per_epoch is not None and not isinstance(source, StreamSource):
        raise ArgumentError("steps_per_epoch is for generators; an epoch of arrays or of a dataset is all its samples")
    return limited(source, "fit", "steps_per_epoch", steps_per_epoch)


def validation_source(model: Model, data: Any, validation_steps: int | None) -> Source:
    """The source of `validation_data`: (x, y), (x, y, sample_weight), a dataset, or an iterable of batches."""
    batches = isinstance(data, list) and all(isinstance(item, tuple) for item in data)
    arrays = isinstance(data, (tuple, list)) and 2 <= len(data) <= 3 and not batches
    source = make_source(model, *data) if arrays else make_source(model, data)
    return limited(source, "fit", "validation_steps", validation_steps)


@contextmanager
def abandoned_on_error(callbacks: CallbackList) -> Iterator[None]:
    """Tell callbacks of an error that ends the block, so that they let go of what they hold open."""
    try:
        yield
    except BaseException:
        callbacks.abandon()
        raise


@contextmanager
def interruptible() -> Iterator[Any]:
    """Within the block, Ctrl-C is noted and answered between two steps, so that no update is cut in half.

    A second Ctrl-C interrupts at once; one that was noted is raised at the block's end.
    """
    pressed = [False]
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def note(number: int, frame: Any) -> None:
        if pressed[0]:
            raise KeyboardInterrupt
        pressed[0] = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed[0]
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed[0]:
        raise KeyboardInterrupt
