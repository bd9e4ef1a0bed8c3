"""Nothing that a text holds becomes markup, whatever it holds."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from console.charts.markup import Markup, element, escaped, figure

HOSTILE = "</text><script>alert(\"1\")</script><img src=x onerror='go()'>&amp;\x1b[31m\x00]]>"


def test_texts_and_attributes_are_escaped_and_elements_are_not():
    made = element("g", element("text", HOSTILE, class_="s"), HOSTILE, data_name=HOSTILE, hidden=None)
    root = ElementTree.fromstring(made)
    assert [child.tag for child in root.iter()] == ["g", "text"]
    assert "<script>" not in made
    assert "\x1b" not in made
    assert root.find("text").text.startswith('</text><script>alert("1")')
    assert root.attrib.keys() == {"data-name"}


@given(st.text())
def test_any_text_is_well_formed_and_comes_back_without_what_no_page_may_hold(text):
    root = ElementTree.fromstring(element("p", text, title=text))
    kept = root.text or ""
    assert list(root) == []
    assert "\x1b" not in kept
    assert kept.replace("\n", "").isascii() or len(kept) <= len(text)


def test_markup_is_put_in_as_it_is_and_numbers_are_short():
    assert element("g", Markup("<b/>"), None, ["x", ["<"]]) == "<g><b/>x&lt;</g>"
    assert element("circle", cx=1 / 3, cy=2.0, r=-0.001) == '<circle cx="0.33" cy="2" r="0"/>'
    assert element("details", open=True) == "<details open></details>"
    assert [figure(value) for value in (10, 100.0, 0.5, -0.004)] == ["10", "100", "0.5", "0"]
    assert escaped(escaped("<")) == "&lt;"
