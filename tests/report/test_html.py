"""Markup: text is always escaped, once."""

import html
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from minicnn.report.html import Markup, abbreviation, element, join, table


class Reader(HTMLParser):
    """Collects the text and the elements that a browser would see."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text, self.elements = [], []

    def handle_data(self, data):
        self.text.append(data)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return "".join(reader.text), reader.elements


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_any_text_comes_back_as_the_same_text_and_no_element(text):
    assert read(element("p", text)) == (text, [("p", {})])


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_any_attribute_comes_back_as_the_same_attribute(text):
    assert read(element("p", title=text))[1] == [("p", {"title": text})]


def test_markup_is_not_escaped_again():
    assert element("p", element("b", "a&b"), "<") == "<p><b>a&amp;b</b>&lt;</p>"
    assert join(Markup("<i>"), "<i>") == "<i>&lt;i&gt;"


def test_attribute_names_and_absent_attributes():
    assert element("line", stroke_width=2, class_="x", x1=None) == '<line stroke-width="2" class="x"></line>'
    assert element("img", alt="") == '<img alt="">'


def test_first_column_of_a_table_names_its_row_and_cells_know_their_column():
    markup = table(["File", "Reason"], [["<a>", "b"]])
    assert f'<th scope="row">{html.escape("<a>")}</th><td data-label="Reason">b</td>' in markup


def test_a_shortened_name_keeps_the_full_one_as_its_title():
    assert abbreviation("a…z", "a<z") == '<span title="a&lt;z">a…\N{WORD JOINER}z</span>'
    assert abbreviation("a", "a") == "<span>a</span>"
    assert abbreviation("a<_b", "a<_b") == "<span>a&lt;_<wbr>b</span>"
