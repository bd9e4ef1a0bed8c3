from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import LANE, MS, S, add_rows, ended, judged, make_run, request, started
from seeds import examples

from console.records.measure import covered_ns
from console.records.percentile import FLOORS, percentile
from console.records.run_dir import hold_run_lock
from console.records.summary import summarise
from console.records.summary_types import GroupSummary
from console.records.tables import counted
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome, Verdict
from console.vocabulary.rows import EventRow

OTHER = Lane("lab", "org/m2", "m2", "key1")


def group(groups: tuple[GroupSummary, ...], name: str) -> GroupSummary:
    (found,) = [one for one in groups if one.name == name]
    return found


def test_a_small_run_has_the_figures_of_a_calculation_by_hand() -> None:
    # Three requests in flight as 1, 2, 1, 2, 1: sent at 0, 0.5, 1.2 s, each for 1 s.
    rows = [
        started(),
        request(0, at_ns=0, limiter_wait_ns=100 * MS),
        request(1, at_ns=500 * MS, ttft_ns=400 * MS, completion_tokens=11, retry_wait_ns=2 * S),
        request(2, at_ns=1_200 * MS, outcome=Outcome.RATE_LIMITED, ttft_ns=None, latency_ns=None,
                chunks=0, chunk_gap_ns=(), completion_tokens=None, prompt_tokens=None),
        judged(0, Verdict.FULL, score=1.0),
        judged(1, Verdict.FAILURE, score=0.0),
        judged(2, Verdict.INFRASTRUCTURE, score=None),
        ended(3, 2, at_ns=3_500 * MS),
    ]  # fmt: skip
    summary = summarise(make_run(rows))
    assert (summary.planned, summary.done, summary.remaining) == (3, 2, 1)
    assert summary.state == "finished"
    assert not summary.partial
    assert not summary.simulated
    assert summary.duration_s == 3.5
    assert summary.infrastructure_failures == 1
    assert summary.verdicts == {"full": 1, "partial": 0, "failure": 1, "infrastructure": 1, "cancelled": 0}
    assert summary.outcomes == {"ok": 2, "rate_limited": 1}
    one = summary.overall
    assert (one.requests, one.ok) == (3, 2)
    assert one.success_share == pytest.approx(2 / 3)
    assert one.window_s == pytest.approx(2.2)
    assert one.request_throughput == pytest.approx(2 / 2.2)
    assert one.output_tokens_per_s == pytest.approx(19 / 2.2)
    assert one.chunks_per_s == pytest.approx(8 / 2.2)
    assert (one.prompt_tokens, one.completion_tokens, one.chunks) == (20, 19, 8)
    assert (one.ttft.n, one.ttft.mean_ms, one.ttft.min_ms, one.ttft.max_ms) == (2, 300, 200, 400)
    assert one.ttft.std_ms == pytest.approx(100)
    assert one.e2e.mean_ms == 900
    # TPOT: (900 - 200) / 7 and (900 - 400) / 10 ms.
    assert one.tpot.mean_ms == pytest.approx((100 + 50) / 2)
    assert (one.itl.n, one.itl.min_ms, one.itl.max_ms) == (6, 100, 400)
    assert one.itl.mean_ms == pytest.approx(1400 / 6)
    assert one.limiter_wait.n == 3
    assert one.limiter_wait.total_s == pytest.approx(0.1)
    assert one.limiter_wait.max_ms == 100
    assert one.limiter_wait.mean_ms == pytest.approx(100 / 3)
    assert one.retry_wait.total_s == 2
    assert one.peak_in_flight == 2
    assert one.mean_in_flight == pytest.approx(3.0 / 2.2)
    assert (one.tests.full, one.tests.failure, one.tests.infrastructure) == (1, 1, 1)
    assert one.tests.success_rate == 0.5
    assert one.tests.mean_score == 0.5


