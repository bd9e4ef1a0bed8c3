from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest
from made_rows import MS, S, ended, judged, make_run, request, started, write_plan

from console.records.figures_text import duration_text, ms_text, rate_text, share_text
from console.records.print_summary import render_summary, summary_tables
from console.records.summary import summarise
from console.records.summary_types import Summary
from console.records.text_table import TextTable, cells, shorten, shorten_apart, table_lines
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome, Verdict

LONG = "a-model-with-a-name-that-is-much-too-long-for-eighty-columns-0324"


GOLDEN = """\
Run r · 5.1 · profile sim · SIMULATED
finished · 12 of 16 tests done · 1 without an answer · 3 not run · 14.0 s
  14 requests
without an answer: rate_limited 1 (never counted against any model)

Tests per model (SIMULATED)
model                 tests  full  partial  fail  infra  not run  success  score
m1                       14    12        0     0      1        1   100.0%  1.000
a-model-with-…s-0324      2     0        0     0      0        2      n/a    n/a
all                      16    12        0     0      1        3   100.0%  1.000

Speed per model (SIMULATED)
model                      requests      ok  429  err  req/s  tok/s  in-fl  peak
m1                               12   91.7%    1    0   5.24   41.9   5.24     9
a-model-with-a-n…mns-0324         2  100.0%    0    0   1.18   9.41   1.18     2
all                              14   92.9%    1    0   5.91   47.3   5.91    10

Latency per model (SIMULATED)
model                            TTFT mean    p50    max  e2e mean    p50    max
m1                                   200ms  200ms  200ms     900ms  900ms  900ms
a-model-with-a-name-…lumns-0324      200ms    n/a  200ms     900ms    n/a  900ms
all                                  200ms  200ms  200ms     900ms  900ms  900ms

Load per key (SIMULATED)
key         requests      ok  429  err  req/s  tok/s  in-fl  peak  TTFT mean
azure/key0        12   91.7%    1    0   5.00   40.0   5.00     9      200ms
lab/key1           2  100.0%    0    0   0.91   7.27   0.91     2      200ms
all               14   92.9%    1    0   5.91   47.3   5.91    10      200ms

request outcomes: ok 13, rate_limited 1
waits, in no latency: limiter mean 4.6ms, max 5.0ms, total 0.1 s; held mean
  143ms, max 2.00s, total 2.0 s
note: success: full + partial of all with a verdict; score: mean of the tests'
  scores, 0 … 1
note: req/s, tok/s and in-fl (mean in flight) of a model are over its own time,
  first sending to last end; those of keys and lanes over the whole run, so they
  add up; peaks do not
note: n/a: no ok request, or fewer than 11 (p50) samples
"""


def small_run(**changes: Any) -> Summary:
    """14 requests of two models, one of them with a very long name; the last request is refused."""
    long = Lane("lab", LONG, "d", "key1")
    rows = [
        request(
            n,
            lane=long if n % 7 == 0 else request().lane,
            at_ns=n * 100 * MS,
            limiter_wait_ns=5 * MS,
            held_ns=2 * S if n == 3 else 0,
            **changes,
        )
        for n in range(13)
    ]
    refused = request(13, outcome=Outcome.RATE_LIMITED, at_ns=2 * S, total_ns=10 * MS)
    tests = [judged(n) for n in range(12)]
    infra = judged(13, Verdict.INFRASTRUCTURE, score=None)
    run_dir = make_run([started(), *rows, refused, *tests, infra, ended(16, 12)])
    return summarise(write_plan(run_dir, **{"m1": range(14), LONG: range(2)}))


def test_the_printed_summary_in_eighty_columns() -> None:
    assert render_summary(small_run(simulated=True), 80).splitlines() == GOLDEN.splitlines()


@pytest.mark.parametrize("width", [20, 80, 100, 119, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for line in render_summary(small_run(), width).splitlines():
        assert cells(line) <= max(80, width), line


def test_every_table_of_a_simulated_run_says_so() -> None:
    simulated = summary_tables(small_run(simulated=True), wide=True)
    assert len(simulated) == 5
    assert all("SIMULATED" in table.title for table in simulated)


def test_a_real_run_does_not_say_simulated() -> None:
    assert "SIMULATED" not in render_summary(small_run(), 200)


def test_wide_terminals_show_lanes_and_more_columns() -> None:
    summary = small_run()
    narrow, wide = render_summary(summary, 80), render_summary(summary, 160)
    assert "per lane" not in narrow
    assert "per lane" in wide
    assert "TPOT p50" in wide
    assert "per lane" in render_summary(summary, 80, lanes=True)
    assert "per lane" not in render_summary(summary, 160, lanes=False)


def test_missing_figures_say_why() -> None:
    text = render_summary(small_run(completion_tokens=None), 80)
    assert "chunks/s; 13 of 13 ok requests came without usage" in " ".join(text.split())
    assert text.count("n/a: ") == 1
    assert "n/a: no ok request, or fewer than 11 (p50) samples" in text
    assert "request outcomes: ok 13, rate_limited 1" in text
    assert "waits, in no latency: limiter mean" in text


def test_a_partial_run_says_so_on_top() -> None:
    text = render_summary(summarise(make_run([started(), request(0), judged(0)])), 80)
    assert text.splitlines()[2].startswith("PARTIAL: the engine ended without saying so")


def test_an_empty_run_is_printed() -> None:
    text = render_summary(summarise(make_run([])), 80)
    assert "0 of 0 tests done" in text
    assert "n/a" in text


def test_hostile_names_do_not_reach_the_terminal_raw() -> None:
    evil = Lane("p\x1b[2J", "m\x07\u202e", "d\n", "k\x9b31m")
    run_dir = make_run(
        [started(), request(0, lane=evil), judged(0, lane=evil)], title="t\x1b]0;x\x07", profile="\x1b[31m"
    )
    text = render_summary(summarise(run_dir), 200)
    assert all(char == "\n" or char.isprintable() for char in text)


def test_every_number_of_a_summary_comes_back_from_json() -> None:
    summary = small_run()
    assert msgspec.json.decode(msgspec.json.encode(summary), type=Summary) == summary


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "n/a"), (0.0, "0.0ms"), (8.14, "8.1ms"), (9.96, "10ms"), (812.4, "812ms"), (999.6, "1.00s"),
     (1234.0, "1.23s"), (12_340.0, "12.3s"), (123_400.0, "123s")],
)  # fmt: skip
def test_durations_have_three_figures(value: float | None, text: str) -> None:
    assert ms_text(value) == text


