"""Which of several networks to transfer from, told by their features alone: a table without any training."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minicnn.applications.from_weights import builder, network_in
from minicnn.errors import ArgumentError, MinicnnError
from minicnn.models import load_model
from minicnn.transfer.base import BUNDLED, NAMES, PUBLISHED, Base, bundled_path, load_base
from minicnn.transfer.feature_cache import FeatureCache
from minicnn.transfer.freeze import freeze
from minicnn.transfer.labelled import Labelled, Progress, labelled, store_of
from minicnn.transfer.scoring import h_score, leep, log_me
from minicnn.weights import open_weights

BaseChoice = str | Path | tuple[str | Path, str | Path] | Base


@dataclass(frozen=True)
class BaseScore:
    """
    What is told of one base without training.

    Attributes
    ----------
    name : str
    width : int
        D of its features.
    log_me, h_score : float
        Of the features; the H-score with shrinkage, so that widths can be compared.
    leep : float or None
        Of the classes that the base knows; None where it comes without its classifier.
    seconds : float
        For its features, which the cache may have had, and the scores.
    """

    name: str
    width: int
    log_me: float
    h_score: float
    leep: float | None
    seconds: float


@dataclass(frozen=True)
class BaseRanking:
    """Bases, the one with the highest LogME first; prints as a table."""

    scores: Sequence[BaseScore]

    @property
    def best(self) -> BaseScore:
        """The base with the highest LogME."""
        return self.scores[0]

    def to_dict(self) -> list[dict[str, Any]]:
        """The rows as plain values."""
        return [asdict(score) for score in self.scores]

    def __str__(self) -> str:
        wide = max(len(score.name) for score in self.scores)
        lines = [f"{'base':{wide}}  {'features':>8}  {'LogME':>8}  {'H-score':>8}  {'LEEP':>8}  {'seconds':>8}"]
        for score in self.scores:
            known = "-" if score.leep is None else f"{score.leep:.4f}"
            figures = f"{score.log_me:>8.4f}  {score.h_score:>8.4f}  {known:>8}  {score.seconds:>8.2f}"
            lines.append(f"{score.name:{wide}}  {score.width:>8,}  {figures}")
        return "\n".join(lines)


def rank_bases(
    data: Any,
    bases: Sequence[BaseChoice],
    *,
    device: str = "cpu",
    cache: FeatureCache | bool = True,
    progress: Progress | None = None,
) -> BaseRanking:
    """
    LogME, the H-score and LEEP of several bases for the same pictures, without training anything.

    They are ordered by LogME, which every base has; the scores are hints, which `compare` can check.

    Parameters
    ----------
    data : folder, or (images, labels)
        As `labelled` takes it.
    bases : list
        Each a name or a file as `load_base` takes it, a pair (name, weights), or a Base.  LEEP is told of those whose
        file holds the classifier too.
    device : str
        "cpu" or "cuda": where bases that are loaded compute; a Base computes where it is.
    cache : FeatureCache or bool
        True: the one in the user's cache folder. False: none.

    Raises
    ------
    MinicnnError
        No bases, the same one twice; of the kinds that `labelled` and `load_base` name.

    Examples
    --------
    >>> ranking = rank_bases("photos", [("mobilenet", "mobilenet_2_5_224_tf.h5"), "bundled"])  # doctest: +SKIP
    >>> ranking.best.name  # doctest: +SKIP
    'MobileNet, alpha 0.25'
    """
    choices = base_list("rank_bases", bases)
    if not choices:
        raise ArgumentError("rank_bases needs at least one base")
    store, scores, pictures = store_of(cache), [], None
    for choice in choices:
        base = base_of(choice, [score.name for score in scores], device)
        pictures = pictures or labelled(data, base.preparation.rule, progress)
        scores.append(_score(pictures, choice, base, store, progress))
    return BaseRanking(sorted(scores, key=lambda score: -score.log_me))


def base_list(owner: str, bases: Any) -> list[BaseChoice]:
    """`bases` as a list, when it is one.

    Raises
    ------
    ArgumentError
        A single base.
    """
    if isinstance(bases, str | Path | Base):
        raise ArgumentError(f"{owner}: bases is a list; for one base give [{str(getattr(bases, 'name', bases))!r}]")
    return list(bases)


def base_of(choice: BaseChoice, taken: Sequence[str] = (), device: str = "cpu") -> Base:
    """The base that an element of `bases` means, frozen; one with a name that is taken is told by its weights too.

    Raises
    ------
    ArgumentError
        That is taken as well.
    """
    if isinstance(choice, Base):
        base = choice
    else:
        base = load_base(*(choice if isinstance(choice, tuple) else (choice,)), device=device)
    if base.name in taken:
        base = replace(base, name=f"{base.name}, {base.weights}")
    if base.name in taken:
        raise ArgumentError(f"the base {base.name} is given twice")
    freeze(base.model)
    return base


def _score(
    pictures: Labelled, choice: BaseChoice, base: Base, store: FeatureCache | None, progress: Progress | None
) -> BaseScore:
    begun = time.perf_counter()
    features = pictures.features(base.model, base, store, progress)
    classifier = None if isinstance(choice, Base) else classifier_of(choice, base)
    known = None
    if classifier is not None:
        said = pictures.features(classifier, base, store, progress)
        known = leep(said, pictures.labels) if _are_probabilities(said) else None
    figures = log_me(features, pictures.labels), h_score(features, pictures.labels, shrinkage=True)
    return BaseScore(base.name, features.shape[1], *figures, known, time.perf_counter() - begun)


def classifier_of(choice: str | Path | tuple[str | Path, str | Path], base: Base) -> Any:
    """The whole network of a base that comes from a file; None where the file does not hold its classifier."""
    path = str(choice[1] if isinstance(choice, tuple) else choice)
    if path.lower() == PUBLISHED or path.lower() in NAMES or base.sha256 is None:
        return None  # a download of its own, often much larger than the base's
    path = str(bundled_path()) if path.lower() == BUNDLED else path
    with open_weights(path) as file:
        found = None if file.config is not None else network_in(file)
    if found is None:
        model = load_model(path)
    else:
        shape = (*base.preparation.size, 3)
        try:
            model = builder(found.architecture)(weights=path, include_top=True, input_shape=shape)
        except MinicnnError:
            return None
    freeze(model)
    return model.to(base.model.device)


def _are_probabilities(outputs: np.ndarray) -> bool:
    """Whether outputs (N,Z) are rows of at least two probabilities."""
    rows = outputs.ndim == 2 and outputs.shape[1] > 1
    return rows and bool(outputs.min() >= 0 and np.abs(outputs.sum(axis=1) - 1).max() < 1e-3)
