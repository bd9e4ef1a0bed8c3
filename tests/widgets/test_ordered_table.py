"""The table that is sorted by its owner: it asks, and shows the old order until it has the new one."""

from __future__ import annotations

import pytest
from widget_fakes import shown

from widgets.ordered_table import OrderedTable
from widgets.table_rows import RowsFrom, SortBy, TableColumn, TableRow

pytestmark = pytest.mark.anyio

COLUMNS = (TableColumn("name"), TableColumn("figure", "right"))
ROWS = tuple(TableRow(name, (name, figure)) for name, figure in (("b", "2"), ("a", "3"), ("c", "1")))


async def test_a_sort_and_a_filter_are_asked_for_and_nothing_moves_until_they_come() -> None:
    async with shown(OrderedTable(empty_text="none"), (40, 6)) as table:
        table.widget.take(COLUMNS, ROWS, range(3))
        await table.press("j", "greater_than_sign")
        (asked,) = table.tells(OrderedTable.OrderWanted)
        assert (asked.sort, asked.filter_text) == (SortBy(0), "")
        assert [line[1:2] for line in table.lines[1:4]] == ["b", "a", "c"]
        table.widget.take(COLUMNS, ROWS, [1, 0, 2], sort=SortBy(0), cursor=1)
        await table.pilot.pause()
        assert [line[:2] for line in table.lines[1:4]] == [" a", ">b", " c"]
        assert "name ▲" in table.lines[0]
        assert table.widget.index == 0
        table.widget.filter(" c ")
        await table.pilot.pause()
        assert table.tells(OrderedTable.OrderWanted)[-1].filter_text == "c"
        table.widget.take(COLUMNS, ROWS, [2], sort=SortBy(0), filter_text="c", cursor=7, noun="letters")
        await table.pilot.pause()
        assert table.lines[1].split() == [">c", "1"]
        assert table.lines[-1] == "filter: c   1 of 3 letters"
        assert table.widget.highlighted == "c"


async def test_without_rows_it_says_what_it_is_told_to_say() -> None:
    async with shown(OrderedTable(empty_text="none"), (40, 4)) as table:
        assert table.lines[0] == "none"
        table.widget.set_empty_text("press x")
        table.widget.take(COLUMNS, (), range(0))
        await table.pilot.pause()
        assert table.lines[1] == "press x"
        assert table.widget.index is None


async def test_rows_that_lead_nowhere_are_not_offered_to_enter() -> None:
    async with shown(OrderedTable(), (40, 6)) as table:
        table.widget.take(COLUMNS, ROWS, range(3), can_choose=False)
        await table.press("enter")
        assert table.tells(OrderedTable.RowChosen) == []
        table.widget.take(COLUMNS, ROWS, range(3))
        await table.press("enter")
        assert [told.row_id for told in table.tells(OrderedTable.RowChosen)] == ["b"]


async def test_a_hundred_thousand_rows_are_made_only_where_they_are_seen() -> None:
    made: list[int] = []

    def row(number: int) -> TableRow:
        made.append(number)
        return TableRow(str(number), (f"row {number}", str(number)))

    async with shown(OrderedTable(), (40, 10)) as table:
        table.widget.take(COLUMNS, RowsFrom(100_000, row), range(100_000)[::-1], cursor=99_999)
        await table.pilot.pause()
        assert table.lines[-1].startswith(">row 0")
        assert len(made) < 1_000
