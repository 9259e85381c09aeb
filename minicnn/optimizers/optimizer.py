"""What every optimizer does around its formula: clip the gradients, keep state, count the steps."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Self, TypedDict

import numpy as np

from minicnn import schedules
from minicnn.arguments import number, whole_number
from minicnn.autograd import Parameter
from minicnn.errors import ArgumentError, DeviceError, GraphError, ShapeError, UnsupportedError, WeightsMismatchError
from minicnn.optimizers.averages import AVERAGE, Averages, Slot, State, as_keras
from minicnn.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from minicnn.optimizers.loss_scale import LossScale
from minicnn.schedules import LearningRateSchedule

NOT_BUILT = {  # options of Keras that minicnn leaves out, and the value that switches them off (... is any)
    "loss_scale_factor": 1,
    "gradient_accumulation_steps": 1,
    "decay": 0,
    "jit_compile": ...,
    "is_legacy_optimizer": ...,
}


class Common(TypedDict, total=False):
    """The arguments of every optimizer that its constructor hands on; `Optimizer` says what they mean."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    name: str | None


COMMON = ("weight_decay", *Common.__annotations__)


class Step(NamedTuple):
    """The numbers of one step of one parameter; t is 1 for its first."""

    learning_rate: float
    weight_decay: float
    t: int


