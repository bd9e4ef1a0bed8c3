from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from made_rows import add_rows, ended, judged, make_run, started
from reported_run import MODELS, make_reported_run

from console.cli import root
from console.records.run_dir import hold_run_lock
from console.records.text_table import cells
from console.vocabulary.errors import ConsoleError
from console.vocabulary.rows import Row

EIGHTY = """\
Report of r · 5.1, 5.5 · profile sim · SIMULATED · scoring goal

Hierarchy (SIMULATED)
model                                  n  full  infra  full %     95% CI  score
qwen2.5-72b-instruct                  24    19      0   79.2%  59.5–90.8  0.883
  baseline · 0.8 · easy · basic_task  12     9      0   75.0%  46.8–91.1  0.867
  optimal · 0.8 · easy · basic_task   12    10      0   83.3%  55.2–95.3  0.900
qwen2.5-7b-instruct                   23     6      1   26.1%  12.5–46.5  0.565
  baseline · 0.8 · easy · basic_task  12     3      0   25.0%   8.9–53.2  0.567
  optimal · 0.8 · easy · basic_task   11     3      1   27.3%   9.7–56.6  0.564

Phase 5.1: baseline, by model (SIMULATED)
model                  n  full  part  fail  infra  full %     95% CI  score
qwen2.5-72b-instruct  12    10     1     1      0   83.3%  55.2–95.3  0.900
qwen2.5-7b-instruct   11     3     4     4      1   27.3%   9.7–56.6  0.564

Phase 5.1: tests that are not full, by error class (SIMULATED)
model                 errors  form  tool  args  order  dep  time  turns  other
qwen2.5-72b-instruct       2     0     2     0      0    0     0      0      0
qwen2.5-7b-instruct        8     0     8     0      0    0     0      0      0

Phase 5.1: full or not on shared instances, every two (SIMULATED)
second                 pairs  b  c   diff         95% CI     p  Holm
against qwen2.5-72b-instruct
  qwen2.5-7b-instruct     11  6  0  -54.5  -77.2 … -15.1  .031  .031

Phase 5.5: prompt sensitivity, by model and prompt type (SIMULATED)
prompt       n  full  part  fail  infra  full %     95% CI  score
qwen2.5-72b-instruct
  baseline  12     9     2     1      0   75.0%  46.8–91.1  0.867
  optimal   12    10     1     1      0   83.3%  55.2–95.3  0.900
qwen2.5-7b-instruct
  baseline  12     3     5     4      0   25.0%   8.9–53.2  0.567
  optimal   11     3     4     4      1   27.3%   9.7–56.6  0.564

Phase 5.5: tests that are not full, by error class (SIMULATED)
prompt       n  errors  form  tool  args  order  dep  time  turns  other
qwen2.5-72b-instruct
  baseline  12       3     0     3     0      0    0     0      0      0
  optimal   12       2     0     2     0      0    0     0      0      0
qwen2.5-7b-instruct
  baseline  12       9     0     9     0      0    0     0      0      0
  optimal   11       8     0     8     0      0    0     0      0      0

Phase 5.5: full or not on shared instances, every two (SIMULATED)
second     pairs  b  c  diff         95% CI      p   Holm
qwen2.5-72b-instruct · against baseline
  optimal     12  0  1  +8.3  -12.3 … +26.6  1.000  1.000
qwen2.5-7b-instruct · against baseline
  optimal     11  0  1  +9.1  -13.2 … +28.6  1.000  1.000

note: n: tests that the model answered, by the preset goal; infra: no complete
  answer came, in no rate; 95% CI of shares: Wilson, of scores: Student (n/a
  below 10, or if all are equal)
note: pairs: instances answered under both conditions; b: full under the first
  alone, c: under the second alone; diff: second less first, in points (Agresti
  and Min); p: McNemar, exact; Holm: p for all comparisons of its table
note: errors: tests that are not full by the goal; form tool_call_format, tool
  tool_selection, args parameter_config, order sequence_order, dep dependency,
  time timeout, turns max_turns
note: 4 tests had help on the format: they count as they ended; unaided: full
  without help, of all n
scoring goal: weights conditions 0.5, coverage 0.5; full 1.0
"""

