"""Features: the cache changes nothing but the time, and its key holds all that decides them."""

from operator import add, sub

import numpy as np
import pytest
from transfer_cases import SIDE, make_lie, small_net

from minicnn.data import ResizeRule
from minicnn.errors import ArgumentError, DataError
from minicnn.kernels import numba_wanted
from minicnn.layers import Activation, Dense, Dropout, Input, RandomCrop, Rescaling
from minicnn.models import Model, Sequential, model_from_config
from minicnn.models.config_writing import model_config
from minicnn.models.feature_file import FeatureFile
from minicnn.transfer import FeatureCache, Preparation, extract_features, freeze
from minicnn.transfer.features import features_by_batch, model_hash
from minicnn.transfer.kept_features import BATCH
from minicnn.transfer.surgery import without_head

pytestmark = pytest.mark.numpy_only

IMAGES = np.random.default_rng(0).integers(0, 256, (BATCH + 5, SIDE, SIDE, 3)).astype(np.uint8)
HASHES = [f"{i:064x}" for i in range(len(IMAGES))]
ALL = len(IMAGES)
TF = Preparation(ResizeRule(SIDE), "tf")


@pytest.fixture
def base():
    model = without_head(small_net())
    freeze(model)
    return model


def extract(model, cache, images=IMAGES, hashes=HASHES, preparation=TF, **options):
    (features,), use = features_by_batch(model, images, hashes, preparation, cache=cache, **options)
    return features, (use.found, use.computed)


def test_features_are_the_models_outputs(base):
    features, use = extract(base, None)
    np.testing.assert_allclose(features, base.predict(TF(IMAGES)), rtol=1e-5, atol=1e-6)
    assert use == (0, ALL)


def test_kept_features_have_the_same_bits_as_computed_ones(base, tmp_path):
    fresh, _ = extract(base, None)
    first, first_use = extract(base, FeatureCache(tmp_path))
    second, second_use = extract(base, FeatureCache(tmp_path))
    assert (first_use, second_use) == ((0, ALL), (ALL, 0))
    assert fresh.tobytes() == first.tobytes() == second.tobytes()


def test_several_outputs_are_kept_together(base, tmp_path):
    both = Model(base.inputs, [base.get_layer("relu1").output, base.outputs[0]])
    cache = FeatureCache(tmp_path)
    computed, _ = features_by_batch(both, IMAGES, HASHES, TF, cache=cache)
    kept, use = features_by_batch(both, IMAGES, HASHES, TF, cache=cache)
    assert (use.found, use.computed) == (ALL, 0)
    assert [a.tobytes() for a in computed] == [a.tobytes() for a in kept]


@pytest.mark.parametrize("share", [0.25, 0.0])
def test_only_new_pictures_are_computed_wherever_they_come(share, base, tmp_path, monkeypatch, passes):
    monkeypatch.setattr("minicnn.models.features.SHARE", share)
    cache, new = FeatureCache(tmp_path), ALL - 1
    expected, _ = extract(base, None)
    before, _ = extract(base, cache, IMAGES[:new], HASHES[:new])
    for order, computed in (
        ([new, *range(new)], 1), ([*range(10), new, *range(12, new)], 0), ([3, new, 3], 0), (range(ALL)[::-1], 0)
    ):  # fmt: skip
        passes.clear()
        rows = np.array(order)
        features, use = extract(base, cache, IMAGES[rows], [HASHES[row] for row in rows])
        assert use == (len(rows) - computed, computed)
        assert sum(passes) <= 8 + 1 + computed  # a few to compare
        assert_same(features, expected[rows])
    assert_same(before, expected[:new])


def assert_same(found, expected):
    """Bit for bit where the compiled kernels run; BLAS may add up in another order for another number of pictures."""
    if numba_wanted():
        assert np.asarray(found).tobytes() == np.asarray(expected).tobytes()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("share", [0.25, 0.0])
