"""Elements of HTML and SVG as functions: whatever is not already markup is escaped."""

import html


class Markup(str):
    """Text that is markup already and is not escaped again."""


def element(name: str, /, *children: str, **attributes: object) -> Markup:
    """
    One element; children that are not Markup are escaped, attributes always are.

    An attribute that is None is left out; `class_` means class and `stroke_width` means stroke-width.

    Examples
    --------
    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    described = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in ("img", "meta", "wbr"):
        return Markup(f"<{name}{described}>")
    return Markup(f"<{name}{described}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """
    The children one after the other, each escaped unless it is Markup.

    Examples
    --------
    >>> join("<", element("b", "x"))
    '&lt;<b>x</b>'
    """
    return Markup("".join(child if isinstance(child, Markup) else html.escape(str(child)) for child in children))


def table(header: list[str], rows: list[list[str]], **attributes: object) -> Markup:
    """A table whose first column names its row; every other cell knows its column's name, for narrow pages."""
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in header)))
    body = [
        element(
            "tr",
            element("th", first, scope="row"),
            *(element("td", value, data_label=name) for name, value in zip(header[1:], rest)),
        )
        for first, *rest in rows
    ]
    return element("table", head, element("tbody", *body), **attributes)


def abbreviation(short: str, full: str) -> Markup:
    """A shortened name that shows the full one when pointed at; a line may end after _, but not after …."""
    *parts, last = short.replace("…", "…\N{WORD JOINER}").split("_")
    pieces = [join(f"{part}_", element("wbr")) for part in parts]
    return element("span", *pieces, last, title=full if short != full else None)


def bar(share: float) -> Markup:
    """A share as a percentage over a bar of that length."""
    return element("span", f"{share:.1%}", class_="bar", style=f"--share:{share:.1%}")


def section(title: str, note: str, *children: str) -> Markup:
    """A heading, a few sentences that explain it, and the content."""
    head = element("header", element("h2", title), element("p", note) if note else Markup())
    return element("section", head, *children)
