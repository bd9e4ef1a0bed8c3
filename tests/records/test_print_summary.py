from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest
from made_rows import MS, S, ended, judged, make_run, request, started

from console.records.print_summary import (
    duration_text,
    ms_text,
    rate_text,
    render_summary,
    share_text,
    summary_tables,
)
from console.records.summary import summarise
from console.records.summary_types import Summary
from console.records.text_table import TextTable, cells, shorten, table_lines
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome, Verdict


def small_run(**changes: Any) -> Summary:
    """14 requests of two models, one of them with a very long name; the last request is refused."""
    long = Lane("lab", "a-model-with-a-name-that-is-much-too-long-for-eighty-columns-0324", "d", "key1")
    rows = [
        request(
            n,
            lane=long if n % 7 == 0 else request().lane,
            at_ns=n * 100 * MS,
            limiter_wait_ns=5 * MS,
            **changes,
        )
        for n in range(13)
    ]
    refused = request(13, outcome=Outcome.RATE_LIMITED, at_ns=2 * S, total_ns=10 * MS)
    tests = [judged(n) for n in range(12)]
    infra = judged(13, Verdict.INFRASTRUCTURE, score=None)
    return summarise(make_run([started(), *rows, refused, *tests, infra, ended(14, 12)]))


def test_the_printed_summary_in_eighty_columns() -> None:
    assert render_summary(small_run(simulated=True), 80).splitlines() == [
        "Run r · 5.1 · profile sim · SIMULATED",
        "finished · 12 of 14 tests done · 14.0 s · 14 requests",
        "tests without a complete answer: 1 (counted against no model, done again on",
        "  resume)",
        "",
        "Tests per model (SIMULATED)",
        "model                          tests  full  partial  fail  infra  success  score",
        "a-model-with-a-name…umns-0324      0     0        0     0      0      n/a    n/a",
        "m1                                13    12        0     0      1   100.0%  1.000",
        "all                               13    12        0     0      1   100.0%  1.000",
        "",
        "Speed per model (SIMULATED)",
        "model                     req/s  tok/s  TTFT p50  p95  e2e p50  p95  in-fl  peak",
        "a-model-with-a-n…ns-0324   1.18   9.41       n/a  n/a      n/a  n/a   1.18     2",
        "m1                         5.24   41.9     200ms  n/a    900ms  n/a   5.24     9",
        "all                        5.91   47.3     200ms  n/a    900ms  n/a   5.91    10",
        "",
        "Load per key (SIMULATED)",
        "key         requests      ok  429  err  req/s  tok/s  TTFT p50  in-fl  peak",
        "azure/key0        12   91.7%    1    0   5.24   41.9     200ms   5.24     9",
        "lab/key1           2  100.0%    0    0   1.18   9.41       n/a   1.18     2",
        "all               14   92.9%    1    0   5.91   47.3     200ms   5.91    10",
        "",
        "request outcomes: ok 13, rate_limited 1",
        "waits, in no latency: limiter mean 4.6ms, max 5.0ms, total 0.1 s",
        "note: TTFT p50 n/a below 11 samples (n=2)",
        "note: TTFT p95 n/a below 130 samples (n=2 … 13)",
        "note: e2e p50 n/a below 11 samples (n=2)",
        "note: e2e p95 n/a below 130 samples (n=2 … 13)",
    ]


@pytest.mark.parametrize("width", [20, 80, 100, 119, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for line in render_summary(small_run(), width).splitlines():
        assert cells(line) <= max(80, width), line


def test_every_table_of_a_simulated_run_says_so() -> None:
    simulated = summary_tables(small_run(simulated=True), wide=True)
    assert len(simulated) == 4
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
    assert "TTFT p95 n/a below 130 samples (n=2 … 13)" in text
    assert "TTFT p50 n/a below 11 samples (n=2)" in text
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


def test_records_and_printing_start_without_polars() -> None:
    modules = "journal read_journal run_dir run_file run_lock run_list percentile summary_types print_summary"
    script = "import sys\n" + "".join(f"import console.records.{name}\n" for name in modules.split())
    script += "import console.cli.summary, console.cli.runs\n"
    script += "assert not {'polars', 'textual', 'httpx'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
