"""Model: a graph of layers with the methods by which Keras users train, evaluate, predict and save."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minicnn import optimizers
from minicnn.arguments import number, whole_number
from minicnn.errors import GraphError
from minicnn.layers import SymbolicTensor
from minicnn.layers.symbolic import symbolic_tensors

from . import evaluation, fitting
from .batches import ArraySource, Source, checked_batch_size, in_order, limited, make_source
from .compute import Choices, Compiled, check_choices
from .features import Splits
from .network import Network, alone
from .progress import EvaluationProgress, PredictionProgress, checked_verbose, watched


class Model(Network):
    """Layers between inputs and outputs; itself a layer that other models may use.

    Parameters
    ----------
    inputs, outputs : symbolic tensors, or lists of them

    Attributes
    ----------
    layers : the layers in Keras' order (by depth), which weight files follow
    dense_storage : how prediction stores the weights of dense layers: "float32", or in fewer bits "bfloat16", "int8"
    metadata : what a saved file tells beside the network: class names, input size, preprocessing
    compiled, optimizer, loss : whether `compile` chose how to train, and what; None before
    stop_training, stop_evaluating, stop_predicting : set by a callback to end fit, evaluate or predict early

    Examples
    --------
    >>> from minicnn.layers import Dense, Input
    >>> from minicnn.models import Model
    >>> x = Input((4,))
    >>> Model(x, Dense(3)(x)).count_params()
    15
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool | None = None):
        super().__init__(name=name)
        self._start()
        self._set_graph(_tensors(inputs, "inputs"), _tensors(outputs, "outputs"))
        if trainable is not None:
            self.trainable = trainable

    def _start(self) -> None:
        self.metadata: dict[str, Any] = {}
        self.load_report: Any = None  # of the weights that an application was made with
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.choices: Choices | None = None
        self.uncompiled = "call model.compile(optimizer, loss) first"
        self._compiled: Compiled | None = None
        self._splits = Splits()  # of train_on_batch

    # Files --------------------------------------------------------------------------------------------------------

    def load_weights(
        self, path: str | Path, strict: bool = True, by_name: bool = False, on_mismatch: str = "error"
    ) -> Any:
        """Read weights from a Keras or safetensors file into this model; nothing is assigned unless all fits.

        A body (an application without its top) takes a whole network's file; the head is listed in `.unexpected`.

        Parameters
        ----------
        strict : refuse a file that lacks weights of this model or holds others
        by_name : match layers by name alone, never by order
        on_mismatch : "error", "skip" or "reinit", for a weight of another shape

        Returns
        -------
        LoadReport : .loaded .missing .unexpected .mismatched .warnings; prints as a table

        Raises
        ------
        FileAccessError, FileFormatError, WeightsMismatchError
        """
        from .weight_files import load_weights

        options = {"strict": strict, "by_name": by_name, "on_mismatch": on_mismatch}
        return load_weights(self, path, **options, allow_head=self.metadata.get("include_top") is False)

    def save_weights(self, path: str | Path) -> None:
        """Write the weights: `.weights.h5` is Keras 3's layout, any other `.h5` the legacy one; or `.safetensors`."""
        from .weight_files import save_weights

        save_weights(self, path)

    def save(self, path: str | Path) -> None:
        """Write architecture, weights and metadata: `.keras`, or `.h5` in the legacy layout; Keras opens both."""
        from .weight_files import save_model

        save_model(self, path)

    def __reduce__(self) -> tuple[Any, ...]:
        """`pickle` and `copy.deepcopy` take what `save` would write: architecture, weights, metadata, how it learns.

        The copy is on the CPU, wherever the model is.
        """
        from .copying import from_bytes, to_bytes

        return from_bytes, (to_bytes(self), self.dense_storage)

    def _forget_plans(self) -> None:
        super()._forget_plans()
        self._splits.clear()

    def _prepare_move(self, device: str) -> list[Callable[[], None]]:
        copied = super()._prepare_move(device)
        if self.choices is not None:
            own = {id(weight) for weight in self.weights}
            copied.append(self.choices.optimizer.prepare_move(lambda p: device if id(p) in own else p.device))
        return copied

    # Prediction ---------------------------------------------------------------------------------------------------

    def predict(self, x: Any, batch_size: int | None = 32, verbose: int | str = 0, callbacks: Any = None) -> Any:
        """The outputs for x, batch by batch: an array, or a list where there are several outputs.

        `x` is a dataset, or an array, a list of arrays or a dict by input name.

        Raises
        ------
        ShapeError, DTypeError, ArgumentError
        """
        batch_size, verbose = checked_batch_size(batch_size), checked_verbose("predict", verbose)
        if hasattr(x, "batches"):
            source = make_source(self, x)
        else:
            source = ArraySource(in_order(x, self, "x"), None, None, check=False)
        self._build_for(source)
        steps = source.steps(batch_size)
        progress = PredictionProgress(verbose, steps)
        watching = watched(self, callbacks, progress, verbose, epochs=1, steps=steps)
        return alone(evaluation.predict(self, source, watching, batch_size))

    def prepare(self, images: Any) -> np.ndarray:
        """Pictures as this model takes them: uint8 (H,W,3) each, of any size, resized and scaled as the metadata says.

        Files are read by `minicnn.data.read_image(file).pixels`.

        Raises
        ------
        ArgumentError
            The metadata does not say how.
        DTypeError, ShapeError
            Something else than such pictures.
        """
        from minicnn.preparation import Preparation

        return Preparation.from_metadata(self.metadata, self.input_shape).prepare(images)

    def _build_for(self, source: Source) -> None:
        """A Sequential without an Input takes its shape from the first data."""

    # Training -----------------------------------------------------------------------------------------------------

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, loss_weights: Any = None
    ) -> None:
        """Choose how to train: an optimizer, a loss and metrics, each an object or Keras' name.

        A loss may be a function of tensors (y_true, y_pred) that gives a Tensor, one value a sample or a scalar.  With
        several outputs, losses, metrics and loss_weights (the factors of the losses in the total) may be lists or dicts
        by output name.  Unknown names are refused.
        """
        choices = Choices(optimizer, loss, metrics, loss_weights)
        check_choices(choices)
        self.choices, self._compiled = choices._replace(optimizer=optimizers.get(optimizer)), None

    @property
    def compilation(self) -> Compiled:
        """What `compile` chose, for the outputs that the model has now."""
        if self.choices is None:
            raise GraphError(f"model {self.name} is not compiled: {self.uncompiled}")
        if self._compiled is None:
            self._compiled = Compiled(self.output_names, self.choices)
        return self._compiled

    @property
    def compiled(self) -> bool:
        """Whether `compile` has been called, or the file said how the model was compiled."""
        return self.choices is not None

    @property
    def optimizer(self) -> Any:
        """The optimizer; None before `compile`."""
        return self.choices and self.choices.optimizer

    @property
    def loss(self) -> Any:
        """The loss as `compile` was given it; None before."""
        return self.choices and self.choices.loss

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = 32,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> Any:
        """Train for some epochs; returns a History, whose `.history` has a list for each figure.

        `x` and targets `y` are arrays, lists of arrays or dicts by input and output name; or `x` is a dataset, or an
        iterable of batches (x, y).  The trainable flags are read at every step; frozen layers at the beginning are
        computed once for each sample and kept, so a dataset must give the same samples in every epoch: give batches
        that differ, as by augmentation, as an iterable.  Arrays, the first batch of anything else, and what callbacks
        monitor are checked before anything is changed.  A generator that ends too early ends training, with a warning.

        Raises
        ------
        DataError, ShapeError, ArgumentError, GraphError, DivergedError
        """
        options = {
            "verbose": checked_verbose("fit", verbose), "epochs": whole_number("fit", "epochs", epochs, 0),
            "batch_size": checked_batch_size(batch_size), "callbacks": callbacks, "shuffle": shuffle,
            "class_weight": class_weight, "initial_epoch": whole_number("fit", "initial_epoch", initial_epoch, 0),
            "validation_batch_size": checked_batch_size(validation_batch_size or batch_size, "validation_batch_size"),
            "validation_freq": whole_number("fit", "validation_freq", validation_freq, 1),
        }  # fmt: skip
        share = number("fit", "validation_split", validation_split, "[0, 1]")
        train, validation = fitting.training_source(self, x, y, sample_weight, steps_per_epoch), None
        self._build_for(train)
        self._splits.clear()
        if validation_data is not None:
            validation = fitting.validation_source(self, validation_data, validation_steps)
        elif share:
            train, validation = fitting.split_validation(train, share)
        return fitting.fit(self, train, validation, options)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = 32, verbose: int | str = 0,
                 sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
                 return_dict: bool = False) -> Any:  # fmt: skip
        """[loss, metrics...] on data, in inference mode; a dict with return_dict; the loss alone without metrics.

        The data are as in `fit`; `steps` takes only the first batches, or the next ones of a generator.  With several
        losses that of each output follows the total, as in fit's history: "loss", "<output>_loss", ...
        """
        batch_size, verbose = checked_batch_size(batch_size), checked_verbose("evaluate", verbose)
        source = limited(make_source(self, x, y, sample_weight), "evaluate", "steps", steps)
        self._build_for(source)
        steps = source.steps(batch_size)
        progress = EvaluationProgress(verbose, steps)
        watching = watched(self, callbacks, progress, verbose, epochs=1, steps=steps)
        logs = evaluation.evaluate(self, source, lambda batch: self.start_plan(batch.x), watching, batch_size)
        return logs if return_dict else list(logs.values()) if len(logs) > 1 else logs["loss"]

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> list[float]:
        """One step of training; [loss, metrics...] of the batch."""
        source = make_source(self, x, y, sample_weight)
        self._build_for(source)
        self.compilation.reset()
        batch = next(iter(source.batches(source.size or 1, None)))
        batch.rows = None  # no sample comes again: features of frozen layers need not be kept
        self._splits.forget_batches()
        loss = fitting.Trainer(self, source, splits=self._splits).step(batch)
        return [loss, *self.compilation.results().values()]

    # Description --------------------------------------------------------------------------------------------------

    def summary(self, print_fn: Any = print, groups: Any = ()) -> None:
        """Print the layers: output shapes, weights, what is trainable, and how BatchNormalization acts.

        The first line names the device, and the precision of products, of a model that is not on the CPU.  With the
        groups of `minicnn.transfer.layer_groups(model)`, also of which group each layer is.
        """
        from .summary import summary_lines

        for line in summary_lines(self, groups):
            print_fn(line)

    def get_config(self) -> dict[str, Any]:
        """The architecture as Keras 3 writes it."""
        from .config_writing import model_config

        return model_config(self)["config"]

    def to_entry(self) -> dict[str, Any]:
        from .config_writing import model_config

        return model_config(self)

    def to_json(self) -> str:
        """The architecture as JSON text; `model_from_json` reads it back."""
        from .config_writing import model_config

        return json.dumps(model_config(self))


def _tensors(value: Any, what: str) -> list[SymbolicTensor]:
    tensors = list(value.values()) if isinstance(value, dict) else list(symbolic_tensors(value))
    if not tensors or not all(isinstance(tensor, SymbolicTensor) for tensor in tensors):
        raise GraphError(f"Model: {what} must be what Input(...) or a layer called on one returned; got {value!r}")
    return tensors
