"""scikit-learn's own checks of what calls itself an estimator: all of them, with the arguments' defaults."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from minicnn.estimators import CNNClassifier, CNNFeatures
from minicnn.transfer import Policy


@pytest.mark.filterwarnings("ignore:CNNFeatures. rows of")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([CNNFeatures(), CNNClassifier(policy=Policy(head_epochs=5))])
def test_scikit_learns_checks(estimator, check):
    check(estimator)
