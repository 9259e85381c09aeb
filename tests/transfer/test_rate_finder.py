"""The learning-rate finder: what it sees, what it suggests, and that it leaves everything as it was."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from transfer_cases import small_net

from minicnn.errors import ArgumentError, FileAccessError
from minicnn.transfer import Policy, find_learning_rate, freeze
from minicnn.transfer.freeze import leaf_layers
from minicnn.transfer.rate_finder import RateRange, last_before_the_rise, running_mean
from minicnn.transfer.rate_plot import rate_plot

pytestmark = pytest.mark.numpy_only

POLICY = Policy(unfreeze=2, head_epochs=2, batch_size=6)


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    labels = np.arange(18) % 3
    return (generator.random((18, 24, 24, 3)) + labels[:, None, None, None]).astype(np.float32), labels


def test_the_model_is_left_as_it_was(data):
    model = small_net()
    freeze(model, until="bn1")
    weights = [w.tobytes() for w in model.get_weights()]
    flags = [layer.trainable for layer in leaf_layers(model)]
    find_learning_rate(model, data, POLICY, steps=12)
    assert [w.tobytes() for w in model.get_weights()] == weights
    assert [layer.trainable for layer in leaf_layers(model)] == flags


def test_rates_grow_by_one_factor_until_the_loss_runs_away(data):
    found = find_learning_rate(small_net(), data, POLICY, lowest=1e-5, highest=1e5, steps=40)
    assert 2 <= len(found.rates) == len(found.losses) < 40
    assert found.rates[0] == 1e-5
    np.testing.assert_allclose(found.rates[1:] / found.rates[:-1], 1e10 ** (1 / 39))
    assert found.rates[0] < found.suggestion < found.rates[-1]


def test_the_optimizer_makes_its_steps_at_these_rates(data, monkeypatch):
    from minicnn.optimizers import Adam

    used, apply = [], Adam.apply_gradients

    def noted(optimizer, pairs):
        used.append(optimizer.learning_rate)
        return apply(optimizer, pairs)

    monkeypatch.setattr(Adam, "apply_gradients", noted)
    found = find_learning_rate(small_net(), data, POLICY, lowest=1e-6, highest=1e-3, steps=10)
    assert used[-len(found.rates) :] == pytest.approx(found.rates.tolist())


def test_losses_are_running_means_of_each_batch():
    losses = np.array([3.0, 1.0, 2.0])
    expected = [3.0, (0.9 * 3 + 1) / 1.9, (0.81 * 3 + 0.9 + 2) / 2.71]
    np.testing.assert_allclose(running_mean(losses), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("means", "position"), [([3, 2, 1, 1.05, 2], 3), ([3, 2, 1], 2), ([1, 2, 3], 0), ([2, 1, 1.2, 1.0, 1.0], 1)]
)
def test_the_suggestion_lies_before_the_rise(means, position):
    assert last_before_the_rise(np.array(means, float)) == position


def test_the_plot_is_a_drawing(tmp_path):
    rates = np.logspace(-5, -1, 9)
    found = RateRange(rates, np.linspace(2, 1, 9), 1e-2)
    found.plot(tmp_path / "rates.svg")
    root = ElementTree.parse(tmp_path / "rates.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1e-5", "1e-1", "suggested 0.01", "learning rate", "loss"} <= set(texts)
    (curve,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    assert len(curve.attrib["points"].split()) == 9
    with pytest.raises(FileAccessError):
        found.plot(tmp_path / "nowhere" / "rates.svg")
    with pytest.raises(ArgumentError, match=r"\.svg file; its name is '.*rates.png'"):
        found.plot(tmp_path / "rates.png")
    assert not (tmp_path / "rates.png").exists()


@pytest.mark.parametrize(("suggestion", "anchor"), [(1e-5, "start"), (9e-2, "end")])
def test_the_label_of_the_suggestion_lies_inside_the_drawing(suggestion, anchor):
    (label,) = (line for line in rate_plot([1e-5, 1e-1], [2.0, 1.0], suggestion).splitlines() if "suggested" in line)
    assert f'text-anchor="{anchor}"' in label


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"policy": Policy(unfreeze=None)}, "head alone"),
        ({"lowest": 0.0}, "lowest"),
        ({"highest": 1e-9}, "highest"),
        ({"steps": 1}, "steps"),
    ],
)
def test_bad_arguments_are_refused(data, options, said):
    with pytest.raises(ArgumentError, match=said):
        find_learning_rate(small_net(), data, **{"policy": POLICY} | options)