def test_groups_are_models_lanes_keys_and_deployments() -> None:
    second = Lane("azure", "m1", "m1-b", "key0")
    third = Lane("azure", "m1", "m1-a", "key1")
    rows = [request(0), request(1, lane=second), request(2, lane=third), request(3, lane=OTHER)]
    summary = summarise(make_run([started(), *rows, judged(0), judged(3, lane=OTHER)]))
    assert [one.name for one in summary.per_model] == ["m1", "org/m2"]
    assert [one.name for one in summary.per_lane] == [
        "azure/m1-a@key0",
        "azure/m1-a@key1",
        "azure/m1-b@key0",
        "lab/m2@key1",
    ]
    assert {one.name: one.requests for one in summary.per_key} == {
        "azure/key0": 2,
        "azure/key1": 1,
        "lab/key1": 1,
    }
    assert {one.name: one.requests for one in summary.per_deployment} == {
        "azure/m1-a": 2,
        "azure/m1-b": 1,
        "lab/m2": 1,
    }
    assert group(summary.per_key, "lab/key1").labels == {"provider": "lab", "key": "key1"}
    assert group(summary.per_model, "m1").requests == 3
    assert group(summary.per_model, "m1").tests.full == 1
    assert group(summary.per_model, "org/m2").itl.n == 3


def test_a_window_is_that_of_the_group_and_not_of_the_run() -> None:
    rows = [request(0), request(1), request(9, lane=OTHER)]
    summary = summarise(make_run([started(), *rows]))
    assert group(summary.per_model, "m1").request_throughput == pytest.approx(2 / 2)
    assert group(summary.per_model, "org/m2").request_throughput == pytest.approx(1 / 1)
    assert summary.overall.request_throughput == pytest.approx(3 / 10)


def test_tokens_per_second_is_absent_as_soon_as_one_answer_has_no_usage() -> None:
    summary = summarise(make_run([started(), request(0), request(1, completion_tokens=None)]))
    one = summary.overall
    assert one.output_tokens_per_s is None
    assert "1 of 2 ok requests without usage" in one.output_tokens_note
    assert one.chunks_per_s == pytest.approx(4)
    assert one.completion_tokens == 8
    assert one.without_usage == 1
    assert one.tpot.n == 1


def test_tpot_is_never_made_from_chunks_one_token_or_an_answer_in_one_piece() -> None:
    rows = [
        request(0, completion_tokens=None),
        request(1, completion_tokens=1),
        request(2, completion_tokens=0),
        request(3, stream=False, chunks=1, chunk_gap_ns=()),
    ]
    one = summarise(make_run([started(), *rows])).overall
    assert one.tpot.n == 0
    assert one.tpot.mean_ms is None
    assert one.ttft.n == 3
    assert one.e2e.n == 4


def test_failed_requests_are_in_no_latency() -> None:
    rows = [request(0), request(1, outcome=Outcome.PROTOCOL), request(2, outcome=Outcome.CANCELLED)]
    one = summarise(make_run([started(), *rows])).overall
    assert (one.ttft.n, one.e2e.n, one.itl.n, one.chunks) == (1, 1, 3, 4)
    assert one.success_share == 0.5, "what we cancelled is nobody's failure"


@pytest.mark.parametrize("n", [10, 11, 63, 64, 129, 130, 661, 662])
def test_percentiles_are_shown_from_their_floor_on(n: int) -> None:
    rows = [request(number, ttft_ns=(number + 1) * MS, chunk_gap_ns=(number * MS,)) for number in range(n)]
    one = summarise(make_run([started(), *rows])).overall
    for found in (one.ttft, one.itl):
        assert found.n == n
        percentiles = ((50, found.p50_ms), (90, found.p90_ms), (95, found.p95_ms), (99, found.p99_ms))
        for q, value in percentiles:
            assert (value is not None) == (n >= FLOORS[q])
            if value is None:
                assert found.notes[f"p{q}"] == f"n/a (n={n} < {FLOORS[q]})"
            else:
                assert f"p{q}" not in found.notes
    if one.ttft.p50_ms is not None:
        assert one.ttft.p50_ms == pytest.approx((n + 1) / 2)
    assert (one.limiter_wait.p95_ms is not None) == (n >= 130)


@settings(deadline=None, max_examples=examples(25))
@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.one_of(st.none(), st.integers(0, 30)), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_the_in_flight_sweep_agrees_with_counting_at_every_instant(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int | None, bool]]
) -> None:
    lanes = (LANE, OTHER)
    rows = [
        request(n, at_ns=at, total_ns=total, lane=lanes[lane]) for n, (at, total, lane) in enumerate(spans)
    ]
    summary = summarise(make_run([started(), *rows], home=tmp_path_factory.mktemp("runs")))

    def expected(chosen: list[tuple[int, int | None, bool]]) -> int:
        whole = [(at, total) for at, total, _ in chosen if total is not None]
        return max(sum(at <= now < at + total for at, total in whole) for now in range(90)) if whole else 0

    assert summary.overall.peak_in_flight == expected(spans)
    for one in summary.per_model:
        chosen = [span for span in spans if lanes[span[2]].model == one.name]
        assert one.peak_in_flight == expected(chosen)
        sent = [(at, total) for at, total, _ in chosen if total is not None]
        if sent and one.window_s:
            window = max(at + total for at, total in sent) - min(at for at, _ in sent)
            assert one.window_s == pytest.approx(window / 1e9)
            assert one.mean_in_flight == pytest.approx(sum(total for _, total in sent) / window)


