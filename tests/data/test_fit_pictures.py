"""fit on pictures that vary: no feature of another epoch, the epoch's own pixels, and no thread left behind."""

import threading

import numpy as np
import pytest

from minicnn.callbacks import Callback
from minicnn.data import ImageArrays, Preparation, ResizeRule, augment
from minicnn.layers import Conv2D, Dense, GlobalAveragePooling2D, Input
from minicnn.models import Sequential
from minicnn.utils import set_random_seed

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 6, 6, 3), np.uint8)
CHANGES = augment.Pipeline([augment.Flip(), augment.PadCrop(2), augment.Brightness(0.4)], seed=1)


class Seen(ImageArrays):
    """Remembers the epoch and the pixels of the batches that were asked for."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.seen = []

    def batches(self, batch_size, order=None):
        for x, y in super().batches(batch_size, order):
            self.seen.append((self.epoch, x))
            yield x, y


def model_and_data(pipeline):
    set_random_seed(3)
    model = Sequential(
        [Input((6, 6, 3)), Conv2D(4, 3, activation="relu"), GlobalAveragePooling2D(), Dense(2, activation="softmax")]
    )
    model.layers[0].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = Seen(IMAGES, [0, 1] * 6, Preparation(ResizeRule(6), "unit"), threads=2)
    return model, data.augmented(pipeline)


def test_each_epoch_has_its_own_pixels_and_features():
    """Frozen or not, the first layers give the trained ones the features of this epoch's pixels."""
    model, data = model_and_data(CHANGES)
    model.fit(data, epochs=3, batch_size=4, verbose=0, shuffle=False)
    live, again = model_and_data(CHANGES)
    for epoch in range(3):
        again.begin_epoch(epoch)
        for x, y in again.batches(4):
            live.train_on_batch(x, y)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), live.get_weights()))
    epochs = [epoch for epoch, x in data.seen if len(x) == 4]
    assert epochs == [0] * 3 + [1] * 3 + [2] * 3


def test_a_later_first_epoch_begins_with_its_pixels():
    model, data = model_and_data(CHANGES)
    model.fit(data, epochs=6, initial_epoch=4, batch_size=12, verbose=0, shuffle=False)
    data.begin_epoch(4)
    ((expected, _),) = data.batches(12)
    assert np.array_equal([x for epoch, x in data.seen if epoch == 4][-2], expected)


def test_without_augmentation_features_are_kept():
    _, data = model_and_data(None)
    assert not data.varies
    assert data.augmented(CHANGES).varies


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_no_thread_is_left_where_training_fails(error):
    class Failing(Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise error("stop")

    model, data = model_and_data(CHANGES)
    with pytest.raises(error):
        model.fit(data, batch_size=2, verbose=0, callbacks=[Failing()])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("minicnn-data")]
