"""compile refuses what fit could not use, whatever the model knows of its outputs."""

import numpy as np
import pytest

from minicnn.errors import ArgumentError, GraphError
from minicnn.layers import Dense, Input
from minicnn.models import Model, Sequential

pytestmark = [pytest.mark.numpy_only, pytest.mark.no_jit]


def unbuilt():
    return Sequential([Dense(3)])


def built():
    return Sequential([Input((4,)), Dense(3)])


def with_two_outputs():
    x = Input((4,))
    return Model(x, [Dense(3, name="a")(x), Dense(2, name="b")(x)])


@pytest.mark.parametrize("make", [unbuilt, built, with_two_outputs])
@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"optimizer": "adm"}, "there is no optimizer 'adm'"),
        ({"optimizer": 3}, "there is no optimizer 3"),
        ({"loss": "foo"}, "unknown loss 'foo'"),
        ({"loss": {"a": "mse", "b": "foo"}}, "unknown loss 'foo'"),
        ({"metrics": ["acuracy"]}, "there is no metric 'acuracy'"),
        ({"metrics": "acuracy"}, "there is no metric 'acuracy'"),
        ({"metrics": {"a": ["accuracy", "acuracy"]}}, "there is no metric 'acuracy'"),
    ],
)
def test_unknown_names_are_refused_by_compile(make, choices, said):
    model = make()
    with pytest.raises(ArgumentError, match=said):
        model.compile(**{"optimizer": "sgd", "loss": "mse"} | choices)
    assert not model.compiled


def test_a_refused_compile_leaves_the_choices_of_before():
    model = built()
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="adm"):
        model.compile("adm", "mse")
    assert type(model.optimizer).__name__ == "SGD"


@pytest.mark.parametrize("make", [unbuilt, built, with_two_outputs])
def test_a_model_says_how_it_is_compiled(make):
    model = make()
    assert (model.compiled, model.optimizer, model.loss) == (False, None, None)
    model.compile("sgd", "mse")
    assert (model.compiled, type(model.optimizer).__name__, model.loss) == (True, "SGD", "mse")
    model.optimizer.learning_rate = 0.25
    assert model.optimizer.learning_rate == 0.25


def test_the_optimizer_stays_when_layers_are_added():
    model = unbuilt()
    model.compile("sgd", "mse")
    before = model.optimizer
    model.add(Dense(3))
    assert model.optimizer is before
    model.fit(np.ones((5, 4), np.float32), np.ones((5, 3), np.float32), verbose=0)
    assert before.iterations == 1


def test_a_model_must_be_compiled_and_have_something_to_train():
    x, y = np.ones((5, 4), np.float32), np.ones((5, 3), np.float32)
    model = Sequential([Input((4,)), Dense(3)], name="m")
    with pytest.raises(GraphError, match=r"model m is not compiled: call model\.compile"):
        model.fit(x, y, verbose=0)
    model.compile("sgd")
    with pytest.raises(ArgumentError, match="named no loss"):
        model.fit(x, y, verbose=0)
    model.compile("sgd", "mse")
    model.trainable = False
    with pytest.raises(GraphError, match="nothing can be trained: every layer has trainable=False"):
        model.fit(x, y, verbose=0)