def test_copies_are_computed_once_and_have_the_same_bits(share, base, tmp_path, monkeypatch, passes):
    monkeypatch.setattr("minicnn.models.features.SHARE", share)
    rows = np.array([0, 1, 0, 2, 1, 0])
    hashes = [HASHES[row] for row in rows]
    plain, _ = extract(base, None, IMAGES[rows], hashes)
    filling, use = extract(base, FeatureCache(tmp_path), IMAGES[rows], hashes)
    assert (passes, use) == ([3, 3], (0, 6))
    found, use = extract(base, FeatureCache(tmp_path), IMAGES[rows], hashes)
    assert use == (6, 0)
    for features in (filling, found):
        assert np.asarray(features).tobytes() == np.asarray(plain).tobytes()
    assert plain[5].tobytes() == plain[0].tobytes()


def test_what_another_process_keeps_meanwhile_is_found(base, tmp_path):
    def another(step, done, total):
        if done == BATCH:
            assert extract(base, FeatureCache(tmp_path), IMAGES[20:], HASHES[20:])[1] == (BATCH - 20, ALL - BATCH)

    assert extract(base, FeatureCache(tmp_path), progress=another)[1] == (0, ALL)
    assert extract(base, FeatureCache(tmp_path))[1] == (ALL, 0)


def changed_weights(model):
    kernel, bias = model.get_layer("conv1").get_weights()
    kernel[0, 0, 0, 0] += 1e-6
    model.get_layer("conv1").set_weights([kernel, bias])


def changed_statistics(model):
    *rest, variance = model.get_layer("bn1").get_weights()
    model.get_layer("bn1").set_weights([*rest, variance * 2])


@pytest.mark.parametrize("change", [changed_weights, changed_statistics])
def test_another_model_finds_nothing(base, tmp_path, change):
    cache = FeatureCache(tmp_path)
    extract(base, cache)
    change(base)
    assert extract(base, cache)[1] == (0, ALL)


@pytest.mark.parametrize(
    "preparation",
    [
        Preparation(ResizeRule(SIDE), "torch"),
        Preparation(ResizeRule(SIDE, "pad"), "tf"),
        Preparation(ResizeRule(SIDE, "crop", 0.875), "tf"),
    ],
)
def test_another_preparation_finds_nothing(base, tmp_path, preparation):
    cache = FeatureCache(tmp_path)
    extract(base, cache)
    assert extract(base, cache, preparation=preparation)[1] == (0, ALL)


def test_other_picture_bytes_find_nothing(base, tmp_path):
    cache = FeatureCache(tmp_path)
    extract(base, cache)
    assert extract(base, cache, hashes=["f" * 64, *HASHES[1:]])[1] == (ALL - 1, 1)


def test_another_boundary_finds_nothing(base, tmp_path):
    cache = FeatureCache(tmp_path)
    extract(base, cache)
    assert extract(Model(base.inputs, base.get_layer("relu1").output), cache)[1] == (0, ALL)


def test_other_kernels_find_nothing(base, tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path)
    extract(base, cache)
    other = int(numba_wanted())  # as true as before, but written another way
    monkeypatch.setattr("minicnn.kernels.numba_wanted", lambda: other)
    assert extract(base, cache)[1] == (0, ALL)


def test_a_model_built_again_has_the_same_hash():
    def build():
        return Sequential([Input((3,)), Dense(2, kernel_initializer="ones"), Dense(2, kernel_initializer="ones")])

    first, second = build(), build()
    assert first.layers[0].name != second.layers[0].name
    assert model_hash(first) == model_hash(second)


def test_two_orders_of_equal_layers_have_different_hashes():
    def build(*activations):
        return Sequential([Input((3,)), *(Dense(3, activation=a, kernel_initializer="ones") for a in activations)])

    assert model_hash(build("relu", "tanh")) != model_hash(build("tanh", "relu"))


def test_an_activation_that_is_called_as_its_layer_counts():
    def build(name):
        return Sequential([Input((3,)), Activation(name, name=name)])

    assert model_hash(build("sigmoid")) != model_hash(build("tanh"))


def test_what_a_layer_does_as_the_keras_of_its_file_did_counts():
    config = model_config(Sequential([Input((9, 11, 3)), RandomCrop(4, 6)]))
    hashes = [model_hash(model_from_config(config, version)) for version in ("3.5.0", "3.5.0", "3.6.0", "3.15.0")]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_every_element_of_a_large_option_counts():
    def build(last):
        scale = np.ones(5000, np.float32)
        scale[2500] = last
        return Sequential([Input((5000,)), Rescaling(scale)])

    assert model_hash(build(1)) == model_hash(build(1)) != model_hash(build(2))


