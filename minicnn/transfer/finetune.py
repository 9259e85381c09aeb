"""The main job: a folder of photos and a trained network become a classifier of these photos."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.data import Split, scan_folder, stratified_folds
from minicnn.data.problems import as_text
from minicnn.errors import ArgumentError, DataError, FileFormatError
from minicnn.layers import Dense, Dropout
from minicnn.metrics import ConfusionMatrix
from minicnn.models import Model
from minicnn.seeds import set_random_seed
from minicnn.transfer.base import Base, load_base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.features import CacheUse, default_cache, extract_features
from minicnn.transfer.fine_tuning import Tail
from minicnn.transfer.folds import cross_validate, fit_head
from minicnn.transfer.freeze import find_layer, freeze, is_trained, leaf_layers, unfreeze
from minicnn.transfer.head import TrainedHead
from minicnn.transfer.mistakes import surest_mistakes
from minicnn.transfer.pictures import Pictures, read_pictures, split_of, trained_on
from minicnn.transfer.remarks import copies_in, count, remarks_on, remarks_on_fine_tuning
from minicnn.transfer.result import Phase, TransferResult
from minicnn.transfer.settings import Settings
from minicnn.transfer.surgery import split_where_training_begins

Progress = Callable[[str, int, int], None]

LIVE_PICTURES = 8
LIVE_TOLERANCE = 1e-3


def finetune_folder(
    photos: str | Path,
    base: str | Path = "mobilenet",
    weights: str | Path = "imagenet",
    settings: Settings | None = None,
    *,
    cache: FeatureCache | bool = True,
    progress: Progress | None = None,
) -> TransferResult:
    """
    Train a classifier of the pictures in a folder on a network that others trained.

    The base is frozen and run once; a softmax head is trained on its features; with `settings.unfreeze` the last
    layers are then fine-tuned at a small rate.  Nothing is written but the feature cache.

    Parameters
    ----------
    photos : path
        One folder of pictures a class, or train/ and val/ of that shape.
    base, weights
        As in `load_base`.
    settings : Settings, optional
    cache : FeatureCache or bool
        True: the one in the user's cache folder. False: none.
    progress : function, optional
        Called as progress(step, done, total).

    Raises
    ------
    MinicnnError
        Of the kinds that `scan_folder`, `load_base` and `Settings` name; one clear line each.

    Examples
    --------
    >>> result = finetune_folder("photos", "mobilenet")  # doctest: +SKIP
    >>> result.accuracy  # doctest: +SKIP
    0.93
    """
    settings = settings or Settings()
    clock = Clock()
    folder = scan_folder(photos)
    _check_folds(folder.counts(), settings.folds)
    with clock.measure("load the base"):
        loaded = _load_base(base, weights, settings)
    with clock.measure("read the pictures"):
        pictures = read_pictures(folder, loaded.preparation.rule, progress)
    split, said = split_of(pictures, settings.validation, settings.seed)
    _check_different_pictures(pictures, settings)
    store = cache if isinstance(cache, FeatureCache) else default_cache() if cache else None
    return _Run(loaded, settings, pictures, split, store, progress, clock).result(said)


def _check_folds(counts: Mapping[str, int], folds: int) -> None:
    name, least = min(counts.items(), key=lambda item: item[1])
    if least < folds:
        remedy = f"add some or ask for at most {least}" if least > 1 else "add some or do without"
        raise DataError(f"class {name!r} has too few pictures ({least}) for {folds} folds: {remedy}")


def _load_base(base: str | Path, weights: str | Path, settings: Settings) -> Base:
    """The base, in which the layer that fine-tuning begins from is found."""
    found = load_base(base, weights, size=settings.size, resize=settings.resize, preprocessing=settings.preprocessing)
    if settings.unfreeze is not None:
        layers = list(leaf_layers(found.model))
        if not any(is_trained(layer) for layer in layers[find_layer(layers, settings.unfreeze) :]):
            raise ArgumentError(f"no layer from {settings.unfreeze} on has weights to train: name an earlier one")
    return found


def _check_different_pictures(pictures: Pictures, settings: Settings) -> None:
    """Let cross-validation refuse a class with too many copies now, not after the features."""
    if settings.folds:
        names = pictures.folder.class_names
        stratified_folds(pictures.labels, settings.folds, seed=settings.seed, keys=pictures.hashes, class_names=names)


class Clock:
    """Seconds of named steps."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the duration of the block to a step."""
        begun = time.perf_counter()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - begun


