"""What the cursor of a lane grid selects: a lane, a row, a model, a provider, a column or everything."""

from __future__ import annotations

import pytest
from widget_fakes import shown

from widgets.lane_grid import LaneGrid
from widgets.lane_selection import Selection
from widgets.lane_values import GridCell, GridData, GridRow
from widgets.made_up import fake_grid

pytestmark = pytest.mark.anyio

CELL = GridCell(1, 9, 1.0, "busy")
DATA = GridData(
    ("key0", "key1"),
    (
        GridRow("azure", "alpha", "alpha", (CELL, CELL)),
        GridRow("azure", "alpha", "alpha-2", (CELL, None)),
        GridRow("lab", "beta", "beta", (CELL, CELL)),
    ),
)


async def test_left_of_the_first_column_the_row_is_selected_and_headings_are_reached() -> None:
    grid = LaneGrid(DATA)
    async with shown(grid, (60, 10)) as seen:
        await seen.press("h")
        assert grid.selection == Selection("row", "azure", "alpha")
        assert grid.highlighted is None
        assert seen.lines[3].startswith(">")
        await seen.press("k")
        assert grid.selection == Selection("family", "azure", "alpha")
        await seen.press("k")
        assert grid.selection == Selection("group", "azure")
        await seen.press("k")
        assert grid.selection == Selection("all")
        assert seen.lines[0].startswith(">deployment")
        await seen.press("k", "h", "j", "j", "j", "j", "j")
        assert grid.selection == Selection("group", "lab")
        await seen.press("l")
        assert grid.selection == Selection("cell", "lab", "beta", "key0")
        told = [
            (message.kind, message.group, message.name, message.column)
            for message in seen.tells(LaneGrid.SelectionChanged)
        ]
        assert told[:3] == [
            ("row", "azure", "alpha", ""),
            ("family", "azure", "alpha", ""),
            ("group", "azure", "", ""),
        ]
        assert told[-1] == ("cell", "lab", "beta", "key0")
        assert [message.name for message in seen.tells(LaneGrid.LaneHighlighted)] == ["beta"]


async def test_above_the_first_row_the_column_is_selected() -> None:
    grid = LaneGrid(DATA)
    async with shown(grid, (60, 10)) as seen:
        await seen.press("l", "k")
        assert grid.selection == Selection("column", column="key1")
        assert ">key1" in seen.lines[0].replace(" ", "")
        await seen.press("h")
        assert grid.selection == Selection("column", column="key0")
        await seen.press("j")
        assert grid.selection == Selection("cell", "azure", "alpha", "key0")
        await seen.press("k", "h")
        assert grid.selection == Selection("all")


async def test_home_and_pages_stay_among_the_rows() -> None:
    grid = LaneGrid(fake_grid(40, 12, 1))
    async with shown(grid) as seen:
        await seen.press("G", "g")
        assert grid.selection == Selection("cell", "azure", "model-0", "key0")
        await seen.press("pageup", "pageup")
        assert grid.selection == Selection("cell", "azure", "model-0", "key0")
        await seen.press("pagedown", "h")
        assert grid.selection is not None
        assert grid.selection.kind == "row"
        await seen.press("pageup", "pageup")
        assert grid.selection == Selection("group", "azure")


async def test_v_goes_from_the_lane_over_row_and_column_to_everything_and_back() -> None:
    grid = LaneGrid(DATA)
    async with shown(grid, (60, 10)) as seen:
        await seen.press("j", "v")
        assert grid.selection == Selection("row", "azure", "alpha-2")
        await seen.press("v")
        assert grid.selection == Selection("column", column="key0")
        await seen.press("v")
        assert grid.selection == Selection("all")
        await seen.press("v")
        assert grid.selection == Selection("cell", "azure", "alpha-2", "key0")
        assert not grid.following


async def test_a_selection_stays_on_what_it_selects_when_rows_and_columns_come_and_go() -> None:
    grid = LaneGrid(DATA)
    async with shown(grid, (60, 10)) as seen:
        await seen.press("h", "k")
        more = GridData(
            ("new", *DATA.columns), tuple(row._replace(cells=(None, *row.cells)) for row in DATA.rows)
        )
        first = GridRow("aaa", "aaa", "aaa", (CELL, None, None))
        grid.show(more._replace(rows=(first, *more.rows)))
        assert grid.selection == Selection("family", "azure", "alpha")
        await seen.press("l", "l", "k", "k", "k", "k")
        assert grid.selection == Selection("column", column="key0")
        grid.show(DATA)
        assert grid.selection == Selection("column", column="key0")
        grid.show(GridData())
        assert grid.selection is None
        grid.show(DATA)
        assert grid.selection == Selection("cell", "azure", "alpha", "key0")


async def test_a_move_of_the_cursor_paints_two_lines() -> None:
    grid = LaneGrid(fake_grid(40, 4, 1))
    async with shown(grid, (160, 48)) as seen:
        await seen.press("j")
        assert sorted({region.y for region in seen.painted}) == [3, 4]
        assert seen.whole == 0