def test_operators_and_their_operands_count():
    def build(combine):
        x = Input((3,))
        return Model(x, combine(x, Rescaling(2.0)(x)))

    hashes = {model_hash(build(combine)) for combine in (add, sub, lambda a, b: b - a, lambda a, b: a + b * 2.0)}
    assert len(hashes) == 4


def test_an_option_of_an_unknown_kind_is_never_found():
    class Odd(Rescaling):
        def get_config(self):
            return {"odd": object()}

    model = Sequential([Input((3,)), Odd(1.0)])
    assert model_hash(model) != model_hash(model)


def test_files_that_were_not_used_for_long_make_room(base, tmp_path):
    size = 4096 + ALL * 8 * 4
    cache = FeatureCache(tmp_path, limit=size + 100)
    extract(base, cache)
    (old,) = tmp_path.rglob("*.features")
    extract(base, cache, preparation=Preparation(ResizeRule(SIDE), "torch"))
    (new,) = tmp_path.rglob("*.features")
    assert new != old
    with pytest.warns(UserWarning, match="not cached in .*there is room for 0.0977 KiB"):
        extract(base, FeatureCache(tmp_path, limit=100), hashes=HASHES[::-1][:-1] + ["f" * 64])
    assert list(tmp_path.rglob("*.features")) == [new]


def test_damaged_files_are_computed_again(base, tmp_path):
    cache = FeatureCache(tmp_path)
    expected, _ = extract(base, cache)
    for path in tmp_path.rglob("*.features"):
        path.write_bytes(path.read_bytes()[:100])
    again, use = extract(base, cache)
    assert use == (0, ALL)
    assert again.tobytes() == expected.tobytes()


def test_a_damaged_row_costs_one_picture(base, tmp_path):
    cache = FeatureCache(tmp_path)
    expected, _ = extract(base, cache)
    path = file_of(cache)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    for use in ((ALL - 1, 1), (ALL, 0)):
        again, found = extract(base, cache)
        assert found == use
        assert again.tobytes() == expected.tobytes()


@pytest.fixture
def no_memory(monkeypatch):
    monkeypatch.setattr("minicnn.models.features.SHARE", 0.0)


def file_of(cache):
    (path,) = cache.folder.rglob("*.features")
    return path


def test_features_that_memory_has_no_room_for_lie_in_one_file(base, tmp_path, no_memory):
    expected = base.predict(TF(IMAGES))
    cache = FeatureCache(tmp_path)
    first, first_use = extract(base, cache)
    again, again_use = extract(base, cache)
    assert (first_use, again_use) == ((0, ALL), (ALL, 0))
    np.testing.assert_allclose(first, expected, rtol=1e-5, atol=1e-6)
    assert np.asarray(first).tobytes() == np.asarray(again).tobytes()
    assert file_of(cache).stat().st_size > expected.nbytes
    unnamed, _ = extract(base, None)
    assert np.asarray(unnamed).tobytes() == np.asarray(first).tobytes()


