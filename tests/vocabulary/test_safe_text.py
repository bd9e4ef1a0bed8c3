"""Whatever comes from outside, nothing that could steer a terminal or hide in a line passes the choke point."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.vocabulary.safe_text import MOST_MARKS, safe_line, safe_text

PIECES = st.sampled_from(
    [
        "\x1b]52;c;aGk=\x07",
        "\x1b]0;title",
        "\x1b[31m",
        "\x1b[",
        "\x1bP+q\x1b\\",
        "\x1b_apc",
        "\x9b2J",
        "\x9d0;x\x9c",
        "\x90q",
        "\x1b",
        "\x1b\x1b",
        "\\",
        "[red]",
        "[@click=app.bell]x[/]",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\U000e0041",
        "\ud800",
        "\x00",
        "\x07",
        "\n",
        "\r",
        "\t",
        "e" + "\u0301" * 9,
        "世",
        "👩\u200d👧",
        "\u0600",
        "ok",
    ]
)
texts = st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map("".join)
limits = st.none() | st.integers(-1, 12)
ALLOWED = {"\n", "\t", "\u200c", "\u200d"}


def harmless(character: str) -> bool:
    return character in ALLOWED or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")


@given(texts, limits)
def test_nothing_that_steers_is_left_whatever_stands_beside_it(text, limit) -> None:
    made = safe_text(text, limit)
    assert all(map(harmless, made))
    assert not set(made) & set(
        "\x1b\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\u2060\ufeff\u00ad"
    )
    assert not any("\U000e0000" <= character <= "\U000e0fff" for character in made)


@given(texts, limits)
def test_what_is_safe_stays_as_it_is(text, limit) -> None:
    made = safe_text(text, limit)
    assert safe_text(made, limit) == made
    assert safe_text(made) == made


@given(texts, st.integers(0, 20))
def test_it_is_never_longer_than_its_limit(text, limit) -> None:
    assert len(safe_text(text, limit)) <= limit
    assert len(safe_line(text, limit)) <= limit


@given(texts)
def test_a_line_is_one_line(text) -> None:
    assert safe_line(text).splitlines() in ([], [safe_line(text)])
    assert "\t" not in safe_line(text)


@given(
    st.text(
        st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u115f\u1160\u3164\uffa0\u1734"),
        max_size=40,
    )
)
def test_letters_and_signs_of_all_scripts_pass(text) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a\x1b]0;owned\x07b", "a␛b"),
        ("a\x1b]0;never ended", "a␛"),
        ("a\x9d0;x\x9cb", "a␛b"),
        ("\x1b[1;31mred\x1b[0m", "␛red␛"),
        ("\x1bPq#0;1\x1b\\b", "␛b"),
        ("a\rb\x00c", "a�b�c"),
        ("abc\u202edef", "abc�def"),
        ("[red]x[/]", "[red]x[/]"),
        ("👩\u200d👧 ok", "👩\u200d👧 ok"),
        ("naïve 世界", "naïve 世界"),
        ("pay\u200bpal", "pay�pal"),
    ],
)
def test_examples(text, made) -> None:
    assert safe_text(text) == made


def test_a_flood_of_marks_is_cut() -> None:
    made = safe_text("a" + "\u0301\u0489" * 500 + "b")
    assert made == "a" + "\u0301\u0489" * (MOST_MARKS // 2) + "b"


def test_a_long_text_is_cut_before_it_costs_time() -> None:
    made = safe_line("x" * 10_000_000, 50)
    assert made == "x" * 49 + "…"
