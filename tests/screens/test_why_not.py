"""A key that does nothing now says why, in one line, on the screen and in the help."""

from __future__ import annotations

import pytest
from fakes import RUN_DIR, FakeWatch, Told, opened, snapshot

from console.app import StartAt
from console.screens.help import help_lines
from console.screens.live.needs import RunEnd

pytestmark = pytest.mark.anyio
SILENT = {"back", "clear", "next_below", "open_detail", "resume_run", "pause_run", "edit", "open_results"}
"""Actions of keys that do something else where these are not offered, or whose absence needs no word."""


@pytest.mark.parametrize(
    ("place", "keys", "reason"),
    [
        ("launch", "R", "nothing is chosen yet: Space checks a phase"),
        ("launch", "u", "nothing has been changed"),
        ("launch", "space w", "there is no plan yet"),
        ("profiles", "D", "nothing differs from the file"),
        ("profiles", "d", "only a profile of yours can be renamed or deleted"),
        ("profiles", "e n", "a new one is made from the list"),
        ("results", "n", "this goes from test to test"),
        ("results", "t", "the overview is no table"),
        ("runs", "down a", "the run is over: Enter shows its results"),
        ("runs", "d", "a live run is not deleted"),
        ("capacity", "s", ""),
    ],
)
async def test_a_key_that_does_nothing_says_why(place, keys, reason, until) -> None:
    told = Told(end=RunEnd("finished", 0, 800, 800))
    if "w" in keys:
        told.plan = lambda *_: None
    app = opened(told, StartAt(place, RUN_DIR))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(
            pilot, {"results": "integrity", "profiles": "effective totals", "runs": "live"}.get(place, "1 ")
        )
        before = app.screen
        await pilot.press(*keys.split())
        await until(pilot, reason or place.upper())
        assert app.screen is before


@pytest.mark.parametrize(
    ("watch", "key", "reason"),
    [
        (FakeWatch(snapshot(state="stopping")), "plus", "the run is stopping"),
        (FakeWatch(snapshot(state="draining")), "d", "the run is draining: s stops it now"),
        (FakeWatch(snapshot(lanes=())), "o", "the cursor is on no lane"),
    ],
)
async def test_live_says_why_a_run_is_not_steered(watch, key, reason, until) -> None:
    told = Told(watch)
    app = opened(told, StartAt("live", RUN_DIR))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, "5.1")
        await pilot.press(key)
        await until(pilot, reason)
        assert watch.sent == []
        told_of = "".join(text for part in help_lines(app.screen, ()) for text, _ in part.line)
        assert reason in told_of


@pytest.mark.parametrize("place", ["profiles", "launch", "live", "results", "runs"])
async def test_no_key_that_is_not_offered_is_without_a_reason(place, until) -> None:
    app = opened(Told(FakeWatch(None), live_run=None, empty=True), StartAt(place))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, place.upper())
        screen = app.screen
        active = {each.binding.action for each in screen.active_bindings.values() if each.enabled}
        actions = {
            each.action for keys in screen._bindings.key_to_bindings.values() for each in keys
        } - active
        names = {action.partition("(")[0] for action in actions if not action.startswith("app.")}
        assert {name for name in names - SILENT if not screen.why_not(name)} == set()
        assert names - SILENT