@pytest.mark.parametrize("share", [0.25, 0.0])
def test_what_a_killed_process_had_made_is_found(share, base, tmp_path, monkeypatch):
    monkeypatch.setattr("minicnn.models.features.SHARE", share)
    cache = FeatureCache(tmp_path)

    def stop(step, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(base, cache, progress=stop)
    features, use = extract(base, cache)
    assert use == (BATCH, ALL - BATCH)
    np.testing.assert_allclose(features, base.predict(TF(IMAGES)), rtol=1e-5, atol=1e-6)
    assert extract(base, cache)[1] == (ALL, 0)


def test_without_room_for_a_file_features_lie_in_memory(base, tmp_path, no_memory):
    with pytest.warns(UserWarning, match="features lie in memory.*there is room for 0.0977 KiB"):
        features, _ = extract(base, FeatureCache(tmp_path, limit=100))
    np.testing.assert_allclose(features, base.predict(TF(IMAGES)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("at", [0, 1])
def test_a_disk_that_is_full_costs_nothing_but_memory(at, base, tmp_path, no_memory, monkeypatch):
    write, calls = FeatureFile.write, []

    def full(file, rows, arrays):
        calls.append(rows)
        if len(calls) > at:
            raise OSError(28, "No space left on device")
        write(file, rows, arrays)

    monkeypatch.setattr(FeatureFile, "write", full)
    with pytest.warns(UserWarning, match="features lie in memory.*No space left"):
        features, _ = extract(base, FeatureCache(tmp_path))
    np.testing.assert_allclose(features, base.predict(TF(IMAGES)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("share", [0.25, 0.0])
def test_a_cache_that_lies_is_mentioned_and_not_believed(share, base, tmp_path, monkeypatch):
    monkeypatch.setattr("minicnn.models.features.SHARE", share)
    cache = FeatureCache(tmp_path)
    expected, _ = extract(base, cache)
    expected = np.array(expected)
    make_lie(tmp_path)
    with pytest.warns(UserWarning, match="are not those of the network: they are computed anew"):
        again, use = extract(base, cache)
    assert use == (0, ALL)
    np.testing.assert_array_equal(again, expected)
    np.testing.assert_array_equal(extract(base, cache)[0], expected)


def test_each_file_of_a_cache_is_looked_at_and_one_that_lies_is_removed(base, tmp_path):
    cache, late = FeatureCache(tmp_path), slice(ALL - 3, None)
    extract(base, cache, IMAGES[late], HASHES[late])
    make_lie(tmp_path)
    extract(base, cache, IMAGES[: ALL - 3], HASHES[: ALL - 3])
    some = slice(ALL - 1)
    with pytest.warns(UserWarning, match="are not those of the network: they are computed anew"):
        features, use = extract(base, cache, IMAGES[some], HASHES[some])
    assert use == (ALL - 3, 2)
    assert_same(features, extract(base, None)[0][some])
    assert extract(base, cache)[1] == (ALL - 1, 1)


def test_a_mapped_file_is_hashed_once(base, tmp_path, no_memory, monkeypatch):
    cache, hashed, digest = FeatureCache(tmp_path), [], FeatureFile._digest
    extract(base, cache)
    monkeypatch.setattr(FeatureFile, "_digest", lambda file, row, x: hashed.append(row) or digest(file, row, x))
    extract(base, cache)
    assert sorted(hashed) == list(range(ALL))


@pytest.mark.parametrize("share", [0.25, 0.0])
def test_float16_takes_half_the_room_and_says_how_far_it_is_off(share, base, tmp_path, monkeypatch):
    monkeypatch.setattr("minicnn.models.features.SHARE", share)
    expected, _ = extract(base, None)
    expected = expected.astype(np.float64)
    cache = FeatureCache(tmp_path)
    for _ in range(2):
        (found,), use = features_by_batch(base, IMAGES, HASHES, TF, cache=cache, storage="float16")
        gap = found.astype(np.float64) - expected
        assert found.dtype == np.float16
        assert use.max_error == pytest.approx(np.abs(gap).max())
        assert use.relative_error == pytest.approx(np.linalg.norm(gap) / np.linalg.norm(expected))
        assert 0 < use.relative_error < 2**-11
        assert "stored in float16, off by" in str(use)
    assert extract(base, cache)[1][1] == ALL  # float32 is kept on its own


def test_what_does_not_fit_in_float16_is_refused(base):
    large = Model(base.inputs, Rescaling(1e6)(base.outputs[0]))
    with pytest.raises(DataError, match="do not fit in float16: store them in float32"):
        extract(large, None, storage="float16")


@pytest.mark.parametrize("layer", ["bn2", "drop"])
def test_a_layer_that_acts_otherwise_in_training_is_refused_by_name(layer, base, tmp_path):
    base = Model(base.inputs, Dropout(0.5, name="drop")(base.outputs[0]))
    freeze(base)
    x, cache = TF(IMAGES), FeatureCache(tmp_path)
    kept = extract_features(base, x, cache=cache)
    base.get_layer(layer).trainable = True
    with pytest.raises(ArgumentError, match=rf"cannot be kept: layer {layer} .*freeze\(model\) first"):
        extract_features(base, x, cache=cache)
    np.testing.assert_array_equal(extract_features(base, x), kept)


def test_progress_is_told_after_each_batch(base):
    told = []
    features_by_batch(base, IMAGES, HASHES, TF, progress=lambda *args: told.append(args))
    assert told == [("features", BATCH, BATCH + 5), ("features", BATCH + 5, BATCH + 5)]
