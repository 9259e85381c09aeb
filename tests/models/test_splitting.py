"""Where a model is cut for training, what is kept of its beginning, and when its choices are read anew."""

import pytest

from minicnn import layers as L
from minicnn.models import Model, Sequential

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(("mode", "fixed"), [(False, 1), (None, 0)])
def test_a_call_that_is_inference_for_good_belongs_to_the_prefix(mode, fixed):
    x = L.Input((3,))
    inner = Sequential([L.Input((3,)), L.Dropout(0.5)])
    prefix, _ = Model(x, L.Dense(1)(inner(x, training=mode))).program.split()
    assert len(prefix.calls) == fixed


def test_a_sequential_that_changes_reads_its_choices_anew():
    model = Sequential([L.Input((3,)), L.Dense(2, name="a")])
    model.compile("sgd", "mse")
    assert model.compilation.output_names == ["a"]
    model.add(L.Dense(2, name="b"))
    assert model.compilation.output_names == ["b"]
    model.pop()
    assert model.compilation.output_names == ["a"]