def test_a_request_that_ends_as_the_next_begins_is_not_in_flight_with_it() -> None:
    one = summarise(make_run([started(), *(request(number) for number in range(5))])).overall
    assert one.peak_in_flight == 1
    assert one.mean_in_flight == pytest.approx(1)


def test_the_first_terminal_verdict_of_a_test_counts_else_the_last_row() -> None:
    rows = [
        judged(0, Verdict.INFRASTRUCTURE, score=None),
        judged(0, Verdict.PARTIAL, attempt=2, score=0.5),
        judged(0, Verdict.FULL, attempt=3),
        judged(1, Verdict.INFRASTRUCTURE, score=None),
        judged(1, Verdict.CANCELLED, attempt=2, score=None),
        judged(2, Verdict.FAILURE, score=0.0),
        judged(2, Verdict.INFRASTRUCTURE, attempt=2, score=None),
        judged(2, Verdict.FULL, attempt=3),
    ]
    run_dir = make_run([started(), *rows])
    summary = summarise(run_dir)
    assert summary.verdicts == {"full": 0, "partial": 1, "failure": 1, "infrastructure": 0, "cancelled": 1}
    assert (summary.done, summary.overall.tests.tests) == (2, 3)
    assert summary.overall.tests.success_rate == 0.5
    tests = pl.read_parquet(run_dir / "tests.parquet")
    assert tests["attempt"].to_list() == [2, 2, 1]
    assert tests["rows"].to_list() == [3, 2, 3]
    assert tests["instance"].to_list() == [0, 1, 2]


@settings(deadline=None, max_examples=examples(30))
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(list(Verdict))), max_size=30))
def test_counted_rows_are_those_of_a_plain_reading(rows: list[tuple[int, Verdict]]) -> None:
    table = pl.DataFrame(
        {"test": [str(test) for test, _ in rows], "verdict": [str(verdict) for _, verdict in rows]},
        schema={"test": pl.String, "verdict": pl.String},
    )
    expected: dict[str, str] = {}
    for test, verdict in rows:
        if expected.get(str(test)) not in ("full", "partial", "failure"):
            expected[str(test)] = str(verdict)
    found = counted(table.lazy()).collect()
    assert dict(found.select("test", "verdict").iter_rows()) == expected
    assert found["rows"].sum() == len(rows)


def test_a_test_without_any_verdict_has_no_success_rate() -> None:
    summary = summarise(make_run([started(), judged(0, Verdict.INFRASTRUCTURE, score=None)]))
    assert summary.overall.tests.success_rate is None
    assert summary.overall.tests.mean_score is None
    assert summary.remaining == 1


def test_tables_bear_lanes_and_test_ids_in_columns() -> None:
    rows = [
        started(),
        request(3, test="org/m2/flawed_missing_step@light/easy/0.8/data_pipeline/17", lane=OTHER),
        request(4, test="prompt/12", completion_tokens=None),
        judged(3, test="org/m2/flawed_missing_step@light/easy/0.8/data_pipeline/17", lane=OTHER),
    ]
    run_dir = make_run(rows)
    summarise(run_dir)
    first, second = pl.read_parquet(run_dir / "requests.parquet").to_dicts()
    expected = {
        "segment": "journal/00-0001.jsonl",
        "line": 2,
        "provider": "lab",
        "model": "org/m2",
        "deployment": "m2",
        "key": "key1",
        "prompt_type": "flawed_missing_step@light",
        "difficulty": "easy",
        "rate": "0.8",
        "task_type": "data_pipeline",
        "instance": 17,
        "outcome": "ok",
        "at_ns": 3 * S,
        "chunk_gap_ns": [100 * MS, 200 * MS, 400 * MS],
        "tpot_ns": 100 * MS,
        "error": None,
        "stream": True,
        "simulated": False,
    }
    assert {name: first[name] for name in expected} == expected
    assert second["test"] == "prompt/12"
    assert [second[name] for name in ("prompt_type", "difficulty", "rate", "task_type", "instance")] == [
        None
    ] * 5
    (test,) = pl.read_parquet(run_dir / "tests.parquet").to_dicts()
    assert (test["verdict"], test["instance"], test["model"], test["simulated"]) == (
        "full",
        17,
        "org/m2",
        False,
    )


