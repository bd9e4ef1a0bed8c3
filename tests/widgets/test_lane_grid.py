"""The lane grid: what it shows at several sizes, and that it paints only what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from widgets.lane_grid import LaneGrid
from widgets.lane_values import GridCell, GridData, GridRow, rate_text, sum_cells
from widgets.made_up import fake_grid

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class CountingGrid(LaneGrid):
    """Remembers which regions it was asked to paint."""

    def __init__(self, data: GridData) -> None:
        self.painted: list[Region] = []
        self.whole = 0
        super().__init__(data)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False):
        if regions:
            self.painted += regions
        else:
            self.whole += 1
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class Holder(App[None]):
    def __init__(self, grid: LaneGrid) -> None:
        super().__init__()
        self.grid = grid
        self.told: list[LaneGrid.LaneHighlighted] = []

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_lane_grid_lane_highlighted(self, message: LaneGrid.LaneHighlighted) -> None:
        self.told.append(message)


@asynccontextmanager
async def shown(
    data: GridData, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[CountingGrid, object]]:
    grid = CountingGrid(data)
    app = Holder(grid)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        grid.painted.clear()
        grid.whole = 0
        yield grid, pilot


def lines(grid: LaneGrid) -> list[str]:
    return [grid.render_line(y).text.rstrip() for y in range(grid.size.height)]


def small(first: GridCell | None = None, second: GridCell | None = None) -> GridData:
    return GridData(
        ("key0", "key1"),
        (
            GridRow("azure", "alpha", "alpha", (first or GridCell(3, 50, 1.5, "busy"), None)),
            GridRow("azure", "alpha", "alpha-2", (GridCell(50, 50, 12.0, "full"), None)),
            GridRow(
                "lab",
                "beta",
                "beta",
                (GridCell(0, 2, 0.0, "parked"), second or GridCell(1, None, 0.2, "throttled")),
            ),
        ),
    )


async def test_rows_stand_under_their_provider_and_model_with_all_totals() -> None:
    async with shown(small(), (66, 10)) as (grid, _):
        assert lines(grid) == [
            "deployment  in flight  r/s     key0      r/s     key1      r/s",
            " azure         53/100   14   53/100 █▋    14",
            "  alpha        53/100   14   53/100 █▋    14",
            ">  alpha         3/50  1.5>    3/50 ▏    1.5",
            "   alpha-2      50/50   12 ^  50/50 ███   12",
            " lab                1 0.20      0/2        0        1     0.20",
            "  beta              1 0.20 x    0/2        0 !      1     0.20",
            " total             54   14   53/102 █▌    14        1     0.20",
            "",
            "",
        ]


async def test_totals_add_up_and_an_unlimited_lane_makes_its_sum_unlimited() -> None:
    fast = GridCell(4, 10, 2.0, tokens_per_s=8.0, ttft_p95_ms=90.0, errors=2, qps=5.0)
    slow = GridCell(3, 50, 1.0, tokens_per_s=1.5, ttft_p95_ms=400.0, errors=1, qps=2.0)
    assert sum_cells([slow, fast, None]) == GridCell(7, 60, 3.0, "sum", 9.5, 400.0, 3, 7.0)
    assert sum_cells([fast, GridCell()])[4:] == (8.0, 90.0, 2, None, 0, "", False)
    assert sum_cells([fast, GridCell(0, 9, state="quarantined", qps=9.0)])[1:8:6] == (10, 5.0)
    assert sum_cells([GridCell(3, 50), GridCell(4, None)]).limit is None
    assert sum_cells([GridCell(0, 50), GridCell(0, 50, 0.0, "off")]).limit == 50
    assert sum_cells([]).limit == 0


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (60, 15), (40, 10), (20, 5)])
@pytest.mark.parametrize("shape", [(60, 12), (20, 3), (1, 1)])
async def test_no_figure_is_cut_at_any_size(size: tuple[int, int], shape: tuple[int, int]) -> None:
    data = fake_grid(*shape, 1)
    async with shown(data, size) as (grid, _):
        row = data.rows[0]
        for line in lines(grid):
            assert len(line) <= size[0]
        if size[0] >= 40:
            cell = row.cells[0]
            assert cell is not None
            assert any(f"{cell.in_flight}/{cell.limit}" in line for line in lines(grid)) or cell.leased_by


async def test_equal_data_paints_nothing() -> None:
    async with shown(fake_grid(60, 12, 1)) as (grid, _):
        grid.show(fake_grid(60, 12, 1))
        assert grid.painted == []
        assert grid.whole == 0


async def test_a_change_too_small_to_be_seen_paints_nothing() -> None:
    async with shown(small(GridCell(3, 50, 1.51, "busy"))) as (grid, _):
        grid.show(small(GridCell(3, 50, 1.52, "busy")))
        assert grid.painted == []


async def test_each_changed_row_is_painted_as_one_region_and_no_further_than_it_changed() -> None:
    async with shown(small()) as (grid, _):
        grid.show(small(GridCell(4, 50, 1.5, "busy")))
        rows = [region.y for region in grid.painted]
        assert sorted(rows) == [1, 2, 3, 7]  # provider, model, the row itself, and the totals
        assert all(region.x == 0 and region.height == 1 for region in grid.painted)
        assert max(region.width for region in grid.painted) < 60
        assert grid.whole == 0


async def test_all_rows_changed_still_means_one_region_a_row() -> None:
    async with shown(fake_grid(60, 12, 1), (160, 48)) as (grid, _):
        before = [row.cells for row in grid.data.rows]
        grid.show(fake_grid(60, 12, 2))
        assert [row.cells for row in grid.data.rows] != before
        rows = [region.y for region in grid.painted]
        assert len(rows) == len(set(rows)) <= 47


async def test_rows_out_of_sight_are_not_painted() -> None:
    data = fake_grid(60, 2, 1)
    last = data.rows[-1]
    changed = last._replace(cells=(GridCell(7, 200, 1.0, "busy"), *last.cells[1:]))
    async with shown(data, (80, 12)) as (grid, _):
        grid.show(data._replace(rows=(*data.rows[:-1], changed)))
        assert {region.y for region in grid.painted} <= {11}  # the totals at most


async def test_the_cursor_moves_over_lanes_scrolls_and_tells_where_it_stands() -> None:
    async with shown(fake_grid(40, 12, 1)) as (grid, pilot):
        assert grid.highlighted == ("azure", "model-0", "key0")
        await pilot.press("j", "down", "l", "right")
        assert grid.highlighted == ("azure", "model-0-3", "key2")
        await pilot.press("G")
        for _ in range(12):
            await pilot.press("right")
        await pilot.pause()
        assert grid.highlighted == ("local", "model-13", "key11")
        text = lines(grid)
        assert "key11" in text[0]
        assert text[0].count("<key") == 1
        assert any(line.startswith(">") for line in text)
        assert grid.app.told[-1].column == "key11"
        await pilot.press("g")
        await pilot.pause()
        assert lines(grid)[1].startswith(" azure")


async def test_the_cursor_stays_on_its_lane_when_rows_come_before_it() -> None:
    async with shown(small()) as (grid, pilot):
        await pilot.press("down", "down", "right")
        assert grid.highlighted == ("lab", "beta", "key1")
        data = small()
        grid.show(data._replace(rows=(GridRow("azure", "zero", "zero", (GridCell(0, 1), None)), *data.rows)))
        assert grid.highlighted == ("lab", "beta", "key1")


async def test_no_rows_are_said_in_words() -> None:
    async with shown(GridData()) as (grid, pilot):
        assert lines(grid)[0] == "no lanes yet"
        await pilot.press("down", "right", "G")
        grid.show(small())
        await pilot.pause()
        assert grid.highlighted == ("azure", "alpha", "key0")


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0"),
        (0.004, "0"),
        (0.25, "0.25"),
        (0.96, "1.0"),
        (9.94, "9.9"),
        (9.96, "10"),
        (9999, "9999"),
        (123456, "123k"),
    ],
)
def test_a_rate_takes_at_most_four_characters(rate: float, text: str) -> None:
    assert rate_text(rate) == text
    assert len(text) <= 4
