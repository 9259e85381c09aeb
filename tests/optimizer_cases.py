"""Every optimizer, and what tests of them do again and again."""

from typing import Any

import numpy as np
import pytest

from minicnn.autograd import Parameter, Tensor
from minicnn.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

MAKERS = {
    "sgd": lambda **common: SGD(0.1, **common),
    "momentum": lambda **common: SGD(0.1, momentum=0.9, nesterov=True, **common),
    "rmsprop": lambda **common: RMSprop(0.01, momentum=0.5, centered=True, **common),
    "adam": lambda **common: Adam(0.01, **common),
    "amsgrad": lambda **common: Adam(0.01, amsgrad=True, **common),
    "adamw": lambda **common: AdamW(0.01, **common),
    "adagrad": lambda **common: Adagrad(0.1, **common),
    "averaged": lambda **common: SGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.5, **common),
}
every_optimizer = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def parameter(values, dtype: Any = np.float64, name="kernel"):
    values = np.asarray(values, dtype)
    made = Parameter(values.shape, dtype, name=name)
    made.assign(values)
    return made


def random(seed, shape=(3, 4)):
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def steps(optimizer, parameters, seeds):
    for seed in seeds:
        optimizer.apply_gradients(
            [(Tensor(random(100 * seed + i, p.shape).astype(p.dtype)), p) for i, p in enumerate(parameters)]
        )
