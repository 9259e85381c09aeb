"""Where a model is cut for training, what is kept of its beginning, and when its choices are read anew."""

import numpy as np
import pytest

from minicnn import layers as L
from minicnn.models import Model, Sequential
from minicnn.models.features import FeatureStore

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(("mode", "fixed"), [(False, 1), (None, 0)])
def test_a_call_that_is_inference_for_good_belongs_to_the_prefix(mode, fixed):
    x = L.Input((3,))
    inner = Sequential([L.Input((3,)), L.Dropout(0.5)])
    prefix, _ = Model(x, L.Dense(1)(inner(x, training=mode))).program.split()
    assert len(prefix.calls) == fixed


@pytest.mark.parametrize(("free", "kept"), [(1 << 20, True), (8 * 10 * 2, False)])
def test_features_are_kept_in_a_share_of_the_free_memory(free, kept, monkeypatch):
    monkeypatch.setattr("minicnn.models.features.available_memory", lambda: free)
    assert (FeatureStore(10)._allocate([np.ones((1, 2))]) is not None) is kept


def test_a_sequential_that_changes_reads_its_choices_anew():
    model = Sequential([L.Input((3,)), L.Dense(2, name="a")])
    model.compile("sgd", "mse")
    assert model.compilation.output_names == ["a"]
    model.add(L.Dense(2, name="b"))
    assert model.compilation.output_names == ["b"]
    model.pop()
    assert model.compilation.output_names == ["a"]
