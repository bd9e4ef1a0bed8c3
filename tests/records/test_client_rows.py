"""The verdict on the client comes from the journal alone, takes the worst process, and is said where figures are."""

from __future__ import annotations

import msgspec
import pytest
from made_rows import MS, S, add_rows, ended, judged, make_run, request, started, write_plan

from console.records.client_rows import ClientTally, client_health
from console.records.print_summary import render_summary, summary_tables
from console.records.rows_codec import DamagedLine, decode_line, encode_line
from console.records.summary import summarise
from console.vocabulary.client_health import ClientMeasure
from console.vocabulary.log_buckets import bucket_of
from console.vocabulary.rows import ClientRow, Row


def measured(at_s: int = 10, *, read_ms: float = 0.4, n: int = 1000, cpu: float = 0.31) -> ClientRow:
    """A window of ten seconds in which every read was that late."""
    return ClientRow(
        at_ns=at_s * S,
        measure=ClientMeasure(
            read_delay={bucket_of(round(read_ms * MS)): n},
            loop_lag={bucket_of(1_300_000): n},
            cpu_ns=round(cpu * 10 * S),
            wall_ns=10 * S,
        ),
        probe="timerfd",
    )


def rows(*client: Row) -> list[Row]:
    """Twelve answered tests, TTFT 200 ms each, and what the client wrote of itself."""
    tests = [judged(number) for number in range(12)]
    return [started(), *(request(number) for number in range(12)), *tests, *client, ended(12, 12)]


def run_of(*client: Row):
    return write_plan(make_run(rows(*client)), m1=range(12))


def test_a_row_comes_back_as_it_was_written():
    assert decode_line(encode_line(measured())) == measured()
    assert decode_line(encode_line(ClientRow(at_ns=1, measure=ClientMeasure()))).measure == ClientMeasure()


@pytest.mark.parametrize("counts", ['{"-1":1}', '{"5":-1}', '{"9999999":1}', '{"1":1e40}', '{"x":1}'])
def test_counts_that_cannot_be_are_damage_and_nothing_breaks(counts):
    import zlib

    body = b'{"type":"client","at_ns":1,"measure":{"read_delay":%b}' % counts.encode()
    with pytest.raises(DamagedLine):
        decode_line(b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body)))


def test_windows_are_added_up_and_the_worst_process_decides():
    tally = ClientTally()
    assert tally.health(100) is None
    for at_s in (10, 20):
        tally.add(0, measured(at_s))
    assert tally.health(100).verdict == "valid"
    assert tally.health(100).samples == 2000
    tally.add(1, measured(read_ms=18))
    health = tally.health(100)
    assert health.verdict == "client_bound"
    assert health.reason.startswith("process 1 of 2: stream read delay p99 1")
    assert health.samples == 1000
    tally.add(2, measured(n=3))
    assert tally.health(10_000).verdict == "valid"


def test_a_bad_minute_in_a_good_hour_is_told_beside_the_verdict():
    tally = ClientTally()
    for window in range(300):
        tally.add(0, measured(read_ms=30 if window in (7, 8) else 0.4))
    health = tally.health(100)
    assert (health.verdict, health.over_s) == ("valid", 20)
    assert tally.health(5000).over_s == 0


def test_a_valid_run_says_so_below_its_figures():
    summary = summarise(run_of(measured(), measured(20)))
    assert summary.client is not None
    text = render_summary(summary, 100)
    assert "client: VALID (read delay p99 0.4 ms, loop lag p99 1.3 ms, cpu 31 %)" in text
    assert "INVALID" not in text
    assert text.index("client: VALID") > text.index("Load per key")


def test_an_invalid_run_says_so_above_its_figures_in_the_titles_of_its_latencies_and_in_its_file():
    run_dir = run_of(measured(read_ms=35))
    summary = summarise(run_dir)
    text = render_summary(summary, 80)
    assert "client: INVALID: client-bound - latencies are not the server's" in text
    assert text.index("client: INVALID") < text.index("Tests per model")
    assert all(len(line) <= 80 for line in text.splitlines())
    titles = [table.title for table in summary_tables(summary, lanes=True)]
    assert titles == [
        "Tests per model",
        "Speed per model",
        "Latency per model (INVALID: client-bound)",
        "Load per key (INVALID: client-bound)",
        "Load per lane (INVALID: client-bound)",
    ]
    written = msgspec.json.decode((run_dir / "summary.json").read_bytes())["client"]
    assert written["verdict"] == "client_bound"
    assert written["read_delay_p99_ms"] == pytest.approx(35, rel=0.011)
    assert "10 % of TTFT p50 (200 ms)" in written["reason"]


def test_a_suspect_run_gives_the_figure_and_leaves_the_titles_alone():
    summary = summarise(run_of(measured(read_ms=8)))
    assert "client: SUSPECT (stream read delay p99 " in render_summary(summary, 200)
    assert not any("INVALID" in table.title for table in summary_tables(summary))


def test_marks_of_a_title_stand_side_by_side():
    simulated = [started(), *(request(number, simulated=True) for number in range(12)), measured(read_ms=35)]
    titles = [table.title for table in summary_tables(summarise(make_run(simulated)))]
    assert "Latency per model (SIMULATED, INVALID: client-bound)" in titles


def test_too_short_a_run_has_no_verdict_and_a_run_without_rows_says_nothing():
    short = render_summary(summarise(run_of(measured(n=40))), 100)
    assert "client: n/a (too little time with requests in flight: 40 probes < 130)" in short
    assert "client:" not in render_summary(summarise(make_run(rows(), "old")), 100)


def test_the_journal_alone_tells_a_level_and_damage_is_passed_over():
    run_dir = run_of(measured())
    add_rows(run_dir, [started(), measured(read_ms=60)], process=1)
    with (run_dir / "journal" / "01-0000.jsonl").open("ab") as file:
        file.write(b'{"type":"client","at_ns":1,"measure":{}}\n{"type":"client')
    health = client_health(run_dir, 200)
    assert health is not None
    assert (health.verdict, health.samples) == ("client_bound", 1000)
    assert health.reason.startswith("process 1 of 2: ")
    assert client_health(make_run(rows(), "old"), 200) is None
