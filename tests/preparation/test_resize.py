"""Resize rules: exact pixels of small cases, and the way through metadata and back."""

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minicnn.data import ResizeRule
from minicnn.errors import ArgumentError, MinicnnError, ShapeError


def grey(rows):
    return np.repeat(np.array(rows, np.uint8)[..., None], 3, axis=2)


WIDE = grey([[10, 20, 30, 40, 50, 60], [10, 20, 30, 40, 50, 60]])


@pytest.mark.parametrize(
    ("size", "method", "ratio", "expected"),
    [
        ((2, 6), "stretch", 1.0, [[10, 20, 30, 40, 50, 60]] * 2),
        ((2, 2), "crop", 1.0, [[30, 40]] * 2),
        ((1, 1), "crop", 1.0, [[35]]),
        ((2, 1), "crop", 1.0, [[35]] * 2),
        ((1, 6), "crop", 1.0, [[10, 20, 30, 40, 50, 60]]),
        ((1, 1), "crop", 0.5, [[35]]),
        ((6, 6), "pad", 1.0, [[0] * 6] * 2 + [[10, 20, 30, 40, 50, 60]] * 2 + [[0] * 6] * 2),
        ((2, 8), "pad", 1.0, [[0, 10, 20, 30, 40, 50, 60, 0]] * 2),
    ],
)
def test_exact_pixels(size, method, ratio, expected):
    assert np.array_equal(ResizeRule(size, method, ratio).apply_to_array(WIDE), grey(expected))


def test_ratio_keeps_the_centre():
    """Half of an 8x8 picture at its own scale is the 4x4 in its middle."""
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    assert np.array_equal(ResizeRule(4, "crop", 0.5).apply_to_array(pixels), pixels[2:6, 2:6])


def test_halving_averages():
    """The bilinear filter for half the size weighs 1/8, 3/8, 3/8, 1/8; at the edge what is left of it."""
    line = grey([[0, 80, 160, 240, 80, 0, 240, 80]])
    expected = [
        (3 * 0 + 3 * 80 + 160) / 7,
        (80 + 3 * 160 + 3 * 240 + 80) / 8,
        (240 + 3 * 80 + 3 * 0 + 240) / 8,
        (0 + 3 * 240 + 3 * 80) / 7,
    ]
    result = ResizeRule((1, 4), "stretch").apply_to_array(line)[0, :, 0]
    assert np.abs(result - np.array(expected)).max() <= 0.51


@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(1, 9),
    st.sampled_from(["stretch", "crop", "pad"]), st.floats(0.01, 1.0),
)  # fmt: skip
@example(29, 29, 7, 7, "crop", 1.0)  # 29 / 7 * 7 > 29
def test_any_shape(height, width, rows, columns, method, ratio):
    rule = ResizeRule((rows, columns), method, ratio if method == "crop" else 1.0)
    result = rule.apply_to_array(np.full((height, width, 3), 77, np.uint8))
    assert result.shape == (rows, columns, 3)
    assert set(np.unique(result)) - {0} == {77}
    if method != "pad":
        assert result.min() == 77


@pytest.mark.parametrize(
    ("method", "ratio", "source", "factor"),
    [
        ("crop", 1.0, (1, 1), 224), ("crop", 0.5, (1, 1), 448), ("crop", 1.0, (3000, 2), 112),
        ("crop", 1.0, (448, 900), 0.5),
        ("stretch", 1.0, (3000, 2), 112), ("stretch", 1.0, (448, 448), 0.5),
        ("pad", 1.0, (3000, 2), 224 / 3000), ("pad", 1.0, (2, 4), 56),
    ],
)  # fmt: skip
def test_how_many_times_a_picture_is_enlarged(method, ratio, source, factor):
    assert ResizeRule(224, method, ratio).enlargement(source) == pytest.approx(factor)


def test_metadata_round_trip():
    rule = ResizeRule((224, 160), "crop", 0.875)
    assert ResizeRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    assert ResizeRule(224) == ResizeRule((224, 224), "crop", 1.0)


@pytest.mark.parametrize(
    "arguments",
    [
        (0,), ((224,),), ((1, 2, 3),), (2.5,), (True,), (10**6,), ("224",),
        (8, "squash"), (8, "crop", 0), (8, "crop", 1.5), (8, "crop", float("nan")), (8, "crop", "1"), (8, "pad", 0.5),
    ],
)  # fmt: skip
def test_wrong_arguments(arguments):
    with pytest.raises(ArgumentError, match=r"resize|picture size"):
        ResizeRule(*arguments)


@pytest.mark.parametrize("values", [None, {}, {"size": [8, 8]}, {"size": 8, "method": "pad", "ratio": 1, "x": 1}])
def test_wrong_metadata(values):
    with pytest.raises(MinicnnError, match="a resize rule has"):
        ResizeRule.from_dict(values)


def test_wrong_array():
    with pytest.raises(ShapeError, match=r"uint8 \(H, W, 3\), got float32 \(4, 4, 3\)"):
        ResizeRule(8).apply_to_array(np.zeros((4, 4, 3), np.float32))
