"""How figures, spans and names are written for a reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.report.words import axis_percent, duration, shortened

pytestmark = pytest.mark.numpy_only


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0004, "0.4 ms"),
        (0.012, "12 ms"),
        (0.099, "99 ms"),
        (0.0999, "0.10 s"),
        (0.874, "0.87 s"),
        (0.999, "1.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 0 s"),
        (61, "1 min 1 s"),
        (3600, "1 h 0 min"),
    ],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_a_share_on_an_axis_has_a_digit_only_where_it_needs_one():
    assert [axis_percent(share) for share in (0.6, 0.985, 1.0, 0.0417)] == ["60%", "98.5%", "100%", "4.2%"]


def test_what_all_names_begin_with_is_left_out_when_they_are_long():
    assert shortened(["collection_2019_daisy_early", "collection_2019_rose_late"]) == ["…daisy_early", "…rose_late"]
    assert shortened(["red_a", "red_b"]) == ["red_a", "red_b"]
    assert shortened(["collection_of_roses"], 12) == ["col…of_roses"]


@given(st.lists(st.text("ab_", min_size=1, max_size=90), min_size=1, max_size=6, unique=True))
def test_shortened_names_are_as_many_as_the_names(names):
    cut = shortened(names)
    assert len(set(cut)) == len(names)
    assert all(len(short) <= len(name) for short, name in zip(cut, names))