WIDE = """\
Report of r · 5.1, 5.5 · profile sim · SIMULATED · scoring goal

Phase 5.1: baseline, by model (SIMULATED)
model                  n  full  part  fail  infra  full %     95% CI  success     95% CI  weighted  score       95% CI  turns  calls  coverage  helped  unaided
qwen2.5-72b-instruct  12    10     1     1      0   83.3%  55.2–95.3    91.7%  64.6–98.5     0.875  0.900  0.742–1.000    4.0    3.0    100.0%       1    75.0%
qwen2.5-7b-instruct   11     3     4     4      1   27.3%   9.7–56.6    63.6%  35.4–84.8     0.455  0.564  0.340–0.787    4.0    3.0    100.0%       1    27.3%

Phase 5.5: prompt sensitivity, by model and prompt type (SIMULATED)
prompt       n  full  part  fail  infra  full %     95% CI  success     95% CI  weighted  score       95% CI  turns  calls  coverage  recovery  helped  unaided
qwen2.5-72b-instruct
  baseline  12     9     2     1      0   75.0%  46.8–91.1    91.7%  64.6–98.5     0.833  0.867  0.701–1.000    4.0    3.0    100.0%       n/a       1    66.7%
  optimal   12    10     1     1      0   83.3%  55.2–95.3    91.7%  64.6–98.5     0.875  0.900  0.742–1.000    4.0    3.0    100.0%       n/a       1    75.0%
qwen2.5-7b-instruct
  baseline  12     3     5     4      0   25.0%   8.9–53.2    66.7%  39.1–86.2     0.458  0.567  0.365–0.768    4.0    3.0    100.0%       n/a       1    25.0%
  optimal   11     3     4     4      1   27.3%   9.7–56.6    63.6%  35.4–84.8     0.455  0.564  0.340–0.787    4.0    3.0    100.0%       n/a       1    27.3%

note: n: tests that the model answered, by the preset goal; infra: no complete answer came, in no rate; 95% CI of shares: Wilson, of scores: Student (n/a below
  10, or if all are equal)
note: pairs: instances answered under both conditions; b: full under the first alone, c: under the second alone; diff: second less first, in points (Agresti and
  Min); p: McNemar, exact; Holm: p for all comparisons of its table
note: errors: tests that are not full by the goal; form tool_call_format, tool tool_selection, args parameter_config, order sequence_order, dep dependency, time
  timeout, turns max_turns
note: 4 tests had help on the format: they count as they ended; unaided: full without help, of all n
scoring goal: weights conditions 0.5, coverage 0.5; full 1.0
"""

KILLED = """\
Report of killed · 5.1, 5.5 · profile sim · SIMULATED · scoring original
PARTIAL: the engine ended without saying so: everything that had finished by
  then is here

Phase 5.5: prompt sensitivity, by model and prompt type (SIMULATED, PARTIAL,
  scoring original)
prompt       n  full  part  fail  infra  missing  full %    95% CI  score
qwen2.5-72b-instruct
  baseline   6     0     6     0      0        6    0.0%  0.0–39.0  0.700
  optimal   12     0    12     0      0        0    0.0%  0.0–24.2  0.700
qwen2.5-7b-instruct
  baseline   0     0     0     0      0       12     n/a       n/a    n/a
  optimal   11     0    11     0      1        0    0.0%  0.0–25.9  0.700

note: n: tests that the model answered, by the preset original; infra: no
  complete answer came, in no rate; 95% CI of shares: Wilson, of scores: Student
  (n/a below 10, or if all are equal)
note: n/a where n is 0: the model has answered no test of that row
note: pairs: instances answered under both conditions; b: full under the first
  alone, c: under the second alone; diff: second less first, in points (Agresti
  and Min); p: McNemar, exact; Holm: p for all comparisons of its table
note: n/a in a comparison: fewer than 10 pairs
note: errors: tests that are not full by the goal; form tool_call_format, tool
  tool_selection, args parameter_config, order sequence_order, dep dependency,
  time timeout, turns max_turns
note: 3 tests had help on the format: they count as they ended; unaided: full
  without help, of all n
note: error classes are those by the goal, whatever the preset
scoring original: full 0.8
"""


def call(*args: str) -> Result:
    return CliRunner().invoke(root, ("report", *args), standalone_mode=False)


