"""Kernels of conv2d in the orders that rungs read: panels, and turned around."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")
from minicnn.kernels._jit import jit
from minicnn.kernels._simd import COLUMNS
from minicnn.kernels._transpose import LANES, transpose_square
from minicnn.kernels.conv2d._panels import pack_panels, pack_turned, turn
from minicnn.kernels.conv2d.cpu_winograd import evaluate_kernel, evaluate_turned

pytestmark = pytest.mark.no_jit
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 40), st.integers(1, 40))


@jit
def turn_square(source, at, row, target, to, target_row):
    transpose_square(source, at, row, target, to, target_row)


def numbers(*shape: int) -> np.ndarray:
    return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)


@given(SHAPES)
def test_turned_kernels_have_taps_in_reverse_and_channels_for_filters(shape):
    taps_h, taps_w, groups, channels, filters = shape
    w = numbers(taps_h, taps_w, channels, groups * filters)
    split = w.reshape(taps_h, taps_w, channels, groups, filters)[::-1, ::-1]
    expected = split.transpose(0, 1, 4, 3, 2).reshape(taps_h, taps_w, filters, groups * channels)
    np.testing.assert_array_equal(turn(w, groups), expected)


@given(SHAPES)
def test_panels_hold_filters_side_by_side_and_zeros_after_the_last(shape):
    taps_h, taps_w, groups, channels, filters = shape
    w = numbers(taps_h, taps_w, channels, groups * filters)
    panels = pack_panels(w, groups).reshape(groups, -1, taps_h * taps_w * channels, COLUMNS)
    for group in range(groups):
        row = np.concatenate(list(panels[group]), axis=1)
        np.testing.assert_array_equal(row[:, :filters], w.reshape(-1, groups, filters)[:, group])
        assert not row[:, filters:].any()


@given(SHAPES)
def test_kernels_are_turned_while_they_are_packed(shape):
    taps_h, taps_w, groups, channels, filters = shape
    w = numbers(taps_h, taps_w, channels, groups * filters)
    np.testing.assert_array_equal(pack_turned(w, groups), pack_panels(turn(w, groups), groups))


@pytest.mark.parametrize("m", [2, 4])
@pytest.mark.parametrize(("channels", "filters"), [(1, 1), (COLUMNS, 4 * LANES), (COLUMNS + 1, 4 * LANES + 1), (70, 3)])
def test_kernels_are_turned_while_they_are_evaluated(m, channels, filters):
    w = np.random.default_rng(0).standard_normal((3, 3, channels, filters), np.float32)
    np.testing.assert_array_equal(evaluate_turned(w, m), evaluate_kernel(turn(w, 1), m))


def test_a_square_is_turned_where_it_lies():
    source, target = numbers(LANES + 2, LANES + 3), np.zeros((LANES + 4, LANES + 1), np.float32)
    turn_square(source.reshape(-1), LANES + 4, LANES + 3, target.reshape(-1), LANES + 1, LANES + 1)
    np.testing.assert_array_equal(target[1 : LANES + 1, :LANES], source[1 : LANES + 1, 1 : LANES + 1].T)
    assert not target[LANES + 1 :].any()
    assert not target[0].any()