def test_an_empty_journal_has_tables_with_all_columns_and_no_figures() -> None:
    run_dir = make_run([])
    summary = summarise(run_dir)
    assert summary.overall.requests == 0
    assert summary.overall.ttft.notes["p50"] == "n/a (n=0 < 11)"
    assert summary.per_model == ()
    assert summary.state == "partial"
    assert summary.partial
    full = make_run([started(), request(0, error="x"), judged(0)], "full")
    summarise(full)
    for name in ("requests.parquet", "tests.parquet"):
        empty = pl.read_parquet(run_dir / name)
        assert empty.height == 0
        assert empty.schema == pl.read_parquet(full / name).schema


def test_json_storage_writes_lines_and_takes_the_stale_parquet_away() -> None:
    run_dir = make_run([started(), request(0), judged(0), ended(1, 1)])
    parquet = summarise(run_dir)
    assert parquet.files == ("requests.parquet", "tests.parquet")
    made = summarise(run_dir, storage="json")
    assert made.files == ("requests.jsonl", "tests.jsonl")
    assert made.overall == parquet.overall
    (line,) = (run_dir / "requests.jsonl").read_text().splitlines()
    assert json.loads(line)["chunk_gap_ns"] == [100 * MS, 200 * MS, 400 * MS]
    assert json.loads((run_dir / "tests.jsonl").read_text())["verdict"] == "full"
    assert sorted(path.name for path in run_dir.iterdir()) == [
        "journal",
        "requests.jsonl",
        "run.toml",
        "summary.json",
        "tests.jsonl",
    ]
    empty = make_run([], "empty")
    summarise(empty, storage="json")
    assert (empty / "requests.jsonl").read_bytes() == b""


def test_derived_files_are_private_and_nothing_else_is_left() -> None:
    run_dir = make_run([started(), request(0), judged(0)])
    summarise(run_dir)
    assert sorted(path.name for path in run_dir.iterdir()) == [
        "journal",
        "requests.parquet",
        "run.toml",
        "summary.json",
        "tests.parquet",
    ]
    for path in run_dir.iterdir():
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_summary_json_holds_the_figures_and_their_definitions() -> None:
    run_dir = make_run([started(), request(0, simulated=True), judged(0)])
    summary = summarise(run_dir)
    found: dict[str, Any] = json.loads((run_dir / "summary.json").read_text())
    assert found["simulated"] is True
    assert found["overall"]["ttft"]["mean_ms"] == summary.overall.ttft.mean_ms
    assert "never from chunk counts" in found["definitions"]["tpot"]
    assert pl.read_parquet(run_dir / "tests.parquet")["simulated"].to_list() == [True]


def test_what_a_crash_left_of_an_earlier_summary_is_cleared() -> None:
    run_dir = make_run([started(), request(0), judged(0)])
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    for name in (f".summary-{gone.pid}-abc", ".summary-abc", f".summary-{os.getpid()}-abc"):
        (run_dir / name).mkdir()
        (run_dir / name / "requests-00000.parquet").touch()
    summarise(run_dir)
    left = [path.name for path in run_dir.iterdir() if path.name.startswith(".")]
    assert left == [f".summary-{os.getpid()}-abc"], "another thread of this process may be at work in it"


def test_a_damaged_journal_is_summarised_without_the_damage() -> None:
    run_dir = make_run([started(), request(0), request(1), judged(0), judged(1)])
    path = run_dir / "journal" / "00-0001.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"200", b"201", 1)
    path.write_bytes(b"".join(lines)[:-20])
    summary = summarise(run_dir)
    assert summary.overall.requests == 1
    assert summary.done == 1
    assert (summary.damages.torn, summary.damages.damaged) == (1, 1)
    assert any("journal/00-0001.jsonl:3" in note for note in summary.notes)
    assert any("killed in the middle of a write" in note for note in summary.notes)


