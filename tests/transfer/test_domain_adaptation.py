"""AdaBN against statistics written out; the reversal of gradients; DANN on a shift that it can undo."""

import numpy as np
import pytest

from minicnn import Tensor
from minicnn.errors import ArgumentError, DataError, ShapeError
from minicnn.layers import Add, BatchNormalization, Conv2D, Dense, Dropout, GlobalAveragePooling2D, Input, ReLU
from minicnn.models import Model, Sequential
from minicnn.transfer import domain_adaptation, freeze
from minicnn.transfer.domain_adaptation import GradientReversal, adapt_batchnorm, train_dann
from minicnn.utils import set_random_seed

pytestmark = pytest.mark.numpy_only


def two_norms(dropout=0.5):
    """A net with a shortcut: the second BatchNormalization sees what the first made of the pictures."""
    set_random_seed(0)
    inputs = Input((4, 4, 3))
    x = BatchNormalization(name="first")(inputs)
    y = Dropout(dropout)(Conv2D(3, 1, name="conv")(x))
    y = BatchNormalization(name="second")(Add()([y, Conv2D(3, 1)(x)]))
    return Model(inputs, Dense(2, activation="softmax")(GlobalAveragePooling2D()(ReLU()(y))))


def pictures(count=12, seed=0):
    return np.random.default_rng(seed).normal(3, 2, (count, 4, 4, 3)).astype(np.float32)


def statistics(model, name):
    return model.get_layer(name).get_weights()[2:]


def test_adabn_takes_the_statistics_of_all_pictures_whatever_the_batches():
    x = pictures()
    for size in (64, 5):
        model = two_norms()
        assert adapt_batchnorm(model, x, batch_size=size) == ["first", "second"]
        mean, variance = statistics(model, "first")
        np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-5)
        np.testing.assert_allclose(variance, x.var((0, 1, 2)), rtol=1e-5)


def test_adabn_of_a_later_layer_sees_what_the_adapted_ones_before_it_give_and_no_dropout():
    x, model = pictures(), two_norms()
    adapt_batchnorm(model, x)
    before = Model(model.inputs, model.get_layer("second").input).predict(x)
    mean, variance = statistics(model, "second")
    np.testing.assert_allclose(mean, before.mean((0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(variance, before.var((0, 1, 2)), rtol=1e-3)


def test_adabn_leaves_all_else_as_it_was():
    x, model = pictures(), two_norms()
    freeze(model)
    model.get_layer("first").momentum = 0.7
    kept = [w.copy() for w in model.get_layer("conv").get_weights()]
    adapt_batchnorm(model, x)
    assert not any(layer.trainable for layer in model.layers)
    assert model.get_layer("first").momentum == 0.7
    np.testing.assert_array_equal(model.get_layer("first").get_weights()[:2], [[1] * 3, [0] * 3])
    for now, then in zip(model.get_layer("conv").get_weights(), kept):
        np.testing.assert_array_equal(now, then)


def test_adabn_that_fails_changes_nothing():
    model = two_norms()
    before = model.get_weights()
    with pytest.raises(ShapeError):
        adapt_batchnorm(model, np.ones((3, 4, 4, 5), np.float32))
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)


def test_adabn_that_fails_between_batches_changes_nothing(monkeypatch):
    model, see, batches = two_norms(), domain_adaptation._see, []
    before = model.get_weights()

    def once(program, batch):
        batches.append(see(program, batch))
        if len(batches) == 2:
            raise MemoryError

    monkeypatch.setattr(domain_adaptation, "_see", once)
    with pytest.raises(MemoryError):
        adapt_batchnorm(model, pictures(), batch_size=5)
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)


def test_the_gradient_is_reversed_in_training_alone():
    layer, x = GradientReversal(0.5), np.ones((2, 3), np.float32)
    for training, factor in ((True, -0.5), (False, 1.0)):
        tensor = Tensor(x, requires_grad=True)
        y = layer(tensor, training=training)
        np.testing.assert_array_equal(y.numpy(), x)
        y.sum().backward()
        np.testing.assert_array_equal(tensor.grad.numpy(), np.full_like(x, factor))


def shifted_sets(seed=0):
    """Two classes that one channel tells by its pattern; the target's pictures are brighter in the other channel."""
    rng = np.random.default_rng(seed)
    y = np.arange(120) % 2
    x = rng.normal(0, 0.3, (120, 4, 4, 3)).astype(np.float32)
    x[..., 0] += (2 * y - 1)[:, None, None]
    x[..., 1] += (2 * y - 1)[:, None, None]  # which tells the classes in the source alone
    target = rng.normal(0, 0.3, (120, 4, 4, 3)).astype(np.float32)
    target[..., 0] += (2 * y - 1)[:, None, None]
    target[..., 1] += 3
    return x, y, target


def small_net():
    set_random_seed(1)
    return Sequential(
        [
            Input((4, 4, 3)),
            Conv2D(8, 3, padding="same", activation="relu"),
            GlobalAveragePooling2D(),
            Dense(8, activation="relu"),
            Dense(2, activation="softmax"),
        ]
    )


def test_dann_finds_features_that_both_kinds_of_pictures_have():
    x, y, target = shifted_sets()
    found = {}
    for strength in (0.0, 0.3):
        model = small_net()
        history = train_dann(model, (x, y), target, epochs=25, batch_size=20, strength=strength)
        assert {name: len(values) for name, values in history.items()} == dict.fromkeys(history, 25)
        assert history["class_loss"][-1] < 0.1
        found[strength] = history["domain_loss"][-1], (model.predict(target).argmax(1) == y).mean()
    assert found[0.0][0] < 0.3 < 0.5 < found[0.3][0]  # the domain head tells the kinds apart where nothing is reversed
    assert found[0.0][1] < 0.7 < 0.95 < found[0.3][1]


def test_dann_trains_the_model_itself_by_its_flags_and_draws_by_the_seed():
    x, y, target = shifted_sets()
    made = []
    for _ in range(2):
        model = small_net()
        model.layers[0].trainable = False
        kept = model.layers[0].get_weights()[0].copy()
        train_dann(model, (x, y), target[:30], epochs=1, batch_size=20)
        np.testing.assert_array_equal(model.layers[0].get_weights()[0], kept)
        made.append(model.get_weights())
    assert len(made[0]) == 6
    for one, other in zip(*made):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: adapt_batchnorm(small_net(), x), ArgumentError, "no BatchNormalization"),
        (lambda x: adapt_batchnorm(two_norms(), x[:0]), DataError, "no pictures"),
        (lambda x: adapt_batchnorm(two_norms(), x, batch_size=0), ArgumentError, "batch_size"),
        (lambda x: train_dann(small_net(), (x, [0]), x), DataError, "12 source pictures, 1 labels"),
        (lambda x: train_dann(small_net(), (x, [2] * 12), x), DataError, "from 2 to 2; the model has classes 0..1"),
        (lambda x: train_dann(small_net(), (x, [1] * 12), x[:0]), DataError, "0 target pictures"),
        (lambda x: train_dann(small_net(), (x, [1] * 12), x, epochs=0), ArgumentError, "epochs"),
        (lambda x: GradientReversal(-1), ArgumentError, "strength"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call(pictures())
