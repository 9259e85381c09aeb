"""Points of features: PCA is scikit-learn's, t-SNE is there where scikit-learn is, and both are the same each time."""

import sys

import numpy as np
import pytest

from minicnn.report.projection import MOST, principal_components, projections


def features(rows=40, width=7, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)) * np.arange(1, width + 1)


@pytest.mark.parametrize("shape", [(40, 7), (5, 20)])
def test_principal_components_are_those_of_scikit_learn(shape):
    decomposition = pytest.importorskip("sklearn.decomposition")
    x = features(*shape)
    scores, share = principal_components(x, 3)
    reference = decomposition.PCA(3).fit(x)
    np.testing.assert_allclose(np.abs(scores), np.abs(reference.transform(x)), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(share, reference.explained_variance_ratio_, rtol=1e-9)
    assert (scores[np.abs(scores).argmax(axis=0), range(3)] > 0).all()


def test_two_pictures_alike_lie_together_in_both():
    pytest.importorskip("sklearn")
    x = np.concatenate([features(20), features(20, seed=1) + 60])
    found = projections(x)
    assert [projection.name for projection in found] == ["PCA", "t-SNE"]
    for projection in found:
        centres = [projection.points[part].mean(axis=0) for part in (slice(20), slice(20, None))]
        spread = projection.points[:20].std()
        assert np.linalg.norm(centres[0] - centres[1]) > 2 * spread
    np.testing.assert_array_equal(found[1].points, projections(x)[1].points)


def test_without_scikit_learn_there_is_pca_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    assert [projection.name for projection in projections(features())] == ["PCA"]


def test_of_many_pictures_some_are_drawn_evenly(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    (found,) = projections(features(5000, 2))
    assert found.points.shape == (MOST, 2)
    assert (found.rows[0], found.rows[-1]) == (0, 4999)
    assert set(np.diff(found.rows)) <= {8, 9}


def test_too_few_pictures_and_pictures_all_alike_have_no_points(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    assert projections(features(5)) == []
    assert projections(np.ones((50, 4))) == []
    assert not projections(features(50, 1))[0].points[:, 1].any()