def test_tables_outlive_a_journal_that_lost_some_of_what_they_hold() -> None:
    run_dir = make_run([started(), request(0), request(1), judged(0), judged(1), ended(2, 2)])
    summarise(run_dir)
    names = ("requests.parquet", "tests.parquet", "summary.json")
    before = {name: (run_dir / name).read_bytes() for name in names}
    segment = run_dir / "journal" / "00-0001.jsonl"
    whole = segment.read_bytes()
    segment.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
    with pytest.raises(ConsoleError, match="holds 1 requests, and the tables made of it before hold 2"):
        summarise(run_dir)
    segment.unlink()
    segment.parent.rmdir()
    with pytest.raises(ConsoleError, match="holds 0 requests") as gone:
        summarise(run_dir)
    assert "put the whole of journal/ back" in (gone.value.hint or "")
    assert {name: (run_dir / name).read_bytes() for name in names} == before
    (run_dir / "summary.json").unlink()
    assert "its beginning is gone" in summarise(run_dir).partial_reason


def test_a_killed_run_is_partial_and_a_live_one_says_so() -> None:
    run_dir = make_run([started(), request(0), judged(0)])
    (run_dir / "plan.json").write_text('{"jobs":[{"tests":["a","b"]},{"tests":["c"]}]}')
    with hold_run_lock(run_dir):
        live = summarise(run_dir)
    assert (live.state, live.partial) == ("live", True)
    assert "so far" in live.partial_reason
    dead = summarise(run_dir)
    assert (dead.state, dead.partial, dead.planned, dead.remaining) == ("partial", True, 3, 2)
    assert "without saying so" in dead.partial_reason


def test_an_interrupted_run_is_partial_unless_nothing_was_left() -> None:
    some = summarise(make_run([started(), judged(0), ended(3, 1, "interrupted")], "some"))
    assert (some.state, some.partial, some.remaining) == ("interrupted", True, 2)
    none = summarise(make_run([started(), judged(0), ended(1, 1, "interrupted")], "none"))
    assert (none.state, none.partial) == ("interrupted", False)


def test_a_resumed_run_counts_once_and_the_time_between_is_in_no_rate() -> None:
    run_dir = make_run(
        [started(wall="2026-11-20T10:00:00+00:00"), request(0), judged(0), judged(1, Verdict.INFRASTRUCTURE),
         ended(2, 1, "interrupted", at_ns=4 * S)]
    )  # fmt: skip
    add_rows(
        run_dir,
        [started(wall="2026-11-20T13:00:00.000+01:00", resumed=True), request(1, at_ns=0), judged(1),
         ended(2, 2, at_ns=2 * S)],
    )  # fmt: skip
    summary = summarise(run_dir)
    assert (summary.state, summary.done, summary.remaining, summary.sessions) == ("finished", 2, 0, 2)
    assert summary.started == "2026-11-20T10:00:00+00:00"
    assert summary.duration_s == 6
    assert summary.overall.window_s == 2
    assert summary.overall.request_throughput == 1
    assert summary.overall.peak_in_flight == 1
    table = pl.read_parquet(run_dir / "requests.parquet")
    assert table["session"].to_list() == [0, 1]
    assert table["at_ns"].to_list() == [0, 0]
    assert table["since_first_ns"].to_list() == [0, 2 * 3600 * S]


def test_rotated_segments_go_on_with_their_session() -> None:
    run_dir = make_run([started(), request(0)])
    add_rows(run_dir, [request(1), ended(2, 2)])
    summary = summarise(run_dir)
    assert summary.sessions == 1
    assert summary.overall.window_s == 2


def test_two_processes_side_by_side_share_one_window() -> None:
    run_dir = make_run([started(), request(0), request(1), ended(4, 0)])
    add_rows(run_dir, [started(), request(0, test="prompt/8"), request(1, test="prompt/9"), ended(4, 0)], 1)
    one = summarise(run_dir).overall
    assert one.window_s == 2
    assert one.peak_in_flight == 2
    assert one.mean_in_flight == pytest.approx(2)


def test_a_level_of_load_counts_prompts() -> None:
    rows = [
        request(0, test="prompt/0", outcome=Outcome.RATE_LIMITED),
        request(1, test="prompt/0", try_no=2),
        request(2, test="prompt/1", outcome=Outcome.TIMEOUT_TOTAL),
        request(3, test="prompt/2", outcome=Outcome.CANCELLED),
    ]
    summary = summarise(make_run([started(), *rows, ended(5, 1, "interrupted")]))
    assert (summary.unit, summary.planned, summary.done, summary.remaining) == ("prompts", 5, 1, 4)
    assert (summary.infrastructure_failures, summary.cancelled, summary.not_run) == (1, 1, 2)
    assert summary.failures == {"timeout_total": 1}