class _Run:
    """The steps between pictures and result, which share all of these."""

    def __init__(
        self,
        base: Base,
        settings: Settings,
        pictures: Pictures,
        split: Split,
        cache: FeatureCache | None,
        progress: Progress | None,
        clock: Clock,
    ):
        self.base, self.settings, self.pictures, self.split = base, settings, pictures, split
        self.cache, self.progress, self.clock = cache, progress, clock
        self.labels, self.names = pictures.labels, pictures.folder.class_names
        self.model, self.head_layer = attach_head(base, len(self.names), settings.dropout)

    def result(self, split_said: str) -> TransferResult:
        """Do all steps."""
        features, tail, use = self._features()
        folds = None
        if self.settings.folds:
            with self.clock.measure("cross-validation"):
                folds = cross_validate(
                    features, self.labels, self.pictures.hashes, self.names, self.settings, tail, self.progress
                )
        head, phase = self._train_head(features)
        phases, probabilities = [phase], head.probabilities(features[self.split.validation])
        remarks, better = remarks_on(self.pictures, self.split), []
        self.head_layer.set_weights([head.kernel, head.bias])
        if tail is not None:
            kept = tail.kept()
            phases.append(self._fine_tune(tail))
            before, probabilities = probabilities, tail.probabilities(self.split.validation, self.settings.batch_size)
            truth = self.labels[self.split.validation]
            harm = remarks_on_fine_tuning(truth, before, probabilities, self.settings.learning_rate)
            remarks, better = remarks + harm, kept if harm else []
        self._compare_with_live(probabilities)
        self.model.metadata = {
            **self.base.preparation.metadata(self.names),
            "base": self.base.name,
            **trained_on([self.pictures.hashes[i] for i in self.split.train]),
        }
        return TransferResult(
            model=self.model,
            base=self.base,
            settings=self.settings,
            title=as_text(self.pictures.folder.root.resolve().name),
            class_names=self.names,
            phases=phases,
            confusion=self._confusion(probabilities),
            train_counts=self._counts(self.split.train),
            val_counts=self._counts(self.split.validation),
            split=split_said,
            mistakes=self._mistakes(probabilities),
            folds=folds,
            refused=self.pictures.refused,
            adapted=self.pictures.adapted,
            remarks=remarks,
            cache=_said_of_cache(use, self.cache, len(self.labels)),
            seconds=self.clock.seconds,
            copies=copies_in(self.pictures),
            before_fine_tuning=better,
        )

    def _features(self) -> tuple[np.ndarray, Tail | None, CacheUse]:
        """(features of the whole base, the part that will be fine-tuned with what flows into it, use of the cache)."""
        output = self.base.model.outputs[0]
        freeze(self.base.model)
        if self.settings.unfreeze is None:
            (features,), use = self._extract(self.base.model)
            return features, None, use
        unfreeze(self.base.model, self.settings.unfreeze)
        prefix, tail_model = split_where_training_begins(self.model)
        border = [tensor for tensor in prefix.outputs if tensor is not output]
        (*inputs, features), use = self._extract(Model(prefix.inputs, [*border, output]))
        return features, Tail(tail_model, self.head_layer, inputs, self.labels), use

    def _extract(self, model: Any) -> tuple[list[np.ndarray], CacheUse]:
        with self.clock.measure("features"):
            features, use = extract_features(
                model,
                self.pictures.images,
                self.pictures.hashes,
                self.base.preparation,
                cache=self.cache,
                progress=self.progress,
            )
        if not all(np.isfinite(array).all() for array in features):
            raise DataError(
                f"the base gives features that are not finite: its weights ({self.base.weights}) are damaged"
            )
        return features, use

    def _train_head(self, features: np.ndarray) -> tuple[TrainedHead, Phase]:
        set_random_seed(self.settings.seed)  # again, so that a cross-validation before it changes nothing
        step = "train the head"
        with self.clock.measure(step):
            head, decay = fit_head(
                features,
                self.labels,
                self.split.train,
                self.split.validation,
                self.pictures.hashes,
                self.settings,
                self.progress,
            )
        detail = (
            f"a new last layer (softmax) on the {features.shape[1]:,} features of the frozen base. Its weight decay "
            f"({decay:.2g}) was chosen first, by cross-validation inside the training pictures: its time in all "
            "includes this."
        )
        size = head.kernel.size + head.bias.size
        return head, _phase("head", detail, size, head.history, head.seconds, self.clock.seconds[step])

    def _fine_tune(self, tail: Tail) -> Phase:
        step = "fine-tune"
        with self.clock.measure(step):
            history, seconds = tail.fit(self.split.train, self.split.validation, self.settings, self.progress)
        if not np.isfinite(history["loss"]).all():
            raise DataError(
                f"fine-tuning diverged: the loss is no number any more; use less than {self.settings.learning_rate:g}"
            )
        trained = [layer for layer in leaf_layers(self.model) if layer.trainable_weights]
        detail = (
            f"the {len(trained)} layers from {trained[0].name} on, the head among them, at a learning rate of "
            f"{self.settings.learning_rate:g} at most. BatchNormalization stays frozen."
        )
        size = sum(parameter.size for parameter in tail.model.trainable_weights)
        return _phase("fine-tuning", detail, size, history, seconds, self.clock.seconds[step])

    def _compare_with_live(self, probabilities: np.ndarray) -> None:
        """Refuse kept features that the network itself does not give."""
        rows = self.split.validation[:LIVE_PICTURES]
        live = self.model.predict(self.base.preparation(self.pictures.images[rows]))
        gap = float(np.abs(live - probabilities[: len(rows)]).max())
        if not gap <= LIVE_TOLERANCE:
            place = f" in {self.cache.folder}" if self.cache is not None else ""
            raise FileFormatError(
                f"the features kept{place} are not those of the network (probabilities differ by {gap:.2g}): "
                "remove them or run without the cache"
            )

    def _confusion(self, probabilities: np.ndarray) -> np.ndarray:
        return ConfusionMatrix(len(self.names))(self.labels[self.split.validation], probabilities)

    def _counts(self, rows: np.ndarray) -> list[int]:
        return np.bincount(self.labels[rows], minlength=len(self.names)).tolist()

    def _mistakes(self, probabilities: np.ndarray) -> Sequence[Any]:
        rows = self.split.validation
        files = [self.pictures.folder.files[i] for i in rows]
        names = [self.pictures.name(i) for i in rows]
        return surest_mistakes(files, names, self.labels[rows], probabilities, self.names)


def attach_head(base: Base, classes: int, dropout: float) -> tuple[Any, Any]:
    """(the base with a softmax layer on it, that layer)."""
    head = Dense(classes, activation="softmax", kernel_initializer="zeros", name="classifier")
    features = base.model.outputs[0]
    if dropout:
        features = Dropout(dropout, name="head_dropout")(features)
    return Model(base.model.inputs, head(features), name="classifier_on_base"), head


def _phase(
    name: str,
    detail: str,
    parameters: int,
    history: dict[str, list[float]],
    seconds: list[float],
    duration: float,
) -> Phase:
    figures = {key: history[key] for key in ("loss", "accuracy", "val_loss", "val_accuracy")}
    return Phase(name, detail, parameters, seconds=seconds, duration=duration, **figures)


def _said_of_cache(use: CacheUse, cache: FeatureCache | None, pictures: int) -> str:
    if cache is None:
        return f"Features of {count(pictures, 'picture')}: computed; the cache was not used."
    return (
        f"Features of {count(pictures, 'picture')} in {count(use.found + use.computed, 'batch', 'batches')}: "
        f"{use.found:,} from the cache, {use.computed:,} computed and kept there."
    )
