"""The profiles screen driven by keys, on profiles in memory."""

from __future__ import annotations

import pytest
from fakes import Told, opened
from fakes.profiles import MINE, FakeProfiles
from textual import events
from textual.widgets import Input

from console.app import StartAt
from console.screens.ask_line import AskLine
from console.screens.profiles.review import Review
from console.screens.profiles.screen import Profiles
from console.screens.question import Question
from console.vocabulary.errors import ConsoleError

pytestmark = pytest.mark.anyio

SIZES = [(80, 24), (160, 48)]
HERE = StartAt("profiles")
ids = ["narrow", "wide"]


def keys(text: str) -> list[str]:
    """The keys that type a text."""
    names = {" ": "space", "-": "minus", ".": "full_stop", ":": "colon", "/": "slash", "_": "underscore"}
    return [names.get(character, character) for character in text]


async def retype(pilot, text: str) -> None:
    await pilot.press("c", *keys(text))


async def choose(pilot, until, name: str) -> None:
    """Bring a profile to the front."""
    app = pilot.app
    await until(pilot, "effective totals")
    app.screen.picker.highlight(name)
    await until(pilot, lambda: app.screen.editor.name == name and name in app.screen.editor.drafts)


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_profiles_with_what_they_come_to(size, until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "50 × 3 = 150")
        shown = await until(pilot, "q quit")
        assert "SIMULATED" in shown
        golden(f"profiles-list-{size[0]}", shown)


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_an_edited_limit_is_marked_and_changes_the_totals(size, until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=size) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e")
        await retype(pilot, "100")
        await pilot.press("enter", "m")
        await pilot.press("u")
        shown = await until(pilot, "* 1 change not saved")
        assert "saved: 50" in shown
        golden(f"profiles-edited-{size[0]}", shown)
        assert app.session.changes == ("limits.azure.open.fixed.workers=100",)


