"""After `kernels.warmup()` nothing is left to compile: not for prediction, not for training."""

import subprocess
import sys

import pytest

from minicnn import kernels
from minicnn.kernels._warmup import _zeros, examples

pytest.importorskip("numba")
COMPILED = {(spec.op, spec.direction) for spec in kernels.specs() if spec.needs_numba}

PROGRAM = """
import numpy as np
from minicnn import kernels
from minicnn.kernels import _compile_cache

print(kernels.warmup())
compiled = []
save = _compile_cache.CompileCache.save_overload
def note(self, *arguments):
    compiled.append(self.name)
    save(self, *arguments)
_compile_cache.CompileCache.save_overload = note

from minicnn.layers import (
    Activation, Add, AveragePooling2D, BatchNormalization, Conv2D, Conv2DTranspose, Dense, DepthwiseConv2D, Dropout,
    Flatten, GlobalAveragePooling2D, Input, LayerNormalization, MaxPooling2D, ReLU, UpSampling2D,
)
from minicnn.models import Model, Sequential

x = np.random.default_rng(0).random((8, 12, 12, 3), np.float32)
labels = np.arange(8) % 3
inputs = Input((12, 12, 3))
y = ReLU(6.0)(BatchNormalization()(Conv2D(4, 3, padding="same", use_bias=False)(inputs)))
y = Add()([Conv2D(4, 1)(y), DepthwiseConv2D(3, padding="same")(y)])
y = MaxPooling2D()(Activation("swish")(y))
y = UpSampling2D()(AveragePooling2D()(Conv2D(6, 3, strides=2, padding="same", activation="relu")(y)))
y = LayerNormalization()(Conv2DTranspose(3, 2, strides=2)(y))
y = Dense(3, activation="softmax")(Dropout(0.3)(Dense(8, activation="relu")(Flatten()(y))))
model = Model(inputs, y)
for optimizer in ("adam", "sgd", "rmsprop"):
    model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, labels, batch_size=4, epochs=1, verbose=0)
x.flags.writeable = False
model.predict(x)
frozen = Sequential([model, Dense(2, activation="softmax")])
model.trainable = False
frozen.compile("adam", "sparse_categorical_crossentropy")
frozen.fit(x, labels % 2, epochs=2, verbose=0)
frozen.predict(x[:1])
print(*sorted(set(compiled)))
"""


def test_every_compiled_direction_has_an_example():
    assert set(examples(_zeros)) >= COMPILED


def test_the_progress_reaches_the_number_of_rungs(monkeypatch):
    monkeypatch.setattr(kernels._warmup, "specs", lambda device: [s for s in kernels.specs() if s.op == "channel_sum"])
    steps = []
    assert kernels.warmup(lambda done, total: steps.append((done, total))) == 2
    assert steps == [(1, 2), (2, 2)]


def test_after_a_warm_up_nothing_is_compiled():
    """The program uses the cache of this test run, so what it compiles is not compiled again by other tests."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    rungs, *left = done.stdout.split()
    assert int(rungs) == len([spec for spec in kernels.specs() if spec.needs_numba])
    assert left == []
