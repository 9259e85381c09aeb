"""What `compile` chose, as Keras writes it beside a model: optimizer, losses, their weights and metrics, never code.

Written when all of it has a name that Keras knows.  Read when all of it is known here; else the model stays uncompiled
and says why when it is asked to train.  The optimizer's state is not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from minicnn import losses, metrics, optimizers
from minicnn.errors import MinicnnError, UnsupportedError
from minicnn.losses import Loss
from minicnn.optimizers import Optimizer

from .compute import Choices

if TYPE_CHECKING:
    from .model import Model

WRAPPERS = ("MeanMetricWrapper", "LossFunctionWrapper")  # Keras 2: the function's name is in the config
REDUCTION = {"reduction": "sum_over_batch_size"}
FULL_NAMES = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}  # the only ones Keras finds in an .h5
IGNORED = {"name", "dtype", "axis", "reduction", "fn", "registered_name"}


def compile_config(model: Model) -> dict[str, Any] | None:
    """The config of a model's choices; None when it is not compiled, or has a choice without a name."""
    if model.choices is None:
        return None
    choices = model.choices
    try:
        loss, factors = _with_weights(choices, model.compilation.loss_weights)
        named = {
            "optimizer": _optimizer(model.optimizer),
            "loss": _named(loss, FULL_NAMES),
            "metrics": _named(choices.metrics),
        }
    except MinicnnError:
        return None
    return named | {"loss_weights": factors, "weighted_metrics": None}  # Keras looks for these


def _with_weights(choices: Choices, factors: list[float]) -> tuple[Any, list[float] | None]:
    """The loss and the factors in forms that Keras pairs: it wants as many losses as factors, and a full list."""
    if choices.loss_weights is None:
        return choices.loss, None
    single = choices.loss is not None and not isinstance(choices.loss, (dict, list, tuple))
    return [choices.loss] * len(factors) if single else choices.loss, factors


def restore(model: Model, config: dict[str, Any] | None) -> None:
    """Compile a model as a file says."""
    if not config:
        return
    try:
        optimizer = config.get("optimizer", config.get("optimizer_config"))
        loss, chosen = _known(config.get("loss"), _loss), _known(config.get("metrics"), _metric)
        weights = config.get("loss_weights") or None  # Keras 2 writes an empty list or dict
        model.compile(optimizers.get(_plain(optimizer)), loss, _unwrapped(chosen), weights)
    except (MinicnnError, TypeError, ValueError, AttributeError) as error:
        model.choices = None
        model.uncompiled = f"its file cannot be followed ({error}), so {model.uncompiled}"


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    config = optimizer.get_config()
    if type(optimizer) not in optimizers.CLASSES.values():
        raise UnsupportedError(f"{optimizer.name} has no name that Keras knows")
    if isinstance(config["learning_rate"], dict):
        if config["learning_rate"]["class_name"] == "OneCycle":
            raise UnsupportedError("Keras has no OneCycle")
        rate = {"module": "keras.optimizers.schedules", **config["learning_rate"], "registered_name": None}
        config["learning_rate"] = rate
    return _entry("optimizers", optimizer, config)


def _named(choice: Any, full: Mapping[str, str] = MappingProxyType({})) -> Any:
    """A name, or a list or dict of names; losses with their arguments."""
    if choice is None or isinstance(choice, str):
        return full.get(choice or "", choice)
    if isinstance(choice, dict):
        return {key: _named(value, full) for key, value in choice.items()}
    if isinstance(choice, (list, tuple)):
        return [_named(value, full) for value in choice]
    if isinstance(choice, Loss) and type(choice) in losses.CLASSES.values():
        return _entry("losses", choice, choice.get_config() | REDUCTION)
    raise UnsupportedError(f"{choice!r} has no name that Keras knows")


def _entry(module: str, choice: Any, config: dict[str, Any]) -> dict[str, Any]:
    named = {"module": f"keras.{module}", "class_name": type(choice).__name__}
    return {**named, "config": config, "registered_name": None}


def _plain(choice: Any) -> Any:
    """An optimizer's config without the mark of Keras 2 in its class name."""
    if isinstance(choice, dict) and isinstance(choice.get("class_name"), str):
        config = {key: value for key, value in choice.get("config", {}).items() if key not in IGNORED}
        return {"class_name": choice["class_name"].removeprefix("Custom>"), "config": config}
    return choice


def _known(choice: Any, make: Any) -> Any:
    """The choice with every name looked up."""
    if choice is None:
        return None
    if isinstance(choice, (list, tuple)):
        return [_known(value, make) for value in choice]
    if isinstance(choice, dict) and "class_name" not in choice:
        return {key: _known(value, make) for key, value in choice.items()}
    return make(choice)


def _loss(choice: Any) -> Any:
    if isinstance(choice, str):
        losses.get(choice)
        return choice
    config = choice.get("config", {})
    if config.get("reduction", "sum_over_batch_size") not in ("auto", "sum_over_batch_size"):
        raise UnsupportedError(f"the loss {choice['class_name']} with reduction {config['reduction']!r}")
    kind = type(losses.get(config.get("fn") if choice["class_name"] in WRAPPERS else choice["class_name"]))
    return kind(**{key: value for key, value in config.items() if key not in IGNORED and value is not None})


def _metric(choice: Any) -> str:
    """A metric by name; Keras 2 wraps the functions that it chose for "accuracy"."""
    if isinstance(choice, str):
        metrics.get(choice)
        return choice
    config = choice.get("config", {})
    if extra := config.keys() - IGNORED:
        raise UnsupportedError(f"the metric {choice['class_name']} with {', '.join(sorted(extra))}")
    name = config.get("name")
    if name not in metrics.NAMES:
        name = config.get("fn") if choice["class_name"] in WRAPPERS else choice["class_name"]
    metrics.get(name)
    return name


def _unwrapped(chosen: Any) -> Any:
    """Keras 2 writes the metrics of a model's only output as a list in a list."""
    return chosen[0] if isinstance(chosen, list) and len(chosen) == 1 and isinstance(chosen[0], list) else chosen
