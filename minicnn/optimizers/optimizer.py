"""What every optimizer does around its formula: clip the gradients, keep state for each parameter, count steps."""

import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from minicnn import schedules
from minicnn.errors import ArgumentError, GraphError, ShapeError, UnsupportedError, WeightsMismatchError
from minicnn.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from minicnn.schedules import LearningRateSchedule

COMMON = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "name")
NOT_BUILT = {  # options of Keras that minicnn leaves out, with the values that switch them off
    "use_ema": (False,),
    "ema_momentum": None,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": (None, 1, 1.0),
    "gradient_accumulation_steps": (None, 1),
    "decay": (None, 0, 0.0),
    "jit_compile": None,
    "is_legacy_optimizer": None,
}


@dataclass
class Slot:
    """The state of one parameter: its arrays, and the step of the optimizer at which they began at zero."""

    parameter: Any
    start: int
    arrays: dict[str, np.ndarray]


class Optimizer:
    """Base class: `apply_gradients` walks the pairs, `update_step` of a subclass moves one parameter.

    Parameters
    ----------
    learning_rate : a number, or a schedule of `minicnn.schedules`
    weight_decay : d; before the step a parameter shrinks by learning_rate · d of its value
    clipnorm, clipvalue, global_clipnorm : at most one of them; the largest norm of one gradient, the largest absolute
        value of an element, the largest norm of all gradients together
    name : defaults to the class name in lower case
    """

    arguments: ClassVar[tuple[str, ...]] = ()  # constructor arguments of the subclass, beside the common ones

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ):
        self.name = name or type(self).__name__.lower()
        self._learning_rate = self._checked_rate(learning_rate)
        self.weight_decay = self._number("weight_decay", weight_decay, optional=True)
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if sum(value is not None for value in clips.values()) > 1:
            raise ArgumentError(f"{self.name}: at most one of clipnorm, clipvalue, global_clipnorm may be set: {clips}")
        self.clipnorm, self.clipvalue, self.global_clipnorm = (
            self._number(key, value, optional=True, positive=True) for key, value in clips.items()
        )
        self.iterations = 0
        self._slots: dict[int, Slot] = {}
        self._undecayed: set[int] = set()
        self._undecayed_names: re.Pattern[str] | None = None

    # The step

    def apply_gradients(self, pairs: Iterable[tuple[Any, Any]]) -> int:
        """Move every parameter one step against its gradient; returns the number of steps so far.

        Parameters
        ----------
        pairs : (gradient, parameter); a pair without gradient (None) is left alone, with a warning

        Raises
        ------
        ShapeError
            A gradient that has not its parameter's shape; no parameter has been changed.
        GraphError
            Not one gradient.
        """
        parameters, gradients = self._checked_pairs(pairs)
        gradients = self._clipped(gradients)
        self.build(parameters)
        rate = self.learning_rate
        for parameter, gradient in zip(parameters, gradients):
            slot = self._slots[id(parameter)]
            decay = self.weight_decay if self.weight_decay and self._decays(parameter) else 0.0
            step = self.iterations - slot.start + 1
            with parameter.update() as array:
                self.update_step(array, gradient, slot.arrays, rate, decay, step)
        self.iterations += 1
        return self.iterations

    def update_step(
        self,
        parameter: np.ndarray,
        gradient: np.ndarray,
        state: dict[str, np.ndarray],
        learning_rate: float,
        weight_decay: float,
        step: int,
    ) -> None:
        """Write one parameter and its state; `step` counts from 1 for each parameter.  Subclasses implement it."""
        raise NotImplementedError

    def new_state(self, parameter: np.ndarray) -> dict[str, np.ndarray]:
        """The state arrays with which a parameter begins.  Subclasses that keep state override it."""
        return {}

    def build(self, parameters: Iterable[Any]) -> None:
        """Make state for the parameters that have none yet, in this order.

        A parameter that joins later, because its layer was unfrozen, begins with step 1: with the count of the others
        Adam would take its zero averages at face value, and its first steps would be several times too large.
        """
        for parameter in parameters:
            if id(parameter) not in self._slots:
                self._slots[id(parameter)] = Slot(parameter, self.iterations, self.new_state(parameter.numpy()))

    def _checked_pairs(self, pairs: Iterable[tuple[Any, Any]]) -> tuple[list[Any], list[np.ndarray]]:
        """Parameters and gradient arrays of equal shape and dtype."""
        parameters, gradients, missing = [], [], []
        for gradient, parameter in pairs:
            if gradient is None:
                missing.append(parameter.name)
                continue
            array = getattr(gradient, "array", gradient)
            if array.shape != parameter.shape:
                raise ShapeError(
                    f"{self.name}: the gradient of {parameter.name!r} has shape {array.shape}, "
                    f"the parameter has {parameter.shape}"
                )
            parameters.append(parameter)
            gradients.append(array.astype(parameter.dtype, copy=False))
        if not parameters:
            raise GraphError(f"{self.name}: there is no gradient to apply; call backward() on the loss first")
        if missing:
            warnings.warn(f"{self.name}: the loss does not depend on {', '.join(missing)}", stacklevel=3)
        return parameters, gradients

    def _clipped(self, gradients: list[np.ndarray]) -> list[np.ndarray]:
        if self.clipnorm is not None:
            return [clip_by_norm(gradient, self.clipnorm) for gradient in gradients]
        if self.global_clipnorm is not None:
            return clip_by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue is not None:
            return [clip_by_value(gradient, self.clipvalue) for gradient in gradients]
        return gradients

    # Learning rate and weight decay

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return float(self._learning_rate(self.iterations))
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule) -> None:
        if isinstance(self._learning_rate, LearningRateSchedule) and not isinstance(value, LearningRateSchedule):
            raise ArgumentError(
                f"{self.name}: its learning rate follows {type(self._learning_rate).__name__}, so it cannot be set to "
                f"{value}; make the optimizer with a number to set it"
            )
        self._learning_rate = self._checked_rate(value)

    def _checked_rate(self, value: Any) -> float | LearningRateSchedule:
        return value if isinstance(value, LearningRateSchedule) else self._number("learning_rate", value)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Let weight decay leave out the parameters in `var_list`, and those whose name contains one of `var_names`.

        Examples
        --------
        >>> from minicnn.optimizers import AdamW
        >>> AdamW(weight_decay=0.01).exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        """
        self._undecayed = {id(parameter) for parameter in var_list or ()}
        self._undecayed_names = re.compile("|".join(var_names)) if var_names else None

    def _decays(self, parameter: Any) -> bool:
        named = self._undecayed_names is not None and self._undecayed_names.search(parameter.name)
        return not named and id(parameter) not in self._undecayed

    # Saving

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the next step depends on beside the config, as copies of arrays by name.

        "iterations"; "learning_rate" unless it follows a schedule; for the i-th parameter "i/start", and its state
        arrays, such as "i/momentum".
        """
        state = {"iterations": np.array(self.iterations, np.int64)}
        if not isinstance(self._learning_rate, LearningRateSchedule):
            state["learning_rate"] = np.array(self._learning_rate)
        for key, array in self._slot_arrays():
            state[key] = array.copy()
        for i, slot in enumerate(self._slots.values()):
            state[f"{i}/start"] = np.array(slot.start, np.int64)
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned, for the same parameters in the same order.

        Raises
        ------
        WeightsMismatchError
            Names or shapes that are not those of this optimizer; nothing has been changed.
        """
        own = self.state()
        for what, names in (("has no", own.keys() - state.keys()), ("also has", state.keys() - own.keys())):
            if names:
                raise WeightsMismatchError(
                    f"{self.name}: the saved state {what} {', '.join(sorted(names))}; call build(parameters) with the "
                    "parameters that it was saved for, on an optimizer of the same config"
                )
        for key, array in own.items():
            if state[key].shape != array.shape:
                raise WeightsMismatchError(
                    f"{self.name}: {key} of the saved state has shape {state[key].shape}, not {array.shape}"
                )
        for key, array in self._slot_arrays():
            array[...] = state[key]
        for i, slot in enumerate(self._slots.values()):
            slot.start = int(state[f"{i}/start"])
        self.iterations = int(state["iterations"])
        if "learning_rate" in state:
            self._learning_rate = float(state["learning_rate"])

    def _slot_arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        for i, slot in enumerate(self._slots.values()):
            for name, array in slot.arrays.items():
                yield f"{i}/{name}", array

    def get_config(self) -> dict[str, Any]:
        """The constructor arguments; `from_config` makes an equal optimizer of them, without its state."""
        rate = self._learning_rate
        config = {"learning_rate": schedules.serialize(rate) if isinstance(rate, LearningRateSchedule) else rate}
        return config | {key: getattr(self, key) for key in self.arguments + COMMON}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Optimizer":
        """The optimizer of a config, minicnn's or Keras'.

        Raises
        ------
        UnsupportedError
            An option of Keras that minicnn does not have is switched on.
        ArgumentError
            An argument that neither has.
        """
        config = dict(config)
        for key in NOT_BUILT.keys() & config.keys():
            value, neutral = config.pop(key), NOT_BUILT[key]
            if neutral is not None and value not in neutral:
                raise UnsupportedError(f"{cls.__name__}: {key}={value!r} is not supported; leave it out")
        unknown = config.keys() - {"learning_rate", *cls.arguments, *COMMON}
        if unknown:
            raise ArgumentError(f"{cls.__name__} has no argument {', '.join(sorted(unknown))}")
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"])
        return cls(**config)

    def _number(
        self, argument: str, value: Any, *, optional: bool = False, positive: bool = False, below: float = math.inf
    ) -> Any:
        """`value` as a float: finite, at least 0 (above it if `positive`), less than `below`; None if `optional`."""
        if value is None and optional:
            return None
        if isinstance(value, Real) and 0 <= value < below and not (positive and value == 0):
            return float(value)
        least = "above 0" if positive else "at least 0"
        most = f" and below {below:g}" if below < math.inf else ""
        raise ArgumentError(f"{self.name}: {argument} must be a finite number {least}{most}; it is {value!r}")
