"""Pictures: well-formed, told in words, with text that stays inside."""

from __future__ import annotations

import sys
from xml.etree import ElementTree

import pytest

from console.charts.marks import mark
from console.charts.markup import element
from console.charts.palette import DARK, LIGHT, svg_style, variables
from console.charts.panel import Panel, runs
from console.charts.picture import Entry, across, folded, legend, picture, text_width
from console.charts.png import png_of
from console.charts.scale import linear, logarithmic
from console.vocabulary.errors import ConsoleError


def panel() -> Panel:
    return Panel(logarithmic([1, 100], 50, 450, room=1.0), linear([10], 200, 50), "requests/s")


def made(*, literal: bool = False) -> str:
    one = panel()
    return picture(
        [one.frame(x_ticks=one.x.ticks(), x_words=True), one.line([(1, 1), (10, 8), (100, 10)], "one")],
        width=500, height=260, title="a <curve>", told="it grows & stays", literal=literal,
    )  # fmt: skip


def test_a_picture_is_well_formed_and_tells_what_it_shows():
    root = ElementTree.fromstring(made())
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["viewBox"] == "0 0 500 260"
    assert root.find(f"{space}title").text == "a <curve>"
    assert root.find(f"{space}desc").text == "it grows & stays"
    words = [text.text for text in root.iter(f"{space}text")]
    assert words[0] == "requests/s"
    assert {"1", "10", "100", "0", "5"} <= set(words)
    assert root.find(f".//{space}path[@class='l-one']").attrib["d"] == "M50 187.5L250 100L450 75"


def test_colours_follow_the_reader_and_are_literal_where_nobody_reads_variables():
    assert "var(--one)" in made()
    assert "prefers-color-scheme:dark" in made()
    assert "@media print" in variables()
    assert "var(" not in made(literal=True)
    assert LIGHT["one"] in svg_style(literal=True)
    assert LIGHT.keys() == DARK.keys()


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("tone", ["ink", "dim", "one", "two", "pass", "fail", "open", "quota", "warn"])
@pytest.mark.parametrize("ground", ["ground", "panel"])
def test_every_tone_has_the_contrast_of_text_on_its_ground(colours, tone, ground):
    low, high = sorted((luminance(colours[tone]), luminance(colours[ground])))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_bands_break_where_nothing_is_known():
    assert runs([(1, (1, 2)), (2, None), (5, (3, 4)), (10, (3, 5))]) == [
        [(1, 1, 2)],
        [(5, 3, 4), (10, 3, 5)],
    ]
    one = panel()
    assert one.band([], [], "two") == ""
    assert "<rect" in one.band([(10, 2)], [(10, 4)], "two")
    assert one.band([(1, 2), (10, 2)], [(1, 4), (10, 6)], "two").count("L") == 3


def test_shapes_differ_without_their_colours():
    shapes = ("dot", "ring", "cross", "square", "diamond", "triangle")
    drawn = [
        mark(shape, 10, 10, "ink").replace("f-ink", "").replace("o-ink", "").replace("l-ink", "")
        for shape in shapes
    ]
    assert len(set(drawn)) == len(shapes)


def test_a_legend_wraps_and_words_across_fit():
    entries = [Entry(element("g"), word) for word in ("pass", "FAIL", "undecided", "95 % interval")]
    _, wide = legend(entries, 0, 0, 600)
    _, narrow = legend(entries, 0, 0, 150)
    assert wide < narrow
    size = float(ElementTree.fromstring(across("SIMULATED", 0, 0, 500, 700, "ink")).attrib["font-size"])
    assert text_width("SIMULATED", size) <= 1.05 * (500**2 + 700**2) ** 0.5


def test_long_texts_are_folded_and_cut():
    lines = folded("a name " * 40, 17, 300, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert all(text_width(line, 17) < 340 for line in folded("x" * 500, 17, 300, 2))


def test_a_png_is_drawn_with_its_text():
    pytest.importorskip("vl_convert")
    drawn = png_of(made(literal=True))
    assert drawn.startswith(b"\x89PNG")
    assert (int.from_bytes(drawn[16:20]), int.from_bytes(drawn[20:24])) == (1000, 520)
    blank = made(literal=True).replace("<text", "<g").replace("</text>", "</g>")
    assert drawn != png_of(blank), "the text is in the picture"


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ConsoleError, match="not installed") as caught:
        png_of(made(literal=True))
    assert "ultra-console[png]" in str(caught.value.hint)
