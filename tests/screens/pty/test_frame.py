"""What the frame sends, read by a terminal, shows what was asked for; and nothing in it steers the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from seeds import examples
from terminal_screen import TerminalScreen
from textual.strip import Strip

from benchmarks.grid_stage import GridApp, busy_grid
from console.screens.frame import Frame
from widgets.lane_grid import LaneGrid

WIDTH, HEIGHT = 24, 4
STYLES = [
    Style.parse(text)
    for text in (
        "none",
        "bold",
        "dim",
        "bold dim red",
        "reverse",
        "reverse #ff0000 on #00ff00",
        "underline blue",
        "italic strike",
        "#102030 on #405060",
        "bold #102030 on #405060",
        "white on #405060",
        "overline on black",
    )
]
texts = st.text(
    st.sampled_from("ab   ─█世🙂e\u0301│x\x1b\x9b\u202e\x07\n\x00\ud800"), min_size=1, max_size=10
)
segments = st.lists(st.builds(Segment, texts, st.sampled_from(STYLES)), min_size=1, max_size=4)
updates = st.lists(st.tuples(st.integers(0, HEIGHT - 1), segments), min_size=1, max_size=8)


def shown(screen: TerminalScreen) -> list[list[tuple[str, object]]]:
    """What can be seen: a blank has no ink unless it is reversed or has a line."""
    return [
        [
            (
                cell,
                (look[0] & {4, 7, 9, 21, 53}, look[1] if look[0] & {4, 7, 9, 21, 53} else "", look[2])
                if cell == " "
                else look,
            )
            for cell, look in zip(cells, looks, strict=True)
        ]
        for cells, looks in zip(screen.cells, screen.looks, strict=True)
    ]


def filled(parts: list[Segment]) -> list[Segment]:
    """As a strip comes from the compositor: exactly as wide as the screen, no wide character cut in two."""
    return list(Strip([Segment(text, style) for text, style, _ in parts]).adjust_cell_length(WIDTH))


@given(updates)
@settings(max_examples=examples(300), deadline=None)
def test_what_differs_makes_the_same_picture_as_writing_all(updates) -> None:
    frame, screen = Frame(ColorSystem.TRUECOLOR), TerminalScreen(WIDTH, HEIGHT)
    rows = [[Segment(" " * WIDTH)] for _ in range(HEIGHT)]
    screen.feed(frame.paint(WIDTH, HEIGHT, [(y, 0, row) for y, row in enumerate(rows)]).encode())
    for y, parts in updates:
        rows[y] = filled(parts)
        screen.feed(frame.paint(WIDTH, HEIGHT, [(y, 0, rows[y])]).encode())
        whole = TerminalScreen(WIDTH, HEIGHT)
        anew = Frame(ColorSystem.TRUECOLOR)
        whole.feed(anew.paint(WIDTH, HEIGHT, [(y, 0, row) for y, row in enumerate(rows)]).encode())
        assert shown(screen) == shown(whole)
        assert screen.foreign == []
        assert screen.look == (frozenset(), "", "")


def test_an_equal_update_sends_nothing() -> None:
    frame = Frame(ColorSystem.TRUECOLOR)
    update = [(0, 0, [Segment("text ", STYLES[5]), Segment("世界", STYLES[2])])]
    assert frame.paint(WIDTH, HEIGHT, update)
    assert frame.paint(WIDTH, HEIGHT, update) == ""
    frame.forget()
    assert frame.paint(WIDTH, HEIGHT, update)


def test_one_changed_figure_costs_a_few_bytes() -> None:
    frame = Frame(ColorSystem.TRUECOLOR)
    style = STYLES[8]
    frame.paint(80, 24, [(0, 0, [Segment("in flight 133/200", style)])])
    assert frame.paint(80, 24, [(0, 0, [Segment("in flight 134/200", style)])]) == (
        "\x1b[1;13H\x1b[38;2;16;32;48;48;2;64;80;96m4\x1b[m"
    )


@pytest.mark.anyio
@pytest.mark.parametrize(("size", "most"), [((80, 24), 2_500), ((160, 48), 8_000)])
async def test_a_grid_with_half_of_its_lanes_in_trouble_leaves_room_for_the_rest_of_a_screen(
    size, most
) -> None:
    pictures = [busy_grid(60, 12, seed, troubled=0.43) for seed in range(4)]
    grid, frame = LaneGrid(pictures[0]), Frame(ColorSystem.TRUECOLOR)
    costs = []
    async with GridApp(grid).run_test(size=size) as pilot:
        await pilot.pause()
        for picture in pictures:
            grid.show(picture)
            lines = [(y, 0, list(grid.render_line(y))) for y in range(grid.size.height)]
            costs.append(len(frame.paint(*size, lines).encode()))
    assert max(costs[1:]) <= most, costs
    assert min(costs[1:]) > most / 3, "the figures did not change"


def test_without_colours_none_is_sent() -> None:
    frame = Frame(None)
    sent = frame.paint(WIDTH, HEIGHT, [(0, 0, [Segment("x", style) for style in STYLES])])
    screen = TerminalScreen(WIDTH, HEIGHT)
    screen.feed(sent.encode())
    assert not screen.colours
    assert screen.looks[0][1][0] == {1}


@pytest.mark.parametrize(
    "cluster",
    ["👩\u200d👧", "~\u200d👧", "👍🏽", "❤️", "🇩🇪", "क\u094d\u200dष", "각", "e\u0301\u0301", "\u200d世"],
)
def test_what_comes_behind_a_cluster_stands_at_its_place_however_wide_a_terminal_takes_it(cluster) -> None:
    shown, size = f"<{cluster}", cell_len(f"<{cluster}")
    sent = Frame(ColorSystem.TRUECOLOR).paint(
        40, 2, [(0, 0, [Segment(f"{shown}|"), Segment("x" * (39 - size))])]
    )
    screen = TerminalScreen(40, 2)  # it takes each character by itself
    screen.feed(sent.encode())
    assert screen.cells[0][size] == "|"
    assert not {"👧", "🏽"} & set(screen.text)


@pytest.mark.parametrize(
    "evil",
    [
        "\x1b]52;c;aGk=\x07",
        "\x1b[31m",
        "\x9b2J",
        "\x9d0;x\x9c",
        "a\u202eb",
        "\x07",
        "\x00",
        "\ud800",
        "\u2028",
        "\ufeff",
    ],
)
def test_nothing_that_steers_a_terminal_leaves_it(evil) -> None:
    sent = Frame(ColorSystem.TRUECOLOR).paint(40, 2, [(0, 0, [Segment(f"<{evil}>")])])
    body = sent.removeprefix("\x1b[1;1H")
    assert body.isprintable()
    screen = TerminalScreen(40, 2)
    screen.feed(sent.encode())
    assert screen.foreign == []
    assert screen.text.startswith("<")