@pytest.mark.parametrize(
    ("columns", "args", "golden"),
    [
        (80, ("r",), EIGHTY),
        (160, ("r", "--table", "5.1,5.5"), WIDE),
        (80, ("killed", "--table", "5.5", "--scoring", "original"), KILLED),
    ],
)
def test_the_printed_report(
    monkeypatch: pytest.MonkeyPatch, columns: int, args: tuple[str, ...], golden: str
) -> None:
    make_reported_run()
    make_reported_run("killed", whole=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert call(*args).stdout.splitlines() == golden.splitlines()


@pytest.mark.parametrize("columns", [20, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    make_reported_run()
    monkeypatch.setenv("COLUMNS", str(columns))
    for line in call("--table", "hierarchy,5.1,5.1-errors,5.1-pairs,5.5").stdout.splitlines():
        assert cells(line) <= max(80, columns), line


def test_a_real_run_does_not_say_simulated() -> None:
    make_reported_run(simulated=False)
    assert "SIMULATED" not in call().stdout
    assert "SIMULATED" not in call("--format", "md").stdout


def test_files_are_written_a_table_each_and_say_simulated(tmp_path: Path) -> None:
    make_reported_run()
    out = tmp_path / "a" / "b"
    done = call("--out", str(out))
    names = ("hierarchy", "5.1", "5.1-errors", "5.1-pairs", "5.5", "5.5-errors", "5.5-pairs")
    assert {path.name for path in out.iterdir()} == {
        f"{n}.{kind}" for n in names for kind in ("csv", "md", "parquet")
    }
    assert sorted(done.stdout.split()) == sorted(str(path) for path in out.iterdir())
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in out.iterdir())
    for name in names:
        parquet, csv = pl.read_parquet(out / f"{name}.parquet"), pl.read_csv(out / f"{name}.csv")
        assert parquet["simulated"].all()
        assert not parquet["partial"].any()
        assert csv["simulated"].all()
        assert parquet.columns == csv.columns
        assert parquet.height == csv.height > 0
        assert "(SIMULATED)" in (out / f"{name}.md").read_text().splitlines()[0]
    assert pl.read_parquet(out / "5.1.parquet")["full_success"].to_list() == [10, 3]


def test_one_format_writes_only_that(tmp_path: Path) -> None:
    make_reported_run()
    call("--out", str(tmp_path), "--format", "csv", "--table", "5.1")
    call("--out", str(tmp_path), "--format", "json")
    call("--out", str(tmp_path), "--format", "text", "--table", "5.5")
    assert {path.name for path in tmp_path.iterdir()} == {"5.1.csv", "report.json", "5.5.txt"}
    assert json.loads((tmp_path / "report.json").read_text())["type"] == "report"


def test_json_has_figures_definitions_and_presets() -> None:
    make_reported_run()
    (line,) = call("--format", "json", "--table", "5.1", "--scoring", "original").stdout.splitlines()
    found = json.loads(line)
    assert (found["simulated"], found["partial"], found["scoring"]) == (True, False, "original")
    assert found["presets"]["goal"]["weights"] == {"conditions": 0.5, "coverage": 0.5}
    (table,) = found["tables"]
    assert [row["model"] for row in table["rows"]] == list(MODELS)
    assert [row["partial_success"] for row in table["rows"]] == [12, 11]
    assert "Wilson" in found["definitions"]["…_low, …_high"]


def test_csv_on_stdout_is_one_table() -> None:
    make_reported_run()
    lines = call("--format", "csv", "--table", "5.1").stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("model,total,success,full_success")
    assert isinstance(call("--format", "csv").exception, ConsoleError)
    assert isinstance(call("--format", "parquet").exception, ConsoleError)


def test_an_unknown_table_is_an_error_that_names_those_that_are_there() -> None:
    make_reported_run()
    error = call("--table", "5.3").exception
    assert isinstance(error, ConsoleError)
    assert error.hint == "it has hierarchy, 5.1, 5.1-errors, 5.1-pairs, 5.5, 5.5-errors, 5.5-pairs"


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    make_reported_run()
    (tmp_path / "file").write_text("x")
    error = call("--out", str(tmp_path / "file" / "below")).exception
    assert isinstance(error, ConsoleError)
    assert "cannot be written" in error.message


def test_a_live_run_is_reported_as_far_as_it_is() -> None:
    run_dir = make_reported_run(whole=False)
    with hold_run_lock(run_dir):
        done = call("--table", "5.1")
    assert done.return_value == 3
    assert "PARTIAL: the run is live: figures so far" in done.stdout
    assert "Phase 5.1: baseline, by model (SIMULATED, PARTIAL)" in done.stdout


def test_a_plan_without_presets_says_so() -> None:
    make_reported_run(presets=None)
    text = " ".join(call("--table", "5.1").stdout.split())
    assert "scoring: the plan does not tell weights and thresholds" in text


def test_what_was_taken_over_is_told() -> None:
    run_dir = make_reported_run(whole=False)
    taken: list[Row] = [judged(number, reused_from="before") for number in range(3)]
    add_rows(run_dir, [*taken, ended(3, 3)])
    assert "3 tests were played in run before and taken over from it" in call("--table", "5.1").stdout


def test_a_long_hierarchy_is_printed_only_if_it_is_asked_for() -> None:
    rows = [judged(0, test=f"org/m{number}/optimal/easy/0.8/simple_task/1") for number in range(13)]
    make_run([started(), *rows, ended(13, 13)], "many")
    done = call("many")
    assert "Hierarchy" not in done.stdout
    assert "hierarchy: 65 rows; --table hierarchy shows them" in done.stderr
    assert "Hierarchy" in call("many", "--table", "hierarchy").stdout


def test_names_of_a_plan_reach_neither_terminal_nor_other_folders(tmp_path: Path) -> None:
    run_dir = make_run([started(), judged(1), ended(1, 1)])
    job = {"phase": "../\x1b[31mx|y", "model": "m1", "tests": [judged(1).test], "prompt_types": ["optimal"]}
    (run_dir / "plan.json").write_text(json.dumps({"jobs": [job], "scoring": {"\x1b[1m": "|<b>"}}))
    for args in ((), ("--format", "md"), ("--wide",)):
        assert "\x1b" not in call(*args).stdout
    call("--out", str(tmp_path / "out"))
    assert os.listdir(tmp_path) == ["out"]
    assert "\\|" in call("--format", "md").stdout


def test_the_summary_hints_at_the_report() -> None:
    make_reported_run()
    done = CliRunner().invoke(root, ("summary", "r"), standalone_mode=False)
    assert "ultra-console report r" in done.stderr
