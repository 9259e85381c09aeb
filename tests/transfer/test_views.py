"""Views: so many changed pictures of each are made once, every epoch draws one; what is kept is what is computed."""

from dataclasses import replace

import numpy as np
import pytest
from policy_cases import PLAIN, ROWS, job

from minicnn.data import augment
from minicnn.errors import ArgumentError, DataError
from minicnn.kernels import numba_wanted
from minicnn.layers import GlobalAveragePooling2D, Input, Rescaling
from minicnn.models import Model
from minicnn.transfer import Base, FeatureCache, Policy, Settings, finetune, finetune_folder, views
from minicnn.transfer.fine_tuning import Tail
from minicnn.transfer.samples import AsGiven
from minicnn.transfer.views import Drawn

pytestmark = pytest.mark.numpy_only
POLICY = Policy(unfreeze=1, head_epochs=4, epochs=3, batch_size=8, views=3)


def weights(result) -> bytes:
    return b"".join(w.tobytes() for w in result.model.get_weights())


def test_every_epoch_draws_one_view_of_each_sample_by_seed():
    made = [[np.full((50, 2), v), np.arange(50) + 100.0 * v] for v in range(4)]
    rows = np.array([7, 3, 30, 31, 8] * 8)

    def epoch(number, seed=1, batch_size=16, order=None):
        drawn = Drawn(made, np.arange(50), rows, seed)
        drawn.begin_epoch(number)
        batches = list(drawn.batches(batch_size, order))
        return [np.concatenate(part) for part in zip(*((*x, y) for x, y in batches))]
        return [np.concatenate([x[i] for x, _ in batches]) for i in (0, 1)] + [np.concatenate([y for _, y in batches])]

    view, number, labels = epoch(0)
    assert labels.tolist() == rows.tolist()
    np.testing.assert_array_equal(view[:, 0] * 100 + rows, number)  # both inputs are of one view
    assert {int(v) for e in range(9) for v in epoch(e)[0][:, 0]} == {0, 1, 2, 3}
    assert any((epoch(e)[0] != view).any() for e in (1, 2))
    assert any((epoch(0, seed=s)[0] != view).any() for s in (2, 3))
    order = np.arange(40)[::-1]
    for kept, other in zip((view, number, labels), epoch(0, batch_size=7, order=order)):
        np.testing.assert_array_equal(other, kept[order])


def test_views_are_what_the_frozen_layers_give_of_changed_pictures():
    made, tail = job(replace(PLAIN, augment="mirror", views=2))
    assert tail.live is None
    _, live = job(replace(PLAIN, augment="mirror"))
    assert live.live is not None
    change = views.augmentation(made.policy)
    assert change is not None
    for view, arrays in enumerate(tail.views):
        pictures = np.stack([change(made.samples.images[i], i, view) for i in ROWS])
        for kept, computed in zip(arrays, live.live.features(pictures), strict=True):
            np.testing.assert_allclose(kept, computed, rtol=1e-5, atol=1e-6)
    assert any((a != b).any() for a, b in zip(*tail.views))


def test_all_views_alike_train_as_no_views(photos, net_file):
    plain = finetune(net_file, photos, replace(POLICY, views=0, augment=None))
    same = finetune(net_file, photos, replace(POLICY, augment=lambda picture, index, epoch: picture))
    np.testing.assert_allclose(same.probabilities, plain.probabilities, rtol=1e-5, atol=1e-6)


def test_views_change_training_and_a_cache_changes_no_bit_of_it(photos, net_file, tmp_path):
    cache = FeatureCache(tmp_path)
    plain, filling, cached = (finetune(net_file, photos, POLICY, cache=use) for use in (False, cache, cache))
    assert weights(filling) == weights(cached)
    if numba_wanted():  # BLAS adds up otherwise for less pictures: those that two views leave as they are count once
        assert weights(plain) == weights(filling)
    np.testing.assert_allclose(plain.probabilities, filling.probabilities, rtol=1e-4)
    assert weights(plain) != weights(finetune(net_file, photos, replace(POLICY, views=0)))
    assert weights(plain) != weights(finetune(net_file, photos, replace(POLICY, seed=1)))
    assert filling.cache.found + filling.cache.computed == 4 * 24
    assert 24 < filling.cache.computed < 4 * 24  # of a picture that two views leave as it is, once
    assert (cached.cache.found, cached.cache.computed) == (4 * 24, 0)