class Optimizer(Averages):
    """Base class: `apply_gradients` walks the pairs, `update_step` of a subclass moves one parameter.

    Parameters
    ----------
    learning_rate : a number, or a schedule of `minicnn.schedules`
    weight_decay : d; before the step a parameter shrinks by learning_rate · d of its value
    clipnorm, clipvalue, global_clipnorm : at most one of them; the largest norm of one gradient, the largest
        absolute value of an element, the largest norm of all gradients together
    use_ema : after each step, move an average of every parameter: a ← m a + (1 - m) p, a = p at its first step
    ema_momentum : m, from 0 to 1
    ema_overwrite_frequency : every so many steps the parameters become their averages; None leaves that to the end of
        `fit`, which calls `finalize_variable_values`
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
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        name: str | None = None,
    ):
        self.name = name or type(self).__name__.lower()
        self._learning_rate = self._checked_rate(learning_rate)
        self.weight_decay = self._optional("weight_decay", weight_decay, "[0, inf)")
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if sum(value is not None for value in clips.values()) > 1:
            raise ArgumentError(f"{self.name}: at most one of clipnorm, clipvalue, global_clipnorm may be set: {clips}")
        self.clipnorm, self.clipvalue, self.global_clipnorm = (
            self._optional(key, value, "(0, inf)") for key, value in clips.items()
        )
        self.use_ema = bool(use_ema)
        self.ema_momentum = number(self.name, "ema_momentum", ema_momentum, "[0, 1]")
        if ema_overwrite_frequency is not None:
            whole_number(self.name, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.iterations = 0
        self.averaged = False  # whether the parameters hold the averages now, by `swap_averages`
        self.loss_scale: LossScale | None = None
        self._slots: dict[int, Slot] = {}
        self._followed_at = Parameter.moves
        self._rate_factors: dict[int, tuple[Any, float]] = {}  # with the parameter, which keeps its id from others
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
        DeviceError
            One that is on another device; no parameter has been changed.
        GraphError
            Not one gradient.
        """
        pairs = list(pairs)
        parameters, gradients = self._checked_pairs(pairs)
        gradients = self._clipped(gradients)
        self.follow()
        self.build(parameter for _, parameter in pairs)
        rate = self.learning_rate
        for parameter, gradient in zip(parameters, gradients):
            slot = self._slots[id(parameter)]
            decay = as_keras(self.weight_decay) if self.weight_decay and self._decays(parameter) else 0.0
            step = Step(rate * slot.rate_factor, decay, self.iterations - slot.start + 1)
            with parameter.update() as array:
                self.update_step(array, gradient, slot.arrays, step)
        if self.use_ema:
            self._move_averages()
        self.iterations += 1
        return self.iterations

    def update_step(self, parameter: np.ndarray, gradient: np.ndarray, state: State, step: Step) -> None:
        """Write one parameter and its state.  Subclasses implement it."""
        raise NotImplementedError

    def new_state(self, parameter: np.ndarray) -> State:
        """The state arrays with which a parameter begins.  Subclasses that keep state override it."""
        return {}

    def build(self, parameters: Iterable[Any]) -> None:
        """Make state for the parameters that have none yet, in this order.

        A parameter that joins later, because its layer was unfrozen, counts its own steps from 1.  With the
        count of the others Adam would take its zero averages at face value and step several times too far.
        """
        for parameter in parameters:
            if id(parameter) not in self._slots:
                state = self.new_state(parameter.array)
                if self.use_ema:
                    state[AVERAGE] = np.zeros_like(parameter.array)
                _, factor = self._rate_factors.get(id(parameter), (None, 1.0))
                self._slots[id(parameter)] = Slot(parameter, self.iterations, state, factor)

    def follow(self) -> None:
        """Bring the state of parameters that were moved to another device to where they are."""
        moves = Parameter.moves
        if self._followed_at != moves:
            self.prepare_move(lambda parameter: parameter.device)()
            self._followed_at = moves

    def prepare_move(self, place_of: Callable[[Any], str]) -> Callable[[], None]:
        """Copy the state of each parameter to the device it goes to; the function puts the copies in their places."""
        from minicnn.kernels import to_device

        copies = []
        for slot in self._slots.values():
            place = place_of(slot.parameter)
            copies.append((slot, {name: to_device(array, place, wait=True) for name, array in slot.arrays.items()}))

        def finish() -> None:
            for slot, arrays in copies:
                slot.arrays = arrays

        return finish

    def scale_loss(self, wanted: bool) -> None:
        """Have a scale of the loss, which is part of the state, or have none."""
        if wanted != (self.loss_scale is not None):
            self.loss_scale = LossScale() if wanted else None

    def _checked_pairs(self, pairs: Iterable[tuple[Any, Any]]) -> tuple[list[Any], list[np.ndarray]]:
        """Parameters and gradients of equal shape and dtype; these are contiguous, since copies take memory."""
        from minicnn.kernels import device_of

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
            if device_of(array) != parameter.device:
                raise DeviceError(
                    f"{self.name}: the gradient of {parameter.name!r} is on {device_of(array)}, the parameter on "
                    f"{parameter.device}: bring it there by kernels.to_device"
                )
            parameters.append(parameter)
            gradients.append(array.astype(parameter.dtype, order="C", copy=False))
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
                f"{self.name}: its learning rate follows {type(self._learning_rate).__name__}, so it cannot "
                f"be set to {value}; make the optimizer with a number to set it"
            )
        self._learning_rate = self._checked_rate(value)

    def _checked_rate(self, value: Any) -> float | LearningRateSchedule:
        if isinstance(value, LearningRateSchedule):
            return value
        return number(self.name, "learning_rate", value, "[0, inf)")

    def _optional(self, argument: str, value: Any, interval: str) -> float | None:
        return None if value is None else number(self.name, argument, value, interval)

    def scale_learning_rate(self, factors: Iterable[tuple[Any, float]]) -> None:
        """Let parameters step by the learning rate times a factor of their own: discriminative rates.

        Weight decay, which is a share of the rate, is scaled too.

        Parameters
        ----------
        factors : (parameter, factor); the others keep 1, or the factor that they were given before

        Source: Howard & Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018, section 3.2.

        Examples
        --------
        >>> from minicnn.autograd import Parameter
        >>> from minicnn.optimizers import SGD
        >>> SGD(0.1).scale_learning_rate([(Parameter((2,)), 0.5)])
        """
        checked = {id(p): (p, number(self.name, f"the rate factor of {p.name}", f, "[0, inf)")) for p, f in factors}
        self._rate_factors |= checked
        for key in checked.keys() & self._slots.keys():
            self._slots[key].rate_factor = checked[key][1]

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Let weight decay leave out the parameters of `var_list`, and those named like one of `var_names`.

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

    def state(self) -> State:
        """Everything that the next step depends on beside the config, as copies of arrays by name.

        "iterations"; "learning_rate" unless it follows a schedule; for the i-th parameter "i/start", its state
        arrays, such as "i/momentum" and its "i/average", and "i/rate_factor" where that is not 1; "averaged" where
        the parameters are shown as their averages; "loss_scale", its value and good steps, where there is one.
        """
        state = {"iterations": np.array(self.iterations, np.int64)}
        if not isinstance(self._learning_rate, LearningRateSchedule):
            state["learning_rate"] = np.array(self._learning_rate)
        if self.averaged:
            state["averaged"] = np.array(True)
        if self.loss_scale is not None:
            state["loss_scale"] = np.array([self.loss_scale.value, self.loss_scale.good])
        for key, array in self._slot_arrays():
            state[key] = array.get() if hasattr(array, "get") else array.copy()
        for i, slot in enumerate(self._slots.values()):
            state[f"{i}/start"] = np.array(slot.start, np.int64)
            if slot.rate_factor != 1:
                state[f"{i}/rate_factor"] = np.array(slot.rate_factor)
        return state

    def load_state(self, state: State) -> None:
        """Take over what `state` returned, for the same parameters in the same order.

        Raises
        ------
        WeightsMismatchError
            Names or shapes that are not those of this optimizer; nothing has been changed.
        """
        own = self.state()
        optional = {"averaged", "loss_scale", *(f"{i}/rate_factor" for i in range(len(self._slots)))}
        needed, given = own.keys() - optional, own.keys() | optional
        for what, names in (("has no", needed - state.keys()), ("also has", state.keys() - given)):
            if names:
                raise WeightsMismatchError(
                    f"{self.name}: the saved state {what} {', '.join(sorted(names))}; call "
                    "build(parameters) with those it was saved for, on an optimizer of the same config"
                )
        for key, array in own.items():
            if key in state and state[key].shape != array.shape:
                raise WeightsMismatchError(
                    f"{self.name}: {key} of the saved state has shape {state[key].shape}, not {array.shape}"
                )
        for i, slot in enumerate(self._slots.values()):
            slot.arrays = {name: np.array(state[f"{i}/{name}"], array.dtype) for name, array in slot.arrays.items()}
            slot.start = int(state[f"{i}/start"])
            slot.rate_factor = float(state.get(f"{i}/rate_factor", 1.0))
        self.prepare_move(lambda parameter: parameter.device)()
        self.iterations, self.averaged = int(state["iterations"]), bool(state.get("averaged", False))
        if "loss_scale" in state:
            self.loss_scale = LossScale(*state["loss_scale"])
        if "learning_rate" in state:
            self._learning_rate = float(state["learning_rate"])

    @property
    def parameters(self) -> list[Any]:
        """Those that have state, in the order of `state`."""
        return [slot.parameter for slot in self._slots.values()]

    def forget(self) -> None:
        """Be without state again, before the first step."""
        self.iterations, self._slots, self.averaged = 0, {}, False

    def _slot_arrays(self) -> Iterator[tuple[str, Any]]:
        for i, slot in enumerate(self._slots.values()):
            for name, array in slot.arrays.items():
                yield f"{i}/{name}", array

    def get_config(self) -> dict[str, Any]:
        """The constructor arguments; `from_config` makes an equal optimizer of them, without its state."""
        rate = self._learning_rate
        config = {"learning_rate": schedules.serialize(rate) if isinstance(rate, LearningRateSchedule) else rate}
        return config | {key: getattr(self, key) for key in self.arguments + COMMON}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The optimizer of a config, minicnn's or Keras'.

        Raises
        ------
        UnsupportedError
            An option of Keras that minicnn does not have is switched on.
        ArgumentError
            An argument that neither has.
        """
        config = {key: value for key, value in config.items() if value is not None}
        for key in NOT_BUILT.keys() & config.keys():
            value, off = config.pop(key), NOT_BUILT[key]
            if off not in (..., value):
                raise UnsupportedError(f"{cls.__name__}: {key}={value!r} is not supported; leave it out")
        if "lr" in config:  # Keras 1 and 2
            config["learning_rate"] = config.pop("lr")
        unknown = config.keys() - {"learning_rate", *cls.arguments, *COMMON}
        if unknown:
            raise ArgumentError(f"{cls.__name__} has no argument {', '.join(sorted(unknown))}")
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"])
        return cls(**config)