def test_rates_shares_and_long_durations() -> None:
    assert [rate_text(v) for v in (None, 0.0, 1.234, 12.34, 123.4, 12_345.6)] == [
        "n/a", "0.00", "1.23", "12.3", "123", "12,346",
    ]  # fmt: skip
    assert [share_text(v) for v in (None, 0.0, 1.0, 0.1234)] == ["n/a", "0.0%", "100.0%", "12.3%"]
    assert [duration_text(v) for v in (0, 8.14, 119, 125, 7_260)] == [
        "0.0 s", "8.1 s", "119.0 s", "2 min 5 s", "2 h 1 min",
    ]  # fmt: skip


def test_tables_count_wide_characters_as_two_columns() -> None:
    lines = table_lines(TextTable("t", ("模型", "n"), (("数据", "1"), ("ab", "22"))), 80)
    assert lines == ["t", "模型   n", "数据   1", "ab    22"]
    assert shorten("abcdefghijklmnop", 10) == "abcdef…nop"
    assert cells(shorten("数" * 30, 10)) <= 10


@pytest.mark.parametrize(
    "names",
    [
        [f"ideallab/qwen2.5-{size}b-instruct@key{key}" for size in (72, 32, 14, 7, 3) for key in range(3)],
        [f"a-long-beginning-that-all-share-{n}-and-a-long-end-that-they-share-too" for n in range(5)],
        [f"azure/DeepSeek-V3-0324-{n}@key0" for n in range(5)] + ["short", "短い"],
        ["数" * 20 + str(n) + "据" * 20 for n in range(3)],
    ],
)
def test_names_that_differ_still_do_when_they_are_cut(names: list[str]) -> None:
    short = shorten_apart(names, 22)
    assert list(short) == names
    assert len(set(short.values())) == len(names), short
    assert all(cells(text) <= 22 for text in short.values())
    assert all(short[name] == name for name in names if cells(name) <= 22)


def test_columns_that_may_leave_do_so_before_names_are_cut_too_short() -> None:
    table = TextTable("", ("name", "a", "b"), (("n" * 20, "1" * 10, "2" * 10),), gives=(2,), room=20)
    assert table_lines(table, 44)[1].split() == ["name", "a", "b"]
    assert table_lines(table, 43)[1].split() == ["name", "a"]
    assert table_lines(table, 30)[2] == "n" * 12 + "…" + "n" * 5 + "  " + "1" * 10
    assert table_lines(table, None)[2].split()[0] == "n" * 20


def test_no_table_is_wider_than_eighty_columns_whatever_its_figures() -> None:
    lanes = [Lane("a-provider", f"{LONG}-{n}", f"{LONG}-{n}", f"key{n}") for n in range(3)]
    verdicts = list(Verdict)
    requests = [
        request(n, lane=lanes[n % 3], ttft_ns=n * S, latency_ns=1_500 * S, total_ns=1_600 * S, at_ns=n * MS,
                outcome=Outcome.OK if n % 7 else Outcome.CONNECTION)
        for n in range(1_500)
    ]  # fmt: skip
    tests = [judged(n, verdicts[n % 5], lane=lanes[n % 3]) for n in range(1_500)]
    run_dir = make_run([started(), *requests, *tests, ended(4_500, 900)], simulated=True)
    summary = summarise(write_plan(run_dir, **{lane.model: range(1_500) for lane in lanes}))
    lines = [line for table in summary_tables(summary, lanes=True) for line in table_lines(table, 80)]
    assert max(map(cells, lines)) <= 80
    names = [line.split()[0] for line in lines if line.startswith("a-")]
    assert len(set(names[:3])) == 3


def test_records_and_printing_start_without_polars() -> None:
    modules = "journal read_journal run_dir run_file run_lock run_list percentile summary_types summary_tables print_summary"
    script = "import sys\n" + "".join(f"import console.records.{name}\n" for name in modules.split())
    script += "import console.cli.summary, console.cli.runs\n"
    script += "assert not {'polars', 'textual', 'httpx'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
