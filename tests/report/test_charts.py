"""Charts: every point where it belongs, nothing that is not a number in the drawing."""

import itertools
import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minicnn.report.charts import (
    BOTTOM,
    DOT,
    HEIGHT,
    LABEL_GAP,
    TOP,
    WIDTH,
    Border,
    Line,
    epoch_ticks,
    fold_chart,
    line_chart,
    nice_ticks,
)
from minicnn.report.plots import rate_chart

finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(finite, st.floats(1e-6, 1e6))
def test_ticks_cover_the_range_with_few_round_steps(low, width):
    high = low + width
    assume(width > 1e-9 * abs(low))
    ticks = nice_ticks(low, high)
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + 1e-6 * width
    assert ticks[-1] >= high - 1e-6 * width
    assert 3 <= len(ticks) <= 8
    assert [b - a for a, b in itertools.pairwise(ticks)] == pytest.approx([step] * (len(ticks) - 1), rel=1e-3)


def test_ticks_of_one_value_still_have_a_width():
    assert nice_ticks(3.0, 3.0)[0] < 3 < nice_ticks(3.0, 3.0)[-1]


@given(st.integers(1, 500))
def test_epoch_ticks_are_whole_and_hold_first_and_last(epochs):
    ticks = epoch_ticks(epochs)
    assert ticks[0] == 1
    assert ticks[-1] == epochs
    assert all(isinstance(tick, int) for tick in ticks)
    assert ticks == sorted(set(ticks))


def draw(*values, **options):
    lines = [Line(f"line{i}", "training", v) for i, v in enumerate(values)]
    return line_chart("chart", lines, lambda value: f"{value:.2g}", **options)


def curve_points(markup):
    return [
        [tuple(map(float, p)) for p in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", d)]
        for d in re.findall(r' d="([^"]*)"', markup)
    ]


def test_higher_values_are_drawn_higher_and_the_ends_span_the_axis():
    (points,) = curve_points(draw([0.0, 0.5, 1.0], bounds=(0.0, 1.0)))
    ys = [y for _, y in points]
    assert ys == pytest.approx([HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2, TOP])


def test_a_value_that_is_not_finite_leaves_a_gap():
    markup = draw([1.0, math.nan, 3.0, 4.0, math.inf])
    assert "nan" not in markup
    assert "inf" not in markup
    (path,) = re.findall(r' d="([^"]*)"', markup)
    assert path.count("M") == 2


def test_a_curve_without_any_number_is_drawn_empty():
    assert curve_points(draw([math.nan, math.nan])) == [[]]


def test_labels_at_the_ends_do_not_touch():
    markup = draw([0.5, 0.5], [0.4, 0.5], [0.3, 0.5])
    heights = sorted(float(y) for y in re.findall(r'y="([-\d.]+)" class="name', markup))
    assert len(heights) == 3
    assert all(b - a >= LABEL_GAP - 0.11 for a, b in itertools.pairwise(heights))


@pytest.mark.parametrize("value", [0.00088, 1.23e-05, 1234.5])
def test_no_label_sticks_out_of_the_drawing(value):
    markup = line_chart("chart", [Line("validation", "validation", [1.0, value])], lambda v: f"{v:.3g}")
    ((x, said, name),) = re.findall(r'<text x="([\d.]+)"[^>]*class="name[^>]*>([^<]*)<tspan[^>]*>([^<]*)<', markup)
    assert (said, name) == (f"{value:.3g}", "validation")
    widest = 0.56 * 12 * max(len(said), len(name))  # a bold letter at 12 px is 0.56 em wide on average
    assert float(x) + widest <= WIDTH + 4


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_the_border_lies_between_its_epochs_and_names_both_phases(epoch):
    markup = draw([1.0, 2.0, 3.0, 4.0], border=Border(epoch, "head", "fine-tuning"))
    (points,) = curve_points(markup)
    (x,) = map(float, re.findall(r'x1="([\d.]+)"[^>]*class="border"', markup))
    assert points[epoch - 1][0] < x < points[epoch][0]
    names = re.findall(r'<text x="([\d.]+)"[^>]*class="phase[^>]*>([^<]*)<', markup)
    (before, head), (after, fine) = names
    assert (head, fine) == ("head", "fine-tuning")
    assert float(before) < x < float(after)


def test_one_epoch_is_one_dot():
    assert draw([0.5]).count("<circle") == 1


def test_folds_are_dots_inside_the_drawing():
    markup = fold_chart([0.6, 0.65, 0.7], 0.65, (0.52, 0.78), (0.5, 0.8))
    xs = [float(x) for x in re.findall(r'cx="([\d.]+)"', markup)]
    assert len(xs) == 3
    assert xs == sorted(xs)
    assert 0 < xs[0] < xs[-1] < 440


@pytest.mark.parametrize("values", [[0.6, 0.7, 0.7, 0.7001, 0.65], [1.0] * 5, [0.5, 0.5], [1.0] * 60])
def test_every_fold_is_seen_where_values_coincide(values):
    markup = fold_chart(values, 0.7, (0.6, 0.8), (0.5, 1.0))
    places = [tuple(map(float, p)) for p in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', markup)]
    (height,) = map(float, re.findall(r'viewBox="0 0 440 (\d+)"', markup))
    assert len(set(places)) == len(values)
    assert all(DOT < y < height - 26 - DOT for _, y in places)
    if len(values) < 6:
        assert all(math.dist(a, b) >= 2 * DOT for a, b in itertools.combinations(places, 2))


def test_a_rate_that_falls_to_nothing_ends_on_a_floor_that_says_so():
    drawing = rate_chart([("head", [0.01] * 3), ("fine-tuning", [5e-4, 2e-5, 0.0])])
    *_, (last, floor) = [tuple(map(float, point)) for point in re.findall(r"L([\d.]+) ([\d.]+)", drawing)]
    assert last == 440 - 16, "the last of six epochs"
    said = {text: float(y) for y, text in re.findall(r'y="([\d.]+)"[^>]*class="tick end">([^<]+)<', drawing)}
    assert said["0"] == floor == 250 - 36
    assert sorted(said, key=said.__getitem__)[-2:] == ["1e-5", "0"]


def test_rates_that_never_are_nothing_have_their_logarithms():
    drawing = rate_chart([("fine-tuning", [1e-3, 1e-5, 1e-7])])
    assert ">0<" not in drawing
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", drawing.split("curve")[0].rpartition("d=")[2])]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)