def test_many_gaps_are_counted_in_buckets_within_half_a_percent() -> None:
    rows = [
        request(n, chunk_gap_ns=tuple((n * 37 + k * 101) % 9_973 * 10_000 + 1 for k in range(20)), lane=lane)
        for n in range(200)
        for lane in (LANE, OTHER)
    ]
    run_dir = make_run([started(), *rows])
    exact = summarise(run_dir)
    rough = summarise(run_dir, exact_gaps=1)
    assert rough.overall.itl.approximate
    assert not exact.overall.itl.approximate
    pairs = [(exact.overall, rough.overall), *zip(exact.per_lane, rough.per_lane, strict=True)]
    for one, other in pairs:
        assert other.itl.n == one.itl.n
        for name in ("mean_ms", "std_ms", "min_ms", "max_ms"):
            assert getattr(other.itl, name) == pytest.approx(getattr(one.itl, name), rel=1e-9)
        for name in ("p50_ms", "p95_ms", "p99_ms"):
            assert getattr(other.itl, name) == pytest.approx(getattr(one.itl, name), rel=0.011)
    assert rough.overall.e2e == exact.overall.e2e


def test_several_parts_make_one_table_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.records.tables._BATCH_ROWS", 7)
    run_dir = make_run([started(), *(request(n) for n in range(50)), *(judged(n) for n in range(50))])
    summary = summarise(run_dir)
    assert pl.read_parquet(run_dir / "requests.parquet")["line"].to_list() == list(range(2, 52))
    assert pl.read_parquet(run_dir / "tests.parquet")["instance"].to_list() == list(range(50))
    assert summary.overall.requests == 50


def test_a_summary_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    run_dir = make_run([started(), request(0)])
    (run_dir / "summary.json").mkdir()
    with pytest.raises(ConsoleError, match="cannot be written") as raised:
        summarise(run_dir)
    assert raised.value.where == str(run_dir)
    with pytest.raises(ConsoleError, match="this is no run"):
        summarise(tmp_path)


def test_rows_of_a_newer_version_are_told() -> None:
    run_dir = make_run([started(), request(0)])
    body = b'{"type":"weather","at_ns":1'
    with (run_dir / "journal" / "00-0001.jsonl").open("ab") as file:
        file.write(b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body)))
    summary = summarise(run_dir)
    assert summary.damages.unknown == {"weather": 1}
    assert "1 rows of kind weather are not known to this version" in summary.notes


def test_covered_time_is_the_union_of_spans() -> None:
    assert covered_ns([]) == 0
    assert covered_ns([(5, 7), (0, 2)]) == 4
    assert covered_ns([(0, 10), (2, 3), (8, 12), (12, 13)]) == 13


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([1], 99, 1),
        ([3, 1, 2], 50, 2),
        ([1, 2, 3, 4], 50, 2.5),
        ([1, 2, 3, 4], 25, 1.75),
        ([10, 20], 95, 19.5),
        ([1, 2, 3, 4, 5], 0, 1),
        ([1, 2, 3, 4, 5], 100, 5),
    ],
)
def test_percentiles_are_those_of_numpy(values: list[float], q: float, expected: float) -> None:
    assert percentile(values, q) == pytest.approx(expected)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50), st.floats(0, 100))
def test_percentiles_agree_with_polars_and_stay_within_the_values(values: list[float], q: float) -> None:
    found = percentile(values, q)
    assert min(values) <= found <= max(values)
    expected = pl.Series(values).quantile(q / 100, "linear")
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_a_percentile_of_nothing_or_beyond_100_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
    with pytest.raises(ValueError, match="percentage"):
        percentile([1], 101)


def test_a_run_whose_limits_were_changed_by_hand_says_so() -> None:
    def told(*kinds: str) -> list[str]:
        rows = [EventRow(at_ns=S, level="note", kind=kind, text="workers 5 → 4, by hand") for kind in kinds]
        made = make_run([started(), request(), judged(), *rows, ended(1, 1)], f"r{len(kinds)}")
        return [note for note in summarise(made).notes if "by hand" in note]

    assert told("pause", "resume", "lane_off") == []
    (once,) = told("tune")
    assert once.startswith("limits were changed by hand once (see events)")
    (twice,) = told("tune", "adapt")
    assert twice.startswith("limits were changed by hand 2 times (see events)")
