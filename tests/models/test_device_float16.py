"""Gradients that are not finite under float16: the loss is scaled less and less, and then fit says what is wrong."""

from typing import Any

import numpy as np
import pytest
from emulator.device import EmulatedDevice, install

from minicnn import losses
from minicnn.autograd import Context, Function
from minicnn.callbacks import TerminateOnNaN
from minicnn.errors import DivergedError, GraphError
from minicnn.layers import BatchNormalization, Conv2D, Dense, Dropout, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.seeds import set_random_seed

pytestmark = pytest.mark.cuda_emulated
DEVICE = "cuda-emulated"
X = np.random.default_rng(0).standard_normal((4, 8, 8, 3)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[np.arange(4) % 3]
HALVINGS = 15  # from the scale of the beginning, 2**15, to 1


class Spoiled(Function):
    """y = x, whose gradient is not finite."""

    @staticmethod
    def forward(ctx: Context, x: Any, *, by: float) -> Any:
        return x.copy()

    @staticmethod
    def backward(ctx: Context, dy: Any) -> Any:
        return dy * np.float32(ctx.options["by"])


class Half(Dense):
    """A dense layer behind which gradients are spoiled."""

    by = float("nan")

    def call(self, x: Any, training: bool) -> Any:
        return Spoiled.apply(super().call(x, training), by=self.by)


@pytest.fixture(autouse=True)
def device() -> EmulatedDevice:
    return install()


def network(precision: str = "float16", by: float = float("nan")) -> Sequential:
    set_random_seed(5)
    middle = Half(6, name="middle")
    middle.by = by
    layers = [
        Conv2D(8, 3, name="first"),
        BatchNormalization(),
        GlobalAveragePooling2D(),
        middle,
        Dropout(0.3),
        Dense(3),
    ]
    model = Sequential([Input((8, 8, 3)), *layers])
    model.compile("adam", losses.MeanSquaredError())
    model.to(DEVICE).precision = precision
    return model


def state(model: Sequential) -> list[np.ndarray]:
    return [*model.get_weights(), *model.optimizer.state().values()]


@pytest.mark.parametrize("by", [float("nan"), float("inf")])
def test_fit_says_which_gradient_it_is_and_changes_nothing_in_that_step(by):
    model = network(by=by)
    said = (
        rf"^fit: in step 2 of epoch {HALVINGS // 2 + 1} the gradient of the bias of middle \(Half\) is NaN or "
        r"infinite, though the loss is \d\.\d+ .*; model\.precision = 'bfloat16' has .*; the model keeps the weights "
    )
    trained = [weight.numpy() for weight in model.trainable_weights]
    with pytest.raises(DivergedError, match=said) as error:
        model.fit(X, Y, batch_size=2, epochs=20, verbose=0)
    assert "\n" not in str(error.value)
    assert model.optimizer.iterations == 0
    assert all(np.array_equal(a, w.numpy()) for a, w in zip(trained, model.trainable_weights, strict=True))
    before = state(model)
    with pytest.raises(DivergedError, match=r"^the gradient of the bias of middle \(Half\)"):
        model.train_on_batch(X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(state(model), before, strict=True))


def test_fit_of_a_few_steps_says_that_it_learned_nothing():
    model, nothing = network(), "^fit: the weights are as before: in every step .* scaled by 8192 now"
    with pytest.warns(UserWarning, match=nothing) as said:
        model.fit(X, Y, batch_size=2, verbose=0)
    assert [warning.filename for warning in said] == [__file__]
    model.fit(X, Y, epochs=1, initial_epoch=1, verbose=0)
    model.get_layer("middle").by = 1.0
    model.fit(X, Y, batch_size=2, verbose=0)
    assert model.optimizer.iterations


def test_float32_says_so_too():
    with pytest.raises(DivergedError, match="became NaN or infinite"):
        network("float32").fit(X, Y, verbose=0)


def test_training_goes_on_where_gradients_are_finite_again():
    model = network()
    for _ in range(HALVINGS):
        model.train_on_batch(X, Y)
    assert model.optimizer.loss_scale.is_least
    model.get_layer("middle").by = 1.0
    before = model.get_weights()
    model.train_on_batch(X, Y)
    assert model.optimizer.iterations == 1
    assert not np.array_equal(before[0], model.get_weights()[0])


def test_a_callback_may_end_training_there(capsys):
    model = network()
    history = model.fit(X, Y, batch_size=1, epochs=9, verbose=0, callbacks=TerminateOnNaN())
    assert len(history.epoch) == HALVINGS // 4 + 1
    assert "the gradient of the bias of middle" in capsys.readouterr().err


def test_a_loss_that_depends_on_nothing_is_refused_as_in_float32():
    for precision in ("float32", "float16"):
        model = network(precision, 1.0)
        model.compile("adam", lambda y_true, y_pred: y_pred.detach().sum())
        with pytest.raises(GraphError, match="there is no gradient to apply"):
            model.train_on_batch(X, Y)
