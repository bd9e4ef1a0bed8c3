"""What a lane grid shows of a lane: its quantities, its states, its marks, and what a filter leaves."""

from __future__ import annotations

import pytest
from widget_fakes import shown

from widgets.lane_grid import LaneGrid
from widgets.lane_lines import spared
from widgets.lane_values import ASCII_MARKS, GLYPHS, LEGEND, GridCell, GridData, GridRow, Quantity
from widgets.made_up import fake_grid

pytestmark = pytest.mark.anyio

FAST = GridCell(31, 50, 8.25, "busy", 1240.0, 240.0, 0, 12.5, moved=1)
SLOW = GridCell(2, 50, 0.5, "throttled", 64.0, 1420.0, 7, 0.75, moved=-1)
BY_HAND = GridCell(6, 6, 1.5, "full", 90.0, 95.4, 0, 10.0, changed=True)
LEASED = GridCell(0, 50, 0.0, "leased", qps=12.5, leased_by="5.2/3")
REFUSED = GridCell(0, 50, 0.0, "quarantined", errors=3, qps=12.5)
DATA = GridData(
    ("key0", "key1"),
    (
        GridRow("azure", "alpha", "alpha", (FAST, SLOW)),
        GridRow("azure", "beta", "beta", (BY_HAND, LEASED)),
        GridRow("azure", "gamma", "gamma", (None, REFUSED)),
    ),
)


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (
            "in-flight",
            """azure       in flight  r/s     key0         r/s     key1         r/s
>alpha         33/100  8.8>   31/50↑███▊    8.2 !   2/50↓▎      0.50
 beta            6/56  1.5 ^    6/6*██████  1.5 =  5.2/3           0
 gamma            0/0    0                      #   0/50           0
 total         39/156   10    37/56 ████    9.8    2/100 ▏      0.50""",
        ),
        (
            "qps",
            """azure         req/s       key0                  key1
>alpha       8.8/13>    8.2/12↑██████▋    !0.50/0.75↓██████▋
 beta        1.5/22 ^   1.5/10*█▌         =    5.2/3
 gamma          0/0                       #     0/12
 total        10/36     9.8/22 ████▍         0.50/13 ▍""",
        ),
        (
            "tokens",
            """azure       tok/s  key0   key1
>alpha       1304> 1240↑ !  64↓
 beta          90 ^  90* =5.2~
 gamma          0        #   0
 total       1394  1330     64""",
        ),
        (
            "ttft",
            """azure       TTFT p95 max   key0    key1
>alpha             1.42s> 240ms↑ !1.42s↓
 beta               95ms ^ 95ms* =5.2/3
 gamma                 ?         #    ?
 total             1.42s  240ms   1.42s""",
        ),
        (
            "errors",
            """azure       errors key0  key1
>alpha           7>   0↑ !  7↓
 beta            0 ^  0* =5.~
 gamma           3       #  3
 total          10    0    10""",
        ),
    ],
)
async def test_each_quantity_has_its_figures_totals_and_a_bar_where_it_has_a_limit(
    quantity: Quantity, text: str
) -> None:
    grid = LaneGrid(DATA)
    async with shown(grid, (70, 5)) as seen:
        grid.quantity = quantity
        assert "\n".join(seen.lines) == text


async def test_marks_and_states_have_ascii_forms_that_do_not_clash() -> None:
    assert len(set(GLYPHS.values())) == len(GLYPHS) - 1  # busy and sums are blank
    assert not {*ASCII_MARKS} & {*GLYPHS.values()}
    assert all(glyph in LEGEND for glyph in GLYPHS.values())
    grid = LaneGrid(DATA, ascii_only=True)
    async with shown(grid, (70, 5)) as seen:
        text = "\n".join(seen.lines)
        assert text.isascii()
        assert "31/50/" in text
        assert "2/50\\" in text
        assert "6/6*" in text


async def test_a_change_of_quantity_keeps_the_cursor_and_an_equal_one_paints_nothing() -> None:
    grid = LaneGrid(DATA)
    async with shown(grid, (70, 5)) as seen:
        await seen.press("j", "l")
        grid.quantity = "ttft"
        assert grid.highlighted == ("azure", "beta", "key1")
        seen.forget()
        grid.quantity = "ttft"
        grid.show(GridData(DATA.columns, DATA.rows))
        assert (seen.painted, seen.whole) == ([], 0)
        changed = FAST._replace(tokens_per_s=9.0, errors=4)
        grid.show(GridData(DATA.columns, (DATA.rows[0]._replace(cells=(changed, SLOW)), *DATA.rows[1:])))
        assert (seen.painted, seen.whole) == ([], 0)  # nothing of it is shown


async def test_a_filter_keeps_rows_and_columns_and_totals_are_of_what_is_shown() -> None:
    grid = LaneGrid(fake_grid(40, 12, 1))
    async with shown(grid, (80, 24)) as seen:
        grid.filter("AZURE model-1 @key3 @KEY4")
        text = seen.lines
        assert text[0].split()[4:] == ["key3", "r/s", "key4", "r/s"]
        assert [line.strip("> ").split()[0] for line in text[1:5]] == [
            "model-1",
            "model-1",
            "model-1-2",
            "model-1-3",
        ]
        assert text[5].startswith(" shown")
        assert text[6] == "filter: AZURE model-1 @key3 @KEY4   3 of 40 rows"
        assert grid.highlighted is not None
        grid.show(fake_grid(40, 12, 2))
        assert seen.lines[6] == "filter: AZURE model-1 @key3 @KEY4   3 of 40 rows"
        grid.filter("nothing such")
        assert seen.lines[0] == "nothing matches `nothing such`: empty the filter to see all 40 rows"
        assert grid.selection is None
        await seen.press("j", "l", "v", "f")
        grid.filter("@nowhere")
        assert seen.lines[0].startswith("nothing matches")
        grid.filter("")
        assert seen.lines[-1].startswith(" total")
        assert grid.highlighted == ("azure", "model-0", "key0")
        assert len(grid.data.rows) == 40


async def test_wide_names_keep_their_columns() -> None:
    rows = tuple(
        GridRow("云端服务", "模型", f"模型-七十亿-指令-调优-版本-{n}", (GridCell(n, 9), GridCell(1, 9)))
        for n in range(3)
    )
    grid = LaneGrid(GridData(("密钥0", "a"), rows))
    async with shown(grid, (50, 8)) as seen:
        assert all(grid.render_line(y).cell_length == 49 for y in range(8))
        assert len({line.split("/")[0] for line in seen.lines[2:5]}) == 3
        for size in ((40, 8), (20, 5), (10, 3)):
            await seen.pilot.resize_terminal(*size)
            await seen.pilot.pause()
            assert all(grid.render_line(y).cell_length == size[0] - 1 for y in range(size[1]))


def test_the_worst_stretch_of_a_line_has_its_colour_and_the_others_are_bold() -> None:
    assert spared(["", "warn", "", "bad", "bad", "warn"]) == ["", "strong", "", "bad", "bad", "strong"]
    assert spared(["warn", "warn", "", "warn"]) == ["warn", "warn", "", "strong"]
    assert spared(["bad", "", "bad", "", ""]) == ["bad", "", "strong", "", ""]
    assert spared(["muted", "", "muted", "", "muted", "", "muted"])[-1] == ""
    assert spared(["", "", ""]) == ["", "", ""]
