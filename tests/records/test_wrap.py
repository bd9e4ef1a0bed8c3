from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.records.text_table import cells
from console.records.wrap import wrapped


def test_lines_break_at_spaces_and_keep_their_own_ends() -> None:
    assert wrapped("one two three\nfour", 9) == ["one two", "three", "four"]
    assert wrapped("one two three\nfour", 11, "  ", "> ") == ["  one two", "  > three", "  four"]


def test_a_word_that_is_too_long_is_broken_anywhere() -> None:
    assert wrapped("abcdefghij k", 4) == ["abcd", "efgh", "ij k"]
    assert wrapped("    abcdefgh", 8) == ["    abcd", "efgh"]


def test_wide_characters_take_two_columns() -> None:
    assert wrapped("订单文件有十二行", 7) == ["订单文", "件有十", "二行"]


def test_hostile_text_reaches_no_terminal() -> None:
    assert wrapped("a\x1b[31mred\x1b[0m\r\nb\u202ec\tz", 40) == ["a␛red␛", "b�c    z"]


def test_nothing_is_one_empty_line() -> None:
    assert wrapped("", 10) == [""]
    assert wrapped("a\n\nb", 10) == ["a", "", "b"]


@given(text=st.text(alphabet="ab 订é\u0301\n\x1b\t"), width=st.integers(12, 30))
def test_no_line_is_too_wide_and_nothing_but_space_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width, "  ", "  ")
    assert all(cells(line) <= width for line in lines)
    kept = "".join("".join(lines).split())
    assert kept == "".join("".join(wrapped(text, 10_000)).split())
