"""The table for editing: typing, checking as one types, clearing, stepping, and what it tells."""

from __future__ import annotations

import pytest
from textual import events
from widget_fakes import shown

from widgets.edit_cells import EditCell, EditColumn, EditRow, stepped
from widgets.edit_table import EditTable
from widgets.text_buffer import TextBuffer

pytestmark = pytest.mark.anyio

COLUMNS = (EditColumn("workers", "workers"), EditColumn("qps", "qps", step=0.5, none_text="none"))
ROWS = (
    EditRow("head", "limits"),
    EditRow("open", "open fixed", (EditCell("50"), EditCell("", note="no limit on the rate"))),
    EditRow("shut", "closed fixed", (EditCell("6", changed=True), EditCell("2.5", read_only=True))),
)


def whole(row: str, column: str, text: str) -> str | None:
    if not text:
        return "workers are needed" if column == "workers" else None
    return (
        None if text.replace(".", "").isdigit() and float(text) > 0 else f"{text!r} is not a number above 0"
    )


def table(**options: object) -> EditTable:
    return EditTable(COLUMNS, ROWS, corner="class", check=whole, **options)


def edits(seen) -> list[tuple[str, str, str]]:
    return [(told.row, told.column, told.text) for told in seen.tells(EditTable.CellEdited)]


async def test_cells_stand_under_titles_with_marks_for_cursor_change_and_none() -> None:
    async with shown(table(), (50, 6)) as seen:
        await seen.press("j")
        assert seen.lines == [
            " class          workers       qps",
            " limits",
            ">open fixed         >50      none",
            " closed fixed         6*      2.5",
            "",
            "",
        ]
        await seen.press("l")
        assert seen.lines[2] == ">open fixed          50     >none"
        assert seen.lines[-1] == "no limit on the rate"
        await seen.press("l", "h", "k", "enter")
        assert seen.widget.highlighted is None  # a heading has no cells
        assert not seen.widget.editing


async def test_enter_edits_what_is_there_and_enter_again_accepts_it() -> None:
    async with shown(table(), (50, 6)) as seen:
        await seen.press("j", "enter")
        assert "[50 ]" in seen.lines[2]
        assert seen.lines[-1] == "enter accepts, esc gives up"
        await seen.press("backspace", "5", "left", "j")
        assert "[5j5]" not in seen.lines[2]
        assert seen.lines[-1] == "! '5j5' is not a number above 0"
        assert "[5j5!" in seen.lines[2]
        await seen.press("enter")
        assert seen.widget.editing
        assert edits(seen) == []
        await seen.press("backspace", "enter")
        assert edits(seen) == [("open", "workers", "55")]
        assert ">55*" in seen.lines[2]
        assert seen.lines[-1] == ""


async def test_a_digit_begins_anew_and_escape_gives_up() -> None:
    async with shown(table(), (50, 6)) as seen:
        await seen.press("j", "7", "0")
        assert "[70 ]" in seen.lines[2]
        await seen.press("escape")
        assert ">50 " in seen.lines[2] + " "
        await seen.press("8", "down")
        assert edits(seen) == [("open", "workers", "8")]
        assert seen.widget.highlighted == ("shut", "workers")
        assert seen.tells(EditTable.CellHighlighted)[-1].row == "shut"


async def test_a_digit_does_nothing_where_digits_belong_to_somebody_else() -> None:
    async with shown(table(digits_begin=False), (50, 6)) as seen:
        await seen.press("j", "7")
        assert not seen.widget.editing


async def test_a_cell_is_cleared_stepped_and_kept_where_it_may_not_change() -> None:
    async with shown(table(), (50, 6)) as seen:
        await seen.press("j", "plus", "plus", "minus", "delete")
        assert edits(seen) == [("open", "workers", text) for text in ("51", "52", "51")]
        assert seen.lines[-1] == "! workers are needed"
        assert ">51!" in seen.lines[2]
        await seen.press("l")
        assert seen.lines[-1] == "no limit on the rate"
        await seen.press("plus")
        assert seen.lines[-1] == "! no number to step: press enter and type one"
        seen.told.clear()
        await seen.press("j", "delete", "enter", "9", "plus")
        assert edits(seen) == []
        assert seen.lines[-1] == "! this cell cannot be edited"
        assert not seen.widget.editing


