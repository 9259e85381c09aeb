"""What a layer cannot do is refused where it is written, in one clear line."""

import numpy as np
import pytest

from minicnn import MinicnnError, Tensor, ops, schedules
from minicnn import layers as L
from minicnn.callbacks import ModelCheckpoint
from minicnn.errors import FileAccessError
from minicnn.models import Sequential, load_model

pytestmark = pytest.mark.numpy_only
A, B = L.Input((4, 3)), L.Input((4, 3))
NAN = float("nan")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: L.Concatenate(axis=9)([A, B]), r"Concatenate.*\(None, 4, 3\) have no axis 9"),
        (lambda: L.Softmax(axis=5)(A), "Softmax.* have no axis 5"),
        (lambda: A + "a", "Add .* must be a tensor or numbers; it is 'a'"),
        (lambda: L.Dense(3)(A, B), "Dense.* takes one argument, 2 were given; several tensors go in a list"),
        (lambda: L.Dense(3)(np.ones((1, 3)), np.ones((1, 3))), "takes one argument, 2 were given"),
        (lambda: L.Dense(units=2.5), "units must be a whole number of at least 1; it is 2.5"),
        (lambda: L.Dense(3, foo=1), "Dense does not take foo; it takes .*units"),
        (lambda: L.Dense(3, name=5), "Dense: name must be a text; it is 5"),
        (lambda: L.BatchNormalization(epsilon=-1), r"epsilon must be a number in \[0, inf\); it is -1"),
        (lambda: L.BatchNormalization(momentum=NAN), r"momentum must be a number in \[0, 1\]; it is nan"),
        (lambda: L.LayerNormalization(epsilon=NAN), "epsilon must be a number"),
        (lambda: ops.reshape(Tensor(np.ones((2, 0))), (0, -1)), r"reshape: a sample of shape \(0,\) cannot become"),
        (lambda: load_model(None), "load_model takes the path of a file; got None"),
        (lambda: schedules.ExponentialDecay(NAN, 10, 0.5), "initial_learning_rate must be a number"),
        (lambda: schedules.InverseTimeDecay(0.1, 10, -1), "decay_rate must be a number"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1, -1]), "values must be a number"),
        (lambda: schedules.PolynomialDecay(-0.1, 10), "initial_learning_rate must be a number"),
        (lambda: schedules.CosineDecay(0.1, 10, warmup_target=NAN), "warmup_target must be a number"),
        (lambda: schedules.CosineDecayRestarts(-1, 10), "initial_learning_rate must be a number"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(MinicnnError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_checkpoint_in_a_place_that_cannot_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("no folder")
    model = Sequential([L.Input((3,)), L.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(FileAccessError, match=r"ModelCheckpoint: .*best\.keras cannot be written"):
        model.fit(np.ones((2, 3)), np.ones(2), verbose=0, callbacks=ModelCheckpoint(tmp_path / "file" / "best.keras"))
