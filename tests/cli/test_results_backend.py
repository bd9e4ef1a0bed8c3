"""What the results and runs screens ask of the real program, on made runs and on one that was really run."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest
from commands import only_run, ultra

sys.path.append(str(Path(__file__).parents[1] / "records"))
from made_rows import (
    add_rows,
    add_traces,
    ended,
    judged,
    make_run,
    marks,
    request,
    started,
    trace,
    write_level,
)
from reported_run import MODELS, make_reported_run

from console.cli.backend.results import Reading, making
from console.cli.backend.runs import Listing
from console.records.scored import scored
from console.screens.results.needs import Export
from console.screens.results.places import VIEWS, Place, Step, trail
from console.screens.results.sheet import Sort
from console.screens.working import GivenUp
from console.vocabulary.errors import ConsoleError
from console.vocabulary.marks import ErrorClass
from console.vocabulary.outcome import Verdict


def read(run_dir: Path):
    return Reading().read(run_dir, lambda share: None)


def column(sheet, title: str) -> list[str]:
    at = [one.title for one in sheet.columns].index(title)
    return [sheet.row(index).cells[at] for index in range(len(sheet))]


def test_models_are_counted_as_the_report_counts_them_and_lead_down_past_what_is_the_same():
    results = read(make_reported_run())
    head = results.head
    assert (head.kind, head.done, head.planned, head.simulated) == ("finished", 47, 48, True)
    models = results.sheet(Place("models"))
    assert column(models, "model") == [*MODELS, "all"]
    assert column(models, "tests") == ["24", "24", "48"]
    assert column(models, "full") == ["19", "6", "25"]
    assert column(models, "infra") == ["0", "1", "1"]
    prompts = results.sheet(Place("models").down(models.row(0).opens))
    assert trail(prompts.place) == [MODELS[0]]
    assert column(prompts, "prompt type") == ["baseline", "optimal", "all"]
    assert column(prompts, "full") == ["9", "10", "19"]
    assert column(prompts, "success")[1] == "91.7%"
    assert column(prompts, "95% CI")[1] == "64.6–98.5"
    tests = results.sheet(prompts.place.down(prompts.row(1).opens))
    assert tests.tests
    assert trail(tests.place) == [MODELS[0], "optimal", "easy", "0.8", "basic_task"]
    assert len(tests) == 12


def test_lists_of_tests_are_sorted_by_what_cells_mean_and_searched_in_all_their_texts():
    results = read(make_reported_run())
    tests = results.sheet(Place("tests"))
    by_score = [tests.row(index).keys[2] for index in tests.order(Sort(2), ())]
    assert by_score[-1] is None, "a test without a score comes last"
    assert by_score[:-1] == sorted(by_score[:-1])
    names = [tests.row(index).cells[0] for index in tests.order(Sort(0), ("72b", "baseline"))]
    assert names == [f"basic_task/{number}" for number in range(1, 13)], "by number and not by text"
    assert len(tests.order(None, ("tool_selection",))) == 22
    row = tests.row(5)
    assert tests.index_of(row.id) == 5
    failures = results.sheet(Place("tests").with_outcome("not full"))
    assert set(column(failures, "verdict")) == {"failure", "partial", "infrastructure"}


def test_errors_and_tables_of_the_report_lead_to_their_tests():
    results = read(make_reported_run())
    errors = results.sheet(Place("errors"))
    assert column(errors, "error class") == ["tool_selection", "no answer (infrastructure)"]
    assert column(errors, "all") == ["22", "1"]
    assert len(results.sheet(errors.place.down(errors.row(0).opens))) == 22
    assert len(results.sheet(errors.place.down(errors.row(1).opens))) == 1
    tables = results.sheet(Place("phases"))
    assert {"hierarchy", "5.1", "5.1-errors", "5.1-pairs", "5.5"} <= set(column(tables, "table"))
    phase = results.sheet(Place("phases", (Step("table", "5.1"),)))
    assert column(phase, "n") == ["12", "11"]
    tests = results.sheet(phase.place.down(phase.row(1).opens))
    assert tests.tests
    assert len(tests) == 12, "those of the phase alone"


def test_a_level_of_load_shows_its_load_and_says_that_it_has_no_tests():
    rows = [started(), *(request(number, test=f"prompt/{number}") for number in range(20)), ended(20, 20)]
    results = read(write_level(make_run(rows, title="capacity"), 20))
    assert results.head.unit == "prompts"
    models = results.sheet(Place("models"))
    assert column(models, "requests") == ["20"]
    assert models.row(0).opens == ()
    for view in ("phases", "errors", "tests"):
        sheet = results.sheet(Place(view))
        assert (len(sheet), "a level of load has no tests" in sheet.empty) == (0, True)
    assert any(fact.text == "20 of 20 prompts" for fact in results.overview())


def test_the_overview_says_what_was_lost_and_that_a_run_is_not_whole():
    run_dir = make_reported_run(whole=False)
    (path,) = (run_dir / "journal").iterdir()
    path.write_bytes(path.read_bytes()[:-10])
    results = read(run_dir)
    assert results.head.kind == "partial"
    assert "without saying so" in results.head.partial_reason
    facts = {fact.text: fact.tone for fact in results.overview()}
    assert facts["lost: 0 damaged and 1 torn lines of the journal"] == "bad"
    assert facts["planned 48 tests = done 28 + without an answer 1 + not run 19"] == "warn"


def test_one_test_is_told_with_what_was_said_in_it():
    run_dir = make_run(
        [started(), judged(1, Verdict.FAILURE, marks=marks(error_class=ErrorClass.OTHER)), ended(1, 1)],
        traces="full",
    )
    add_traces(run_dir, trace(1, Verdict.FAILURE))
    (run_dir / "journal" / "00-0002.jsonl").unlink(missing_ok=True)
    lines = read(run_dir).test(trace(1).test).lines(60)
    assert lines[0] == trace(1).test
    assert "  file_reader failed, arguments: FILE_NOT_FOUND:" in lines
    assert all(len(line) <= 60 for line in lines)


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def export(results, what, kind: str, path: Path, place: Place | None = None, **more) -> Path:
    sheet = results.sheet(place or Place("tests"))
    return results.export(Export(what, kind, path, **more), sheet, sheet.order(None, ()))


def test_exports_say_what_they_are_of_and_hold_figures_as_they_are(tmp_path: Path):
    results = read(make_reported_run())
    path = export(results, "table", "csv", tmp_path / "m.csv", Place("models"))
    rows = csv_rows(path)
    assert [row["model"] for row in rows] == [*MODELS, "all"]
    assert float(rows[0]["success_rate"]) == pytest.approx(22 / 24)
    assert {row["simulated_run"] for row in rows} == {"true"}
    assert {row["run_id"] for row in rows} == {"r"}
    path = export(results, "table", "json", tmp_path / "m.json", Place("models"))
    assert json.loads(path.read_text())[0]["full_success"] == 19
    path = export(
        results, "tests", "parquet", tmp_path / "t.parquet", Place("models", (Step("model", MODELS[1]),))
    )
    frame = pl.read_parquet(path)
    assert frame.height == 24
    assert set(frame["model"]) == {MODELS[1]}
    path = export(results, "table", "md", tmp_path / "m.md", Place("models"))
    assert "SIMULATED" in path.read_text()
    for kind in ("csv", "json", "parquet", "md"):
        assert export(results, "summary", kind, tmp_path / f"s.{kind}").stat().st_size > 100
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_text_of_a_csv_file_is_a_formula_and_figures_stay_figures(tmp_path: Path):
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\ttab", "plain"]
    rows = [judged(number, Verdict.FAILURE, detail=text, score=-0.5) for number, text in enumerate(evil)]
    results = read(make_run([started(), *rows, ended(6, 6)]))
    for what in ("tests", "table"):
        texts = [row["detail"] for row in csv_rows(export(results, what, "csv", tmp_path / f"{what}.csv"))]
        assert texts[:4] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)"]
        assert texts[4] == ("'\ttab" if what == "tests" else "tab")
        assert texts[5] == "plain"
        assert {row["score"] for row in csv_rows(tmp_path / f"{what}.csv")} == {"-0.5"}


def test_a_file_is_written_over_only_where_that_was_said(tmp_path: Path):
    results = read(make_reported_run())
    path = tmp_path / "m.csv"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        export(results, "table", "csv", path)
    assert path.read_text() == "mine"
    export(results, "table", "csv", path, overwrite=True)
    assert path.read_text() != "mine"
    with pytest.raises(ConsoleError):
        export(results, "table", "csv", tmp_path / "none" / "m.csv")


def test_a_large_journal_is_read_in_a_process_of_its_own_that_tells_how_far_it_is_and_can_be_ended(
    monkeypatch,
):
    rows = [started(), *(judged(number) for number in range(3_000)), ended(3_000, 3_000)]
    run_dir = make_run(rows)
    monkeypatch.setattr(making, "_LARGE_BYTES", 1)
    monkeypatch.setattr(making, "summarise", lambda *_, **__: pytest.fail("made in this process"))
    shares: list[float] = []
    results = Reading().read(run_dir, shares.append)
    assert results.head.done == 3_000
    assert shares == sorted(shares)
    (run_dir / "summary.json").unlink()

    def give_up(share: float) -> None:
        raise GivenUp

    with pytest.raises(GivenUp):
        Reading().read(run_dir, give_up)
    shutil.rmtree(run_dir / "journal")
    (run_dir / "journal").write_text("in the way")
    with pytest.raises(ConsoleError, match="cannot be read"):
        Reading().read(run_dir, lambda share: None)


def test_runs_are_looked_into_again_only_where_something_changed(monkeypatch):
    first = make_run([started(), judged(1), ended(1, 1, at_ns=7_000_000_000)], "a")
    make_run([started(), judged(1)], "b")
    broken = make_run((), "c")
    (broken / "run.toml").write_text("run_id = 3")
    listing = Listing()
    found = {run.id: run for run in listing.runs()}
    assert (found["a"].kind, found["a"].took_s, found["a"].done) == ("finished", 7.0, 1)
    assert found["b"].kind == "partial"
    assert "is not a run file" in found["c"].error
    looked: list[str] = []
    from console.cli.backend.runs import listing as module

    look = module.run_info
    monkeypatch.setattr(module, "run_info", lambda run_dir: (looked.append(run_dir.name), look(run_dir))[1])
    assert {run.id: run for run in listing.runs()} == found
    assert looked == []
    add_rows(first, [judged(2)])
    listing.runs()
    assert looked == ["a"]


def test_deleting_says_what_is_lost_and_leaves_alone_what_is_no_run_of_ours(tmp_path: Path):
    over = make_run([started(), judged(1), ended(1, 1)], "over")
    broken = make_run((), "broken")
    (broken / "run.toml").write_text("run_id = 3")
    listing = Listing()
    weight = listing.weight([over])
    assert (weight.runs, weight.tests) == (1, 1)
    assert weight.size_bytes > 100
    failed = listing.delete([over, broken])
    assert not over.exists()
    assert broken.exists()
    assert "is not removed" in failed[0]


def other_run(run_id: str, **changes) -> Path:
    """Make a run in which the small model is as good as the large one."""
    run_dir = make_reported_run(run_id, **changes)
    (path,) = (run_dir / "journal").iterdir()
    path.unlink()
    from reported_run import jobs, row

    tests = [test for job in jobs() for test in job["tests"]]
    rows = [row(test.replace(MODELS[1], MODELS[0])) for test in tests]
    from msgspec.structs import replace

    rows = [replace(one, test=test, lane=row(test).lane) for one, test in zip(rows, tests, strict=True)]
    add_rows(run_dir, [started(run_id), *rows, ended(48, 48)])
    return run_dir


def test_two_runs_are_compared_on_the_tests_that_both_answered():
    found = Listing().compare(make_reported_run("one"), other_run("two"), lambda share: None)
    assert found.refused == ()
    assert "SIMULATED" in found.heads[0]
    table = found.table
    assert column(table, "model") == [*MODELS, "all"]
    assert column(table, "pairs") == ["24", "23", "47"]
    assert column(table, "diff") == ["+0.0", "+52.2", "+25.5"]
    assert column(table, "Holm")[:2] == ["1.000", ".001"]
    assert column(table, "full % 2")[:2] == ["79.2%", "79.2%"]


def test_two_runs_without_a_test_in_common_say_so():
    from reported_run import jobs, row

    tests = [test for job in jobs() for test in job["tests"]]
    half = len(tests) // 2
    runs = [
        make_run([started(name), *map(row, some), ended(len(some), len(some))], name)
        for name, some in (("one", tests[:half]), ("two", tests[half:]))
    ]
    found = Listing().compare(*runs, lambda share: None)
    assert any("no test was answered in both runs" in line for line in found.refused)


@pytest.mark.parametrize(
    ("changes", "plan", "why"),
    [
        ({"seed": 4}, {}, "the seeds differ (0 and 4)"),
        ({}, {"library": "7"}, "the task libraries differ (unknown and 7)"),
        ({}, {"scoring": {"goal": {"full": 0.9}}}, "the scoring presets differ"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused_with_the_reason(changes, plan, why):
    second = other_run("two", **changes)
    path = second / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **plan}))
    found = Listing().compare(make_reported_run("one"), second, lambda share: None)
    assert any(why in line for line in found.refused)
    titles = [one.title for one in found.table.columns]
    assert "diff" not in titles
    assert {"full % 1", "full % 2"} <= set(titles)


def test_a_run_that_was_really_run_is_read_from_end_to_end(tmp_path: Path):
    code, _, err = ultra(
        "run", "--model", "qwen2.5-7b-instruct", "--num-instances", "2", "--out", str(tmp_path)
    )
    assert code == 0, err
    results = read(only_run(tmp_path))
    assert results.head.simulated
    for view in VIEWS[1:]:
        sheet = results.sheet(Place(view))
        assert len(sheet) or view == "errors", view
        for index in sheet.order(Sort(1, True), ()):
            assert len(sheet.row(index).cells) == len(sheet.row(index).keys) == len(sheet.columns)
    tests = results.sheet(Place("tests"))
    assert len(tests) == 10
    lines = results.test(tests.row(0).id).lines(80)
    assert any(line == "turn 1" for line in lines)
    found = Listing().compare(only_run(tmp_path), only_run(tmp_path), lambda share: None)
    assert column(found.table, "diff") == ["+0.0"]


def test_the_other_scoring_preset_judges_tables_lists_and_overview_and_files_keep_both():
    run_dir = make_reported_run()
    goal = read(run_dir)
    original = goal.by("original")
    assert goal.by("goal") is goal
    scores = scored(goal.run.table, "original")
    full = scores.filter(pl.col("outcome") == "full").height
    assert full != goal.run.table.filter(pl.col("verdict") == "full").height, "or this proves nothing"
    assert column(original.sheet(Place("models")), "full")[-1] == str(full)
    tests = original.sheet(Place("tests"))
    assert column(tests, "verdict").count("full") == full
    unscored = column(tests, "verdict").count("unscored")
    facts = [fact.text for fact in original.overview()]
    assert facts[0].startswith(f"full {full} ")
    assert "by the preset original" in facts[1]
    assert (facts[2] == f"no score by it {unscored}: in no rate") == bool(unscored)
    path = original.export(Export("tests", "parquet", run_dir / "tests-out.parquet"), None, ())
    assert pl.read_parquet(path)["verdict"].to_list() == goal.run.table["verdict"].to_list()
