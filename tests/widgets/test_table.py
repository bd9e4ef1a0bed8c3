"""The table: what it shows, its order, its keys, and that a hundred thousand rows cost no more than those in sight."""

from __future__ import annotations

import math

import pytest
from widget_fakes import shown

from widgets.table import Table
from widgets.table_rows import RowsFrom, SortBy, TableColumn, TableRow, number_in, order_of

pytestmark = pytest.mark.anyio

COLUMNS = (
    TableColumn("model"),
    TableColumn("tests", "right", numeric=True),
    TableColumn("TTFT", "right", numeric=True),
    TableColumn("why"),
)


def row(name: str, tests: str, ttft: str, why: str = "") -> TableRow:
    return TableRow(name, (name, tests, ttft, why))


ROWS = (row("beta", "1,204", "90 ms"), row("alpha", "98", "1,100 ms", "slow"), row("gamma", "5k", ""))


async def test_a_heading_stands_over_aligned_columns_and_the_cursor_is_seen_without_colours() -> None:
    async with shown(Table(COLUMNS, ROWS), (60, 6)) as table:
        assert table.lines == [
            " model      tests      TTFT  why",
            ">beta       1,204     90 ms",
            " alpha         98  1,100 ms  slow",
            " gamma         5k",
            "",
            "",
        ]


async def test_a_column_is_chosen_by_angle_brackets_and_s_inverts() -> None:
    async with shown(Table(COLUMNS, ROWS, ascii_only=True), (60, 6)) as table:
        names = lambda: [line.split()[0].lstrip(">") for line in table.lines[1:4]]  # noqa: E731
        await table.press("greater_than_sign")
        assert names() == ["alpha", "beta", "gamma"]
        assert "model ^" in table.lines[0]
        await table.press("greater_than_sign")
        assert names() == ["alpha", "beta", "gamma"]  # 98, 1204, 5000: by number and not by text
        await table.press("s")
        assert names() == ["gamma", "beta", "alpha"]
        assert "tests v" in table.lines[0]
        await table.press("less_than_sign", "less_than_sign")
        assert table.widget.sort is None
        assert names() == ["beta", "alpha", "gamma"]


async def test_the_cursor_stays_on_its_row_through_a_filter_and_new_rows_and_a_sort_shows_the_top() -> None:
    table = Table(COLUMNS, ROWS)
    async with shown(table, (60, 6)) as seen:
        await seen.press("j")
        assert table.highlighted == "alpha"
        table.sort_by(SortBy(0, descending=True))
        assert table.highlighted == "gamma"
        table.highlight("alpha")
        assert seen.lines[3].startswith(">alpha")
        table.filter("A ALPH")
        assert seen.lines[1].startswith(">alpha")
        table.filter("")
        table.show(COLUMNS, (row("zeta", "1", "1"), *ROWS))
        assert table.highlighted == "alpha"
        assert [found.id for found in table.rows_shown()] == ["zeta", "gamma", "beta", "alpha"]


async def test_a_filter_says_what_is_left_and_what_to_do_where_nothing_is() -> None:
    table = Table(COLUMNS, ROWS, noun="tests")
    async with shown(table, (70, 6)) as seen:
        table.filter("slow")
        assert [line.split()[0] for line in seen.lines[1:2]] == [">alpha"]
        assert seen.lines[-1] == "filter: slow   1 of 3 tests"
        table.filter("nowhere")
        assert "nothing matches `nowhere`: empty the filter to see all 3 tests" in seen.lines[1]
        assert table.highlighted is None
        await seen.press("enter", "space", "j", "G")
        assert seen.tells(Table.RowChosen) == []


async def test_enter_chooses_space_marks_and_moving_tells_the_row_once() -> None:
    table = Table(COLUMNS, ROWS, can_mark=True)
    async with shown(table, (60, 6)) as seen:
        await seen.press("space", "space", "enter")
        assert seen.lines[1].startswith(" *beta")
        assert seen.lines[3].startswith("> gamma")
        assert table.marked == {"beta", "alpha"}
        assert [told.row_id for told in seen.tells(Table.RowHighlighted)][-1] == "gamma"
        assert [told.row_id for told in seen.tells(Table.RowChosen)] == ["gamma"]
        assert seen.tells(Table.MarksChanged)[-1].row_ids == {"beta", "alpha"}
        await seen.press("k", "space")
        assert table.marked == {"beta"}


