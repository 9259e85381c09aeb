"""A whole training, with which the resumed ones are compared, as a fixture."""

import pytest
from training_cases import OPTIONS, X, Y, make


@pytest.fixture(scope="module")
def whole():
    """A training that was never stopped, and its history."""
    model = make()
    return model, model.fit(X, Y, **OPTIONS)
