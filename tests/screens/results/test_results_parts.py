"""The results screen without a screen: places, ways back, sorted rows, the words of an export, lines of a test."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.results import MODELS, RUN, FakeRun, figures

from console.screens.results.export_words import default_path, refusal
from console.screens.results.headline import place_line, views_line
from console.screens.results.needs import RunHead
from console.screens.results.places import OUTCOMES, VIEWS, Place, Step, next_outcome, next_view, trail
from console.screens.results.sheet import Row, Sort
from console.screens.results.shown import shown_row, table_text
from console.screens.results.trace_lines import trace_lines
from console.screens.results.visits import Visits, made

HEAD = RunHead("run-1", RUN, "5.1", "sim", "finished", False, 1, 1)


def text(line) -> str:
    return "".join(piece for piece, _ in line)


def test_views_and_outcomes_go_round():
    assert [next_view(view, 1) for view in VIEWS] == [*VIEWS[1:], VIEWS[0]]
    assert next_view("overview", -1) == "tests"
    assert [next_outcome(one) for one in OUTCOMES] == [*OUTCOMES[1:], OUTCOMES[0]]
    assert next_outcome("never heard of") == "not full"


def test_a_trail_gives_way_at_its_left_and_keeps_whole_steps():
    steps = (
        Step("model", "qwen2.5-7b"),
        Step("prompt_type", "optimal"),
        Step("difficulty", "easy"),
        Step("rate", "0.8"),
    )
    place = Place("models", steps).with_outcome("failure")
    assert trail(place) == ["qwen2.5-7b", "optimal", "easy", "0.8", "failures"]
    assert text(place_line(place, "", "tests", "23 tests", 120)).strip() == (
        "qwen2.5-7b › optimal › easy › 0.8 › failures   tests   23 tests"
    )
    assert text(place_line(place, "", "tests", "23 tests", 50)).startswith(" … › easy › 0.8 › failures")
    assert place.with_outcome("").steps == steps
    assert trail(Place("phases")) == ["tables of the report"]


@pytest.mark.parametrize("width", [60, 80, 160])
def test_all_views_have_room_on_one_line(width):
    for view in VIEWS:
        assert len(text(views_line(view, width)).rstrip()) <= width


def test_totals_stay_last_however_rows_are_sorted_and_unknown_figures_come_before_them():
    sheet = figures(Place("models"), "model", MODELS)
    for sort in (Sort(2), Sort(2, True), Sort(0), Sort(9)):
        order = sheet.order(sort, ())
        assert order[-1] == len(MODELS)
        assert sorted(order) == list(range(len(MODELS) + 1))
    assert sheet.row(sheet.order(Sort(2), ("qwen", "b-"))[0]).cells[0] == MODELS[-1]
    assert list(sheet.order(None, ("nothing",))) == []


def test_a_way_back_finds_cursor_sort_and_filter_as_they_were():
    visits, run = Visits(), FakeRun()
    visits.view = "models"
    here = visits.here
    here.row_id, here.sort, here.filter_text = MODELS[4], Sort(2), "qwen"
    found = made(run.sheet(here.place), here)
    assert found.sheet.row(found.order[found.cursor]).cells[0] == MODELS[4]
    visits.down(here.place.down((Step("model", MODELS[4]),)))
    assert visits.depth == 1
    assert visits.up() is here
    assert visits.up() is here, "there is nothing above the top"
    here.row_id = "gone"
    assert made(run.sheet(here.place), here).cursor == 0


def test_files_are_named_after_what_is_in_them(monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    place = Place("models", (Step("model", "a/b c"),)).with_outcome("failure")
    assert default_path(HEAD, "table", "csv", place) == tmp_path / "run-1-models-a-b-c-failures.csv"
    assert default_path(HEAD, "tests", "parquet", place).name == "run-1-tests-a-b-c-failures.parquet"
    assert default_path(HEAD, "summary", "md", None).name == "run-1-summary.md"
    monkeypatch.setattr("console.screens.results.export_words.os.access", lambda *_: False)
    assert default_path(HEAD, "summary", "md", None).parent == RUN


def test_paths_that_lead_nowhere_are_refused_in_words(tmp_path: Path):
    assert refusal("  ") == "where to?"
    assert "directory" in refusal(str(tmp_path))
    assert "there is no directory" in refusal(str(tmp_path / "x" / "y.csv"))
    assert refusal(str(tmp_path / "y.csv")) == ""


def test_cells_are_made_safe_and_copied_with_tabs():
    row = Row("id", ("\x1b[31mname\x1b[0m", "a\tb\nc"), ("name", "x"), tone="bad")
    shown = shown_row(row)
    assert shown.cells == ("␛name␛", "a b c")
    assert shown.tones == ("", "bad")
    sheet = figures(Place("models"), "model", MODELS[:1])
    assert table_text(sheet, [0]).splitlines()[1].split("\t")[:3] == [MODELS[0], "100", "90"]


def test_only_our_own_lines_stand_out_in_a_test():
    lines = [
        "m/test/1",
        "verdict   full",
        "note: kept nothing",
        "",
        "turn 1",
        "  assistant:",
        "    turn 2",
        "  tool failed, x: Y:",
    ]
    tones = [[tone for _, tone in line] for line in trace_lines(lines)]
    assert tones == [["strong"], ["accent", ""], ["warn"], [""], ["strong"], ["accent"], [""], ["bad"]]