async def test_what_is_pasted_is_one_line_of_text() -> None:
    async with shown(table(), (50, 6)) as seen:
        await seen.press("j", "1")
        seen.widget.post_message(events.Paste("2\x1b[31m3\nrest"))
        await seen.pilot.pause()
        await seen.pilot.pause()
        assert "[12[31m3" in seen.lines[2]
        assert seen.lines[-1].startswith("!")


async def test_new_rows_keep_the_cursor_and_what_is_being_typed() -> None:
    edit = table()
    async with shown(edit, (50, 7)) as seen:
        await seen.press("j", "1", "2")
        edit.show(COLUMNS, (EditRow("new", "new", (EditCell("1"), EditCell("2"))), *ROWS))
        assert "[12 ]" in seen.lines[3]
        edit.show(COLUMNS, ROWS[2:])
        assert not edit.editing
        assert edit.highlighted == ("shut", "workers")


async def test_equal_rows_paint_nothing_and_a_key_paints_its_line_and_the_one_beneath() -> None:
    edit = table()
    async with shown(edit, (50, 7)) as seen:
        await seen.press("j", "1")
        seen.forget()
        edit.show(COLUMNS, list(ROWS))
        assert (seen.painted, seen.whole) == ([], 0)
        await seen.press("x")
        assert {region.y for region in seen.painted} == {2, 6}
        assert seen.whole == 0


async def test_long_and_wide_text_stays_in_bounds() -> None:
    wide = (EditRow("w", "模型" * 8, (EditCell("长" * 20), EditCell("[b]1[/b]"))),)
    edit = EditTable(COLUMNS, wide)
    async with shown(edit, (40, 5)) as seen:
        assert all(edit.render_line(y).cell_length == 39 for y in range(5))
        await seen.press("enter", *"1234567890" * 4)
        assert all(edit.render_line(y).cell_length == 39 for y in range(5))
        assert "890" in seen.lines[1]
        await seen.press("home", "x", "enter")
        assert edits(seen)[0][2].startswith("x长")


@pytest.mark.parametrize("size", [(60, 15), (20, 5), (5, 2), (1, 1)])
async def test_any_size_does(size: tuple[int, int]) -> None:
    async with shown(table(), size) as seen:
        await seen.press("j", "l", "1", "enter", "plus", "delete", "G")
        assert all(len(line) <= size[0] for line in seen.lines)


@pytest.mark.parametrize(
    ("text", "step", "after"),
    [
        ("50", 1, "51"),
        ("0", -1, "0"),
        ("0.1", 0.2, "0.3"),
        ("2.5", 0.5, "3"),
        ("1,000", 1, "1001"),
        ("", 1, None),
        ("x", 1, None),
    ],
)
def test_a_step_keeps_numbers_short_and_not_below_nought(text: str, step: float, after: str | None) -> None:
    assert stepped(text, step) == after


def test_a_buffer_shows_what_is_round_its_cursor() -> None:
    assert TextBuffer("abcdef", 6).window(4) == ("def", " ", "")
    assert TextBuffer("abcdef", 0).window(4) == ("", "a", "bcd")
    assert TextBuffer("ab", 1).pressed("ctrl+u", None) == TextBuffer("b", 0)
    assert TextBuffer("ab", 1).pressed("f5", None) is None


async def test_keys_that_come_in_one_burst_are_typed_in_their_order_and_into_their_cells() -> None:
    """Over a slow line many keys arrive in one read; none waits for what the one before it does."""
    async with shown(table(), (50, 6)) as seen:
        for key in [
            "down",
            "enter",
            "7",
            "enter",
            "down",
            "9",
            "0",
            "enter",
            "plus",
            "up",
            "right",
            "1",
            "enter",
        ]:
            seen.pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await seen.pilot.pause()
        assert edits(seen) == [
            ("open", "workers", "507"),
            ("shut", "workers", "90"),
            ("shut", "workers", "91"),
            ("open", "qps", "1"),
        ]
