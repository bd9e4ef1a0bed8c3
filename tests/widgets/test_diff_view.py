"""A diff: marks that need no colours, moving sideways and from change to change."""

from __future__ import annotations

import pytest
from widget_fakes import shown

from widgets.diff_view import DiffView, tones_of

pytestmark = pytest.mark.anyio

DIFF = [
    "--- sim.toml",
    "+++ unsaved",
    "@@ -1,3 +1,3 @@",
    " [limits]",
    "-workers = 50",
    "+workers = 60  [b]# by hand[/b]",
    " x = 1",
    "@@ -9 +9 @@",
    "--- a line that began with two dashes",
    "+++ and one with pluses",
]


async def test_lines_keep_their_marks_and_markup_is_not_read() -> None:
    diff = DiffView(DIFF)
    async with shown(diff, (44, 12)) as seen:
        assert seen.lines[:10] == [">" + DIFF[0], *(" " + text for text in DIFF[1:])]
        assert (diff.added, diff.removed) == (2, 2)


def test_a_changed_line_is_not_taken_for_the_name_of_a_file() -> None:
    assert tones_of(DIFF) == ("strong", "strong", "accent", "", "bad", "good", "", "accent", "bad", "good")
    two = ["--- a", "+++ b", "@@ -1 +1 @@", "-x", "--- c", "+++ d", "@@ -1 +1 @@", "+y"]
    assert tones_of(two) == ("strong", "strong", "accent", "bad", "strong", "strong", "accent", "good")


async def test_long_lines_are_cut_marked_and_moved_sideways_behind_their_marks() -> None:
    diff = DiffView([*DIFF[:3], "+" + "0123456789" * 4, "-模型" * 9])
    async with shown(diff, (24, 6)) as seen:
        assert seen.lines[3].endswith("~")
        await seen.press("l")
        assert seen.lines[3].startswith(" +89012345")
        assert seen.lines[4].startswith(" -")
        await seen.press(*["l"] * 9)
        assert seen.lines[3].endswith("6789")
        assert seen.lines[0].startswith(">--- sim.toml")
        assert all(diff.render_line(y).cell_length == 23 for y in range(6))
        await seen.press(*["h"] * 12)
        assert seen.lines[3].startswith(" +0123")


async def test_n_goes_to_the_next_change() -> None:
    diff = DiffView(DIFF)
    async with shown(diff, (44, 12)) as seen:
        await seen.press("n")
        assert diff.cursor == 4
        await seen.press("n", "n")
        assert diff.cursor == 8
        await seen.press("N")
        assert diff.cursor == 4
        diff.show([])
        assert seen.lines[0] == "no differences"
        await seen.press("n", "l", "j")
