"""How weights begin: functions of a shape, by Keras' names.

VarianceScaling draws with variance scale / fan, where fan counts the inputs (fan_in), the outputs (fan_out) or their
mean (fan_avg) of one unit.  Glorot & Bengio (2010) is scale 1, fan_avg; He et al. (2015) is scale 2, fan_in.
Each initializer of a layer has its own random stream, so weights do not depend on the order in which they are made.
"""

import math
from typing import Any

import numpy as np

from minicnn.arguments import number, numbers, one_of, whole_number
from minicnn.errors import ArgumentError
from minicnn.seeds import new_seed

MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")


class Initializer:
    """Base of all initializers: callable with (shape, dtype)."""

    def _number(self, argument: str, value: Any, interval: str = "(-inf, inf)") -> Any:
        """The argument, when it is a number of the interval."""
        number(type(self).__name__, argument, value, interval)
        return value

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments, as Keras writes them."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}


class Zeros(Initializer):
    """All zero."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """All one."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        return np.ones(shape, dtype)


class Constant(Initializer):
    """All `value`."""

    def __init__(self, value: float = 0.0):
        self.value = numbers("Constant", "value", value).tolist()

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        return np.full(shape, self.value, dtype)


class _Random(Initializer):
    """Base of those that draw: `seed` fixes the stream."""

    def __init__(self, seed: int | None = None):
        self.seed = None if seed is None else whole_number(type(self).__name__, "seed", seed, 0)
        self._stream = new_seed() if self.seed is None else self.seed

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self._stream)


class RandomNormal(_Random):
    """Gaussian with a mean and standard deviation."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.mean, self.stddev = self._number("mean", mean), self._number("stddev", stddev, "[0, inf)")

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        return (self.mean + self.stddev * self._generator().standard_normal(shape, np.float32)).astype(dtype)


class RandomUniform(_Random):
    """Uniform between two bounds."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        super().__init__(seed)
        self.minval, self.maxval = self._number("minval", minval), self._number("maxval", maxval)

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        draws = self._generator().random(shape, np.float32)
        return (self.minval + (self.maxval - self.minval) * draws).astype(dtype)


class TruncatedNormal(RandomNormal):
    """Gaussian, numbers beyond two standard deviations drawn again."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        generator = self._generator()
        draws = generator.standard_normal(shape, np.float32)
        while (outside := np.abs(draws) > 2).any():
            draws[outside] = generator.standard_normal(int(outside.sum()), np.float32)
        return (self.mean + self.stddev * draws).astype(dtype)


class VarianceScaling(_Random):
    """Variance scale / fan; `distribution` is "uniform", "truncated_normal" or "untruncated_normal"."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ):
        super().__init__(seed)
        owner = type(self).__name__
        self.scale, self.mode = self._number("scale", scale, "(0, inf)"), one_of(owner, "mode", mode, MODES)
        distribution = "truncated_normal" if distribution == "normal" else distribution  # Keras' spelling before 2.2
        self.distribution = one_of(owner, "distribution", distribution, DISTRIBUTIONS)

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return RandomUniform(-limit, limit, self._stream)(shape, dtype)
        if self.distribution == "untruncated_normal":
            return RandomNormal(0.0, math.sqrt(variance), self._stream)(shape, dtype)
        # A Gaussian cut at two deviations keeps 0.8796 of its standard deviation.
        return TruncatedNormal(0.0, math.sqrt(variance) / 0.87962566103423978, self._stream)(shape, dtype)


class Orthogonal(_Random):
    """`gain` times a matrix whose rows or columns, the fewer of them, are orthonormal; taps and inputs count as rows.

    Source: Saxe et al., "Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks", 2014.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None):
        super().__init__(seed)
        self.gain = self._number("gain", gain)

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        if len(shape) < 2:
            raise ArgumentError(f"Orthogonal makes weights of two or more axes; the shape is {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self._generator().standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # makes the draw uniform over all such matrices
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


class Identity(Initializer):
    """`gain` times the identity matrix."""

    def __init__(self, gain: float = 1.0):
        self.gain = self._number("gain", gain)

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
        if len(shape) != 2:
            raise ArgumentError(f"Identity makes matrices; the shape is {shape}")
        return (self.gain * np.eye(*shape)).astype(dtype)


class _Scaled(VarianceScaling):
    """Base of the named cases of VarianceScaling."""

    CASE: tuple[float, str, str]

    def __init__(self, seed: int | None = None):
        super().__init__(*self.CASE, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class GlorotUniform(_Scaled):
    """Uniform, variance 2 / (fan_in + fan_out)."""

    CASE = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated Gaussian, variance 2 / (fan_in + fan_out)."""

    CASE = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform, variance 2 / fan_in."""

    CASE = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated Gaussian, variance 2 / fan_in."""

    CASE = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform, variance 1 / fan_in."""

    CASE = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated Gaussian, variance 1 / fan_in."""

    CASE = (1.0, "fan_in", "truncated_normal")


def fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """(inputs, outputs) of one unit of a kernel (..., in, out); spatial taps count with both."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    taps = math.prod(shape[:-2])
    return float(taps * shape[-2]), float(taps * shape[-1])


CLASSES: dict[str, type[Initializer]] = {
    cls.__name__: cls
    for cls in (
        Zeros, Ones, Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
        GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal, Identity,
    )
}  # fmt: skip
SHORT_NAMES = {
    "zero": "Zeros", "zeros": "Zeros", "one": "Ones", "ones": "Ones", "constant": "Constant",
    "normal": "RandomNormal", "random_normal": "RandomNormal", "gaussian": "RandomNormal",
    "uniform": "RandomUniform", "random_uniform": "RandomUniform", "truncated_normal": "TruncatedNormal",
    "glorot_uniform": "GlorotUniform", "glorot_normal": "GlorotNormal", "he_uniform": "HeUniform",
    "he_normal": "HeNormal", "lecun_uniform": "LecunUniform", "lecun_normal": "LecunNormal",
    "orthogonal": "Orthogonal", "identity": "Identity", "orthogonalinitializer": "Orthogonal",
    "identityinitializer": "Identity",
}  # fmt: skip


def get(identifier: Any) -> Initializer:
    """An initializer of a name, a Keras config, or itself.

    Raises
    ------
    ArgumentError
        The name is unknown; the message lists the known ones.

    Examples
    --------
    >>> get("zeros")((2,))
    array([0., 0.], dtype=float32)
    """
    if isinstance(identifier, Initializer):
        return identifier
    name, config = identifier, {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    name = SHORT_NAMES.get(str(name).lower(), name)
    if name not in CLASSES:
        raise ArgumentError(f"unknown initializer {name!r}; known are {', '.join(CLASSES)}")
    known = CLASSES[name]().get_config()
    return CLASSES[name](**{key: value for key, value in config.items() if key in known})


def serialize(initializer: Initializer) -> dict[str, Any]:
    """The config that Keras writes for an initializer."""
    return {
        "module": "keras.initializers",
        "class_name": type(initializer).__name__,
        "config": initializer.get_config(),
        "registered_name": None,
    }
