"""Functions of other libraries as steps, with their randomness seeded as far as it can be."""

import copy
import inspect
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from .step import Step

_one_at_a_time = threading.RLock()


class Adapted(Step):
    """Any function of one picture, uint8 (H,W,3), that returns one, or a dict with "image" as albumentations does.

    Its randomness is seeded anew for each picture: by its `set_random_seed` where it has one, as albumentations'
    `Compose` does, each thread then having a copy of its own; else `random`, NumPy's old global generator and, where it
    is loaded, torch's are seeded for the call and put back after it, in one thread at a time.  A generator that a
    function keeps to itself cannot be seeded: what it draws then differs from one run to the next.

    Examples
    --------
    >>> step = Adapted(lambda picture: picture + np.uint8(random.randrange(9)))
    >>> picture = np.zeros((1, 1, 3), np.uint8)
    >>> np.array_equal(step(picture, np.random.default_rng(5)), step(picture, np.random.default_rng(5)))
    True

    >>> import albumentations as A                                                              # doctest: +SKIP
    >>> pipeline = Pipeline([Adapted(A.Compose([A.CLAHE(), A.GaussNoise()]))])                  # doctest: +SKIP
    """

    def __init__(self, function: Callable[..., Any]):
        self.function: Any = function
        self._named = _takes_name(function)
        self._own = threading.local()

    def __call__(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        seed = int(generator.integers(2**32))
        if hasattr(self.function, "set_random_seed"):
            if not hasattr(self._own, "function"):
                self._own.function = copy.deepcopy(self.function)
            self._own.function.set_random_seed(seed)
            result = self._call(self._own.function, image)
        else:
            with _seeded(seed):
                result = self._call(self.function, image)
        return result["image"] if isinstance(result, Mapping) else result

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.function,)  # threads of another process, and of a copy, make copies of their own

    def __repr__(self) -> str:
        return f"Adapted({getattr(self.function, '__qualname__', type(self.function).__qualname__)})"

    def _call(self, function: Callable[..., Any], image: np.ndarray) -> Any:
        image = image.copy()  # which a function may write into
        return function(image=image) if self._named else function(image)


def _takes_name(function: Callable[..., Any]) -> bool:
    """Whether the picture is given as `image=`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of a function in C
        return False
    positional = any(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return not positional and any(p.kind == p.VAR_KEYWORD or p.name == "image" for p in parameters)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Within the block, the generators of the whole process begin with a seed."""
    torch = sys.modules.get("torch")
    with _one_at_a_time:
        before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        if torch:
            torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002
            if torch:
                torch.set_rng_state(before[2])