def test_the_head_alone_sees_views_too(photos, net_file):
    policy = replace(POLICY.without_fine_tuning(), augment=augment.Pipeline([augment.Rotate(90)], seed=3))
    one, other = (finetune(net_file, photos, replace(policy, views=v)) for v in (1, 2))
    assert weights(one) != weights(other)


def test_the_frozen_layers_run_once_for_each_view(photos, net_file, monkeypatch):
    runs = []
    run = views.changed
    monkeypatch.setattr("minicnn.transfer.job.changed", lambda *given: runs.append(given[2]) or run(*given))
    finetune(net_file, photos, replace(POLICY, epochs=5))
    assert runs == [0, 1, 2]


def test_views_without_a_change_are_refused():
    with pytest.raises(ArgumentError, match="views=2 of what"):
        Policy(views=2, augment=None)
    with pytest.raises(ArgumentError, match="storage must be one of 'float32', 'float16'"):
        Policy(storage="float8")


def test_features_in_a_file_are_read_batch_by_batch_and_train_the_same_weights(photos, net_file, monkeypatch):
    policy, read, inputs = replace(POLICY, views=0, augment=None, patience=3), [], Tail._inputs
    whole = finetune(net_file, photos, policy)
    monkeypatch.setattr("minicnn.models.features.SHARE", 0.0)
    monkeypatch.setattr("minicnn.transfer.fine_tuning.PORTION", 1)
    monkeypatch.setattr(Tail, "_inputs", lambda self, rows: read.append(len(rows)) or inputs(self, rows))
    assert weights(finetune(net_file, photos, policy)) == weights(whole)
    assert 0 < max(read) <= policy.batch_size


@pytest.mark.parametrize("share", [0.25, 0.0])
def test_float16_trains_nearly_the_same_and_says_how_far_features_are_off(share, photos, net_file, monkeypatch):
    monkeypatch.setattr("minicnn.models.features.SHARE", share)
    full, half = (finetune(net_file, photos, replace(POLICY, storage=s)) for s in ("float32", "float16"))
    np.testing.assert_allclose(half.probabilities, full.probabilities, atol=1e-2)
    assert weights(half) != weights(full)
    assert 0 < half.cache.relative_error < 2**-11
    assert full.cache.max_error == 0


def test_features_that_float16_is_too_coarse_for_are_not_blamed_on_the_cache():
    far = Rescaling(1.0, offset=3000.0)(GlobalAveragePooling2D()(picture := Input((8, 8, 3))))
    base = Base(Model(picture, far), "far from 0", AsGiven(), "as given")  # pyright: ignore[reportArgumentType]
    x = np.random.default_rng(0).random((24, 8, 8, 3), np.float32) + np.arange(24).reshape(-1, 1, 1, 1) % 2
    with pytest.raises(DataError, match=r"float16 is too coarse for .* off by 0\.\d+: store them in float32"):
        finetune(base, (x, np.arange(24) % 2), Policy(unfreeze=None, storage="float16"))


def test_a_folder_with_settings_has_views_in_its_folds_and_storage_in_its_report(photos, net_file):
    settings = Settings(epochs=3, views=2, storage="float16", folds=2, unfreeze="conv2", fine_epochs=1)
    result = finetune_folder(photos, net_file, settings=settings, cache=False)
    assert "24 pictures and 48 views of them: 0 from the cache, 72 computed; stored in float16, off by" in result.cache
    assert result.folds is not None
