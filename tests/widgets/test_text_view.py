"""The view of a long text: it scrolls by keys, and what is sought in it is marked and gone through."""

from __future__ import annotations

import pytest
from widget_fakes import shown

from widgets.text_view import TextView

pytestmark = pytest.mark.anyio

LINES = tuple(
    ((f"line {number} ", "muted"), ("Needle" if number in (3, 30, 60) else "hay", "")) for number in range(80)
)


async def test_it_scrolls_by_lines_pages_and_to_both_ends() -> None:
    async with shown(TextView(LINES), (40, 10)) as view:
        assert view.lines[0].startswith("line 0 ")
        await view.press("j", "j", "down")
        assert view.lines[0].startswith("line 3 ")
        await view.press("k")
        assert view.lines[0].startswith("line 2 ")
        await view.press("pagedown")
        assert view.lines[0].startswith("line 11 ")
        await view.press("G")
        assert view.lines[-1].startswith("line 79 ")
        await view.press("g")
        assert view.lines[0].startswith("line 0 ")


async def test_what_is_sought_is_found_whatever_its_case_and_gone_through_round_and_round() -> None:
    async with shown(TextView(LINES), (40, 10)) as view:
        view.widget.find("needle")
        await view.pilot.pause()
        assert view.lines[-1] == "search: needle   line 1 of 3"
        assert view.widget.match_count == 3
        assert view.widget.line_at(3, 40)[-1] == ("Needle", "cursor")
        assert view.widget.line_at(30, 40)[-1] == ("Needle", "heading")
        await view.press("enter")
        assert any("line 30 Needle" in line for line in view.lines)
        await view.press("backspace", "backspace")
        assert view.lines[-1] == "search: needle   line 3 of 3"
        await view.press("enter")
        assert view.lines[-1] == "search: needle   line 1 of 3"
        view.widget.find("[nothing(")
        await view.pilot.pause()
        assert view.lines[-1] == "search: [nothing(   nowhere"
        view.widget.find("")
        await view.pilot.pause()
        assert "search" not in view.lines[-1]


async def test_a_match_over_the_seam_of_two_styles_is_marked_in_both() -> None:
    async with shown(TextView([(("say", "accent"), ("ing so", ""))]), (40, 4)) as view:
        view.widget.find("ying")
        assert view.widget.line_at(0, 40) == (("sa", "accent"), ("ying", "cursor"), (" so", ""))


async def test_other_lines_come_from_the_top_unless_the_place_is_kept() -> None:
    async with shown(TextView(LINES), (40, 10)) as view:
        await view.press("G")
        view.widget.show_lines(LINES[:70], keep_place=True)
        await view.pilot.pause()
        assert view.lines[-1].startswith("line 69 ")
        view.widget.show_lines(LINES)
        await view.pilot.pause()
        assert view.lines[0].startswith("line 0 ")
