"""Learning-rate schedules: functions of the step count.  Names, arguments and formulas are Keras 3's.

rate = schedule(step),  step = 0 for the first step of an optimizer
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self

from minicnn.arguments import number
from minicnn.errors import ArgumentError


class LearningRateSchedule:
    """Base class; a subclass defines `__call__(step) -> float`."""

    arguments: ClassVar[tuple[str, ...]] = ()  # constructor arguments, which are attributes too

    def __call__(self, step: float) -> float:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The constructor arguments."""
        return {name: getattr(self, name) for name in self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The schedule of a config, minicnn's or Keras'."""
        unknown = config.keys() - set(cls.arguments)
        if unknown:
            raise ArgumentError(f"{cls.__name__} has no argument {', '.join(sorted(unknown))}")
        return cls(**config)

    def _rate(self, argument: str, value: float) -> float:
        """A finite number of at least 0."""
        return number(type(self).__name__, argument, value, "[0, inf)")

    def _steps(self, argument: str, value: float) -> float:
        """A number of steps above zero, an integer where it is one."""
        steps = number(type(self).__name__, argument, value, "(0, inf)")
        return int(steps) if steps.is_integer() else steps


class _Decay(LearningRateSchedule):
    """A rate that falls with step / decay_steps; rounded down when `staircase` is set."""

    arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ):
        self.initial_learning_rate = self._rate("initial_learning_rate", initial_learning_rate)
        self.decay_steps = self._steps("decay_steps", decay_steps)
        self.decay_rate = self._rate("decay_rate", decay_rate)
        self.staircase, self.name = staircase, name or type(self).__name__

    def _periods(self, step: float) -> float:
        periods = step / self.decay_steps
        return math.floor(periods) if self.staircase else periods


class ExponentialDecay(_Decay):
    """rate = r · decay_rate^(step / decay_steps); the exponent is rounded down when `staircase` is set.

    Examples
    --------
    >>> ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)(200)
    0.025
    """

    def __call__(self, step: float) -> float:
        return self.initial_learning_rate * self.decay_rate ** self._periods(step)


class InverseTimeDecay(_Decay):
    """rate = r / (1 + decay_rate · step / decay_steps); the quotient is rounded down when `staircase` is set.

    Examples
    --------
    >>> InverseTimeDecay(0.1, decay_steps=100, decay_rate=0.5)(200)
    0.05
    """

    def __call__(self, step: float) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * self._periods(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """rate = values[i], i the number of boundaries that lie below the step.

    Examples
    --------
    >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> schedule(100), schedule(101), schedule(201)
    (0.1, 0.01, 0.001)
    """

    arguments = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(values) != len(boundaries) + 1:
            raise ArgumentError(
                f"PiecewiseConstantDecay: values must be one more than the {len(boundaries)} boundaries; "
                f"there are {len(values)}"
            )
        if any(after <= before for before, after in pairwise(boundaries)):
            raise ArgumentError(f"PiecewiseConstantDecay: boundaries must increase; they are {list(boundaries)}")
        self.boundaries, self.values, self.name = list(boundaries), [self._rate("values", v) for v in values], name

    def __call__(self, step: float) -> float:
        return self.values[sum(step > boundary for boundary in self.boundaries)]


class PolynomialDecay(LearningRateSchedule):
    """rate = (r - end) · (1 - step / decay_steps)^power + end, and end from decay_steps on.

    With `cycle` the rate starts again after decay_steps and falls more slowly each time: decay_steps is
    replaced by its first multiple that is not below the step.

    Examples
    --------
    >>> PolynomialDecay(0.1, decay_steps=100, end_learning_rate=0.0)(75)
    0.025
    """

    arguments = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate = self._rate("initial_learning_rate", initial_learning_rate)
        self.end_learning_rate = self._rate("end_learning_rate", end_learning_rate)
        self.decay_steps = self._steps("decay_steps", decay_steps)
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step: float) -> float:
        decay_steps = self.decay_steps
        if self.cycle:
            decay_steps *= max(1, math.ceil(step / decay_steps))
        left = 1 - min(step, decay_steps) / decay_steps
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """rate = r · ((1 - alpha) · (1 + cos(π step / decay_steps)) / 2 + alpha);  r · alpha from decay_steps on.

    With a `warmup_target` the rate first climbs in a straight line from `initial_learning_rate` to the
    target, in `warmup_steps` steps, and the cosine then starts from the target.

    Source: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017; warm-up:
    Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 2.2.

    Examples
    --------
    >>> schedule = CosineDecay(0.0, decay_steps=100, warmup_target=0.1, warmup_steps=10)
    >>> schedule(5), schedule(10), schedule(110)
    (0.05, 0.1, 0.0)
    """

    arguments = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ):
        self.initial_learning_rate = self._rate("initial_learning_rate", initial_learning_rate)
        self.alpha, self.name = self._rate("alpha", alpha), name
        self.decay_steps = self._steps("decay_steps", decay_steps)
        self.warmup_target = None if warmup_target is None else self._rate("warmup_target", warmup_target)
        self.warmup_steps = self._rate("warmup_steps", warmup_steps)

    def __call__(self, step: float) -> float:
        first = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return first + (self.warmup_target - first) * step / self.warmup_steps
            first, step = self.warmup_target, step - self.warmup_steps
        return first * ((1 - self.alpha) * _fall(min(step, self.decay_steps) / self.decay_steps) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """CosineDecay that starts again each time it ends: period i is t_mul^i · first_decay_steps long.

    rate = r · ((1 - alpha) · m_mul^i · (1 + cos(π f)) / 2 + alpha), f the fraction of period i that is over.

    Source: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.

    Examples
    --------
    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=100, m_mul=0.5)
    >>> schedule(0), schedule(100), schedule(300)
    (0.1, 0.05, 0.025)
    """

    arguments = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        self.initial_learning_rate = self._rate("initial_learning_rate", initial_learning_rate)
        self.alpha, self.name = self._rate("alpha", alpha), name
        self.first_decay_steps = self._steps("first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul = number("CosineDecayRestarts", "t_mul", t_mul, "[1, inf)"), m_mul

    def __call__(self, step: float) -> float:
        length, period = self.first_decay_steps, 0
        if self.t_mul == 1:
            period, step = divmod(step, length)
        while step >= length:
            step, length, period = step - length, length * self.t_mul, period + 1
        height = (1 - self.alpha) * self.m_mul**period
        return self.initial_learning_rate * (height * _fall(step / length) + self.alpha)


class OneCycle(LearningRateSchedule):
    """One climb and one fall, each half a cosine: r / div, up to r at the share `climb` of the steps, down to nothing.

    rate = r/div + (r - r/div) · (1 - cos(π step/up)) / 2  up to step `up`, then  low + (r - low) · (1 + cos(π f)) / 2,
    where up = climb · steps - 1, f is the fraction of the fall that is over at its last step, steps - 1, and
    low = r / (div · final_div).  High rates in the middle flatten the way, and the long fall settles.  Keras has no
    such schedule; PyTorch has, and these are its numbers.

    Source: Smith & Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates", 2018.

    Examples
    --------
    >>> schedule = OneCycle(0.1, steps=101, climb=0.25, div=10)
    >>> schedule(0)
    0.01
    >>> max(map(schedule, range(101))) <= 0.1
    True
    """

    arguments = ("max_learning_rate", "steps", "climb", "div", "final_div", "name")

    def __init__(
        self,
        max_learning_rate: float,
        steps: float,
        climb: float = 0.3,
        div: float = 25.0,
        final_div: float = 1e4,
        name: str = "OneCycle",
    ):
        self.max_learning_rate = self._rate("max_learning_rate", max_learning_rate)
        self.steps, self.name = self._steps("steps", steps), name
        self.climb = number("OneCycle", "climb", climb, "[0, 1]")
        self.div = number("OneCycle", "div", div, "[1, inf)")
        self.final_div = number("OneCycle", "final_div", final_div, "[1, inf)")

    def __call__(self, step: float) -> float:
        top, first = self.max_learning_rate, self.max_learning_rate / self.div
        up, last = max(self.climb * self.steps - 1, 0), self.steps - 1
        low = first / self.final_div
        if step >= last:
            return low
        if step < up:
            return first + (top - first) * _fall(1 - step / up)
        return low + (top - low) * _fall((step - up) / (last - up))


def _fall(fraction: float) -> float:
    """Half a cosine, from 1 down to 0."""
    return (1 + math.cos(math.pi * fraction)) / 2


CLASSES: dict[str, type[LearningRateSchedule]] = {
    kind.__name__: kind
    for kind in (
        ExponentialDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        InverseTimeDecay,
        CosineDecay,
        CosineDecayRestarts,
        OneCycle,
    )
}


def serialize(schedule: LearningRateSchedule) -> dict[str, Any]:
    """{"class_name": ..., "config": ...}, which `deserialize` reads."""
    return {"class_name": type(schedule).__name__, "config": schedule.get_config()}


def deserialize(config: dict[str, Any]) -> LearningRateSchedule:
    """The schedule of `serialize`, or of a Keras config.

    Raises
    ------
    ArgumentError
        There is no schedule of that name.

    Examples
    --------
    >>> deserialize(serialize(ExponentialDecay(0.1, 10, 0.5)))(10)
    0.05
    """
    name = config.get("class_name")
    if name not in CLASSES:
        raise ArgumentError(f"there is no learning-rate schedule {name!r}; there are {', '.join(CLASSES)}")
    return CLASSES[name].from_config(config.get("config", {}))