async def test_columns_move_sideways_behind_the_first_one() -> None:
    columns = tuple(TableColumn(f"column{n}", "right") for n in range(9))
    rows = [TableRow("r", ("name", *(f"{n}" * 7 for n in range(1, 9))))]
    async with shown(Table(columns, rows), (50, 4)) as table:
        assert table.lines[0].endswith(">")
        assert "column8" not in table.lines[0]
        await table.press(*["l"] * 12)
        assert "column8" in table.lines[0]
        assert "<" in table.lines[0]
        assert table.lines[1].split()[:2] == [">", "name"]
        assert table.lines[1].endswith("8888888")
        await table.press(*["h"] * 12)
        assert "column1" in table.lines[0]
        assert "<" not in table.lines[0]


async def test_a_hundred_thousand_rows_are_made_only_where_they_are_seen() -> None:
    made: list[int] = []

    def at(index: int) -> TableRow:
        made.append(index)
        return row(f"row{index}", str(index), "1")

    table = Table(COLUMNS, RowsFrom(100_000, at))
    async with shown(table) as seen:
        made.clear()
        await seen.press("G")
        assert table.highlighted == "row99999"
        assert seen.lines[-1].startswith(">row99999")
        assert len(set(made)) < 100
        assert min(made) == 0 or min(made) > 99_000


async def test_keys_of_a_column_may_be_given_apart_from_costly_rows() -> None:
    asked: list[int] = []

    def keys_of(column: int) -> list[float]:
        asked.append(column)
        return [-float(index) for index in range(50_000)]

    table = Table()
    async with shown(table) as seen:
        table.show(COLUMNS, RowsFrom(50_000, lambda n: row(f"row{n}", "", "")), keys_of=keys_of)
        table.sort_by(SortBy(1))
        assert seen.lines[1].startswith(">row49999")
        assert asked == [1]


async def test_equal_rows_paint_nothing_and_one_changed_cell_paints_no_further_than_itself() -> None:
    table = Table(COLUMNS, ROWS)
    async with shown(table, (60, 8)) as seen:
        table.show(COLUMNS, [row(*found.cells) for found in ROWS])
        assert (seen.painted, seen.whole) == ([], 0)
        table.show(COLUMNS, (ROWS[0], row("alpha", "99", "1,100 ms", "slow"), ROWS[2]))
        assert [(region.x, region.y, region.right) for region in seen.painted] == [(0, 2, 17)]
        assert seen.whole == 0


async def test_wide_characters_and_markup_stay_in_their_columns() -> None:
    rows = [row("模型" * 3, "1", "[red]2[/red]"), row("abc", "22", "3")]
    table = Table(COLUMNS, rows)
    async with shown(table, (44, 5)) as seen:
        assert "[red]2[/red]" in seen.lines[1]
        for y in range(5):
            assert table.render_line(y).cell_length == 43  # and the scroll bar
        await seen.pilot.resize_terminal(16, 5)
        await seen.pilot.pause()
        assert "~" in seen.lines[1]
        assert all(table.render_line(y).cell_length == 15 for y in range(5))


@pytest.mark.parametrize("size", [(60, 15), (20, 5), (5, 2), (1, 1)])
async def test_any_size_does(size: tuple[int, int]) -> None:
    table = Table(COLUMNS, ROWS, can_mark=True)
    async with shown(table, size) as seen:
        table.filter("a")
        await seen.press("j", "l", "s", "greater_than_sign", "G", "g", "space")
        assert len(seen.lines) == size[1]
        if size[1] >= 2:
            assert any("ma" in line or "al" in line or ">" in line for line in seen.lines)


def test_what_is_not_known_comes_last_either_way_and_equals_keep_their_order() -> None:
    rows = [
        TableRow(str(n), (text,), (key,))
        for n, (text, key) in enumerate([("a", 2), ("b", None), ("c", 1), ("d", math.nan), ("e", 2)])
    ]
    columns = [TableColumn("x")]
    assert list(order_of(rows, columns, SortBy(0), "")) == [2, 0, 4, 1, 3]
    assert list(order_of(rows, columns, SortBy(0, descending=True), "")) == [0, 4, 2, 1, 3]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,204 ms", 1204),
        ("-3.5%", -3.5),
        ("12k", 12_000),
        ("x 7", 7),
        ("", None),
        ("?", None),
        (".5", 0.5),
        ("1e3", 1000),
    ],
)
def test_numbers_are_read_from_text(text: str, number: float | None) -> None:
    assert number_in(text) == number