async def test_totals_follow_what_is_typed_and_go_back_when_it_is_given_up(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e")
        await retype(pilot, "7")
        await until(pilot, "150 → 7 × 3 = 21")
        await pilot.press("0")
        await until(pilot, "70 × 3 = 210")
        await pilot.press("escape")
        await until(pilot, "50 × 3 = 150")
        shown = await until(pilot, "q quit")
        assert "not saved" not in shown
        assert isinstance(app.screen, Profiles)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "0 is not a whole number ≥ 1"),
        ("-1", "-1 is not a whole number ≥ 1"),
        ("abc", "'abc' is not a whole number ≥ 1"),
        ("1000000000", "1000000000 is not a whole number ≤ 1000000"),
        ("", "is missing"),
    ],
)
async def test_a_wrong_number_is_said_under_the_table_and_not_taken(text, said, until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e")
        await retype(pilot, text)
        await until(pilot, said)
        await pilot.press("enter")
        await until(pilot, said)
        assert app.screen.limits.editing
        await pilot.press("escape")
        await until(pilot, ">50")
        assert not app.screen.editor.unsaved()


async def test_what_is_wrong_looks_like_it(until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e")
        await retype(pilot, "0")
        golden("profiles-wrong-80", await until(pilot, "is not a whole number"))


async def test_every_edit_can_be_undone_and_done_again(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e", "plus", "down", "plus")
        await until(pilot, "* 2 changes not saved")
        await pilot.press("u", "u")
        await until(pilot, lambda: not app.screen.editor.unsaved())
        assert app.session.changes == ()
        await pilot.press("ctrl+r")
        await until(pilot, "* 1 change not saved")
        await until(pilot, "150 → 51 × 3 = 153")


async def test_keys_and_deployments_are_switched_with_space(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        app.screen.switches.focus()
        await pilot.press("down", "space")
        await until(pilot, "no lane")
        assert app.session.changes == ('providers.azure.keys_off=["key0"]',)
        await pilot.press("space", "down", "space")
        await until(pilot, lambda: app.session.changes == ("models.DeepSeek-V3-0324.off=true",))
        await until(pilot, "off")


async def test_a_choice_of_two_is_turned_round_with_space(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e", "right", "right", "right", "right", "space", "right", "space")
        await until(pilot, "* 2 changes not saved")
        await until(pilot, "50 × 3 = 150/job")
        await pilot.press("t", "t")
        await until(pilot, "3 prompt types")
        await until(pilot, "150 → 450/job")


async def test_the_rate_mode_is_switched_and_totals_with_it(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("m")
        await until(pilot, "100 × 3 = 300")
        assert app.session.changes == ("rate_mode=adaptive",)
        await pilot.press("m")
        await until(pilot, lambda: not app.screen.editor.unsaved())


async def test_the_environment_beats_the_profile_and_says_so(until) -> None:
    app = opened(Told(profiles=FakeProfiles(mode="adaptive")), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "RATE_MODE=adaptive in the environment beats the profile")
        await until(pilot, "100 × 3 = 300")


async def test_a_plain_change_is_saved_at_once_with_its_comments(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("e", "plus", "ctrl+s")
        await until(pilot, "saved: /profiles/mine.toml")
        assert told.profiles.own["mine"] == MINE.replace("workers = 4", "workers = 5")
        assert told.profiles.kept == {}
        assert not app.screen.editor.unsaved()
        await pilot.press("u")
        await until(pilot, "* 1 change not saved")


async def test_what_would_lose_comments_is_shown_first_and_the_old_file_is_kept(until, golden) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("e", "tab", "tab", "down", "space", "ctrl+s")
        shown = await until(pilot, "1 of its comments will be lost. The old file is kept as mine.toml~.")
        golden("profiles-save-80", shown)
        assert told.profiles.own["mine"] == MINE
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Profiles))
        assert told.profiles.own["mine"] == MINE
        await pilot.press("x", "ctrl+s")
        await until(pilot, "comments will be lost")
        await pilot.press("s")
        await until(pilot, "the old text is /profiles/mine.toml~")
        assert told.profiles.kept == {"mine": MINE}


@pytest.mark.parametrize(("key", "workers"), [("k", 5), ("t", 9)])
async def test_a_file_that_somebody_else_has_changed_is_asked_about(key, workers, until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("e", "plus")
        theirs = MINE.replace("workers = 4", "workers = 9")
        told.profiles.own["mine"] = theirs
        await pilot.press("ctrl+s")
        await until(pilot, "changed by somebody else")
        assert told.profiles.own["mine"] == theirs
        await pilot.press(key)
        if key == "k":
            await until(pilot, "the old text is /profiles/mine.toml~")
            assert told.profiles.kept == {"mine": theirs}
        else:
            await until(pilot, "theirs is loaded; u goes back to yours")
            assert not app.screen.editor.unsaved()
        assert f"workers = {workers}" in told.profiles.own["mine"]


async def test_a_changed_file_is_noticed_when_the_screen_comes_back(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await choose(pilot, until, "mine")
        told.profiles.own["mine"] = MINE.replace("workers = 4", "workers = 9")
        await pilot.press("2")
        await until(pilot, "[2 LAUNCH]")
        await pilot.press("1")
        await until(pilot, "9 × 1 = 9")  # nothing of mine was lost by it
        await pilot.press("e", "plus")
        told.profiles.own["mine"] = MINE
        await pilot.press("2", "1")
        await until(pilot, "the file has changed since it was read")


async def test_a_built_in_profile_is_saved_under_another_name(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e", "plus", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        for name, said in (
            ("a b", "1 to 64 letters"),
            ("..", "1 to 64 letters"),
            ("实验", "1 to 64 letters"),
            ("sim", "is built in"),
            ("run", "a command's name"),
            ("mine", "you have a profile 'mine' already"),
        ):
            app.screen.query_one(Input).value = name
            await pilot.press("enter")
            await until(pilot, said)
            assert isinstance(app.screen, AskLine)
        app.screen.query_one(Input).value = "lab-2"
        await pilot.press("enter")
        await until(pilot, "written: /profiles/lab-2.toml")
        assert 'name = "lab-2"' in told.profiles.own["lab-2"]
        assert "workers = 51" in told.profiles.own["lab-2"]
        assert app.screen.editor.name == "lab-2"
        assert app.session.profile == "lab-2"
        assert app.screen.editor.unsaved() == []


async def test_a_new_profile_begins_as_this_one_is_seen_which_keeps_its_changes(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("m", "n", *keys("fresh"), "enter")
        await until(pilot, "written: /profiles/fresh.toml")
        assert 'rate_mode = "adaptive"' in told.profiles.own["fresh"]
        assert app.screen.editor.unsaved() == ["sim"]
        assert app.session.profile == "sim"


async def test_a_profile_of_ones_own_is_renamed_with_its_changes(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("m", "r", *keys("ours"), "enter")
        await until(pilot, "mine is called ours from here on")
        assert list(told.profiles.own) == ["broken", "ours"]
        assert told.profiles.own["ours"] == MINE.replace('"mine"', '"ours"')
        assert app.screen.editor.unsaved() == ["ours"]


async def test_a_profile_is_deleted_when_that_is_confirmed(until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("d")
        await until(pilot, "Delete your profile mine?")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Profiles))
        assert "mine" in told.profiles.own
        await pilot.press("x", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("x", "d")
        await until(pilot, "deleted; the text is /profiles/mine.toml~")
        assert "mine" not in told.profiles.own
        await choose(pilot, until, "sim")
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, Profiles), "what is built in cannot be deleted"


async def test_enter_uses_the_profile_with_its_changes_and_goes_to_launch(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("m", "enter")
        await until(pilot, "[2 LAUNCH]")
        assert (app.session.profile, app.session.changes) == ("mine", ("rate_mode=adaptive",))


async def test_a_profile_that_is_not_valid_is_not_used_and_not_saved(until) -> None:
    told = Told(profiles=FakeProfiles(own={"mine": MINE.replace("adaptive = { workers = 8 }\n", "")}))
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("m")
        await until(pilot, "not valid yet: limits.lab.open.adaptive: is missing")
        await pilot.press("enter")
        await until(pilot, "a launch cannot use a profile that is not valid")
        await pilot.press("ctrl+s")
        await until(pilot, "what is not valid is not saved")
        await pilot.press("e", "down")
        await retype(pilot, "6")
        await pilot.press("enter")
        await until(pilot, "4 → 6")


async def test_a_broken_profile_says_what_is_wrong_and_can_be_mended_here(until) -> None:
    told = Told(profiles=FakeProfiles(own={"mine": MINE.replace("workers = 4", 'workers = "four"')}))
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await until(pilot, "x mine")
        await until(pilot, "'four' is not a whole number ≥")
        await pilot.press("e")
        await retype(pilot, "4")
        await pilot.press("enter", "ctrl+s")
        await until(pilot, "saved: /profiles/mine.toml")
        assert told.profiles.own["mine"] == MINE


async def test_a_file_that_is_no_toml_says_where(until) -> None:
    app = opened(Told(profiles=FakeProfiles(own={"torn": "name = \n"})), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "x torn")
        app.screen.picker.highlight("torn")
        await until(pilot, "is not TOML")
        await pilot.press("e", "m", "p", "n", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Profiles)


async def test_findings_are_counted_and_listed(until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await until(pilot, "2 warnings")
        await pilot.press("f")
        await until(pilot, "environment variable LAB_KEY_0")
        golden("profiles-findings-80", await until(pilot, lambda: isinstance(app.screen, Review)))


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_what_differs_from_the_file_is_shown_as_settings_lines_and_totals(size, until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=size) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("e", "plus", "D")
        shown = await until(pilot, "limits.lab.open.fixed.workers: 4 -> 5")
        assert "+fixed = { workers = 5, qps = 5 }  # per lane" in shown
        golden(f"profiles-diff-{size[0]}", shown)
        await pilot.press("x")
        await until(pilot, lambda: not app.screen_stack[-1].editor.unsaved())


@pytest.mark.parametrize(
    ("key", "saved", "closed"), [("s", True, True), ("x", False, True), ("escape", False, False)]
)
async def test_leaving_with_changes_asks(key, saved, closed, until) -> None:
    told = Told()
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("m", "q")
        await until(pilot, "Changes are not saved")
        await pilot.press(key)
        if not closed:
            await until(pilot, lambda: isinstance(app.screen, Profiles))
            assert app.screen.editor.unsaved() == ["mine"]
        else:
            await until(pilot, lambda: not app.is_running)
    assert ("adaptive" in told.profiles.own["mine"].split("[providers")[0]) == saved


async def test_leaving_saves_no_built_in_profile_and_asks_for_a_name(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("m", "q")
        await until(pilot, "Changes are not saved")
        await pilot.press("s")
        await until(pilot, "A name for the copy of sim")


async def test_changes_of_several_profiles_wait_side_by_side(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("m")
        await choose(pilot, until, "mine")
        await pilot.press("m")
        await until(pilot, "* mine")
        await choose(pilot, until, "sim")
        await until(pilot, "* 1 change not saved")
        assert app.screen.editor.unsaved() == ["sim", "mine"]


async def test_a_disk_that_takes_nothing_is_said_in_words(until) -> None:
    told = Told(
        profiles=FakeProfiles(
            unwritable=ConsoleError("cannot be written: Disk quota exceeded", where="/p/mine.toml")
        )
    )
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await choose(pilot, until, "mine")
        await pilot.press("m", "ctrl+s")
        await until(pilot, "cannot be written: Disk quota exceeded")
        assert app.screen.editor.unsaved() == ["mine"]
        await pilot.press("n", *keys("other"), "enter")
        await until(pilot, "cannot be written: Disk quota exceeded")


async def test_a_directory_that_cannot_be_read_is_said_in_words(until) -> None:
    told = Told(
        profiles=FakeProfiles(unreadable=ConsoleError("cannot be read: Permission denied", where="/p"))
    )
    app = opened(told, HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "/p: cannot be read: Permission denied")


async def test_no_profile_at_all(until) -> None:
    app = opened(Told(empty=True), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "no profiles")
        await pilot.press("e", "enter", "m", "u", "p", "D", "n", "r", "d", "ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, Profiles)


async def test_hostile_text_of_a_profile_is_shown_as_text(until) -> None:
    evil = MINE.replace('description = "my lab"', r'description = "\u001b]0;x\u0007[bold]\u202e"').replace(
        "qwen2.5-7b-instruct", "[red]m"
    )
    app = opened(Told(profiles=FakeProfiles(own={"mine": evil})), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await choose(pilot, until, "mine")
        shown = await until(pilot, "[red]m")
        assert "[bold]" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


async def test_it_fits_a_very_small_screen(until, golden) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(60, 15)) as pilot:
        await until(pilot, "DeepSeek")
        await pilot.press("e", "plus")
        golden("profiles-edited-60", await until(pilot, "150 → 153"))


async def test_a_narrow_screen_goes_back_to_the_list_with_escape(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e")
        await until(pilot, "limits of a lane")
        await pilot.press("escape")
        shown = await until(pilot, "corrected-0824")
        assert "limits of a lane" not in shown


async def test_keys_and_deployments_are_found_by_words(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, "50 × 3 = 150")
        app.screen.switches.focus()
        await pilot.press("slash", *"kimi")
        await until(pilot, lambda: app.screen.switches.line_count() == 2)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.focused is app.screen.switches)
        await pilot.press("slash", "escape")
        await until(pilot, "[x] gpt-4o-mini")


async def test_the_profile_as_it_is_seen_is_copied_as_words_of_a_command_line(until) -> None:
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("m", "y")
        await until(pilot, "copied: --profile")
        assert app.clipboard == "--profile sim --set rate_mode=adaptive"


async def test_keys_that_come_in_one_burst_are_all_typed(until) -> None:
    """Over a slow line they do, and a table that began to type only later would lose them."""
    app = opened(Told(), HERE)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, "50 × 3 = 150")
        await pilot.press("e")
        for key in ("c", "1", "2", "enter"):
            app.post_message(events.Key(key, None if key == "enter" else key))
        await until(pilot, "* 1 change not saved")
        assert app.session.changes == ("limits.azure.open.fixed.workers=12",)
