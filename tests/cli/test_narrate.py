"""Lines of progress: the most important first, on one line, and quiet once nobody reads them."""

from __future__ import annotations

import io

import msgspec

from console.cli.narrate import Narrator, clock, progress_line
from console.vocabulary.client_health import ClientHealth, ClientVerdict
from console.vocabulary.snapshot import EventView, JobView, LaneView, Snapshot

PICTURE = Snapshot(
    seq=1,
    run_id="r",
    run_dir="/r",
    pid=1,
    title="5.1",
    profile="sim",
    simulated=True,
    state="running",
    elapsed_s=65,
    eta_s=3700,
    planned=800,
    done=200,
    requests={"ok": 200, "rate_limited": 3, "connection": 2, "cancelled": 9},
    in_flight=6,
    rate=12.34,
    ttft_p50_ms=101.4,
    lanes=(LaneView(provider="p", model="m", deployment="d", key="k", state="parked"),),
    events=(
        EventView(at_s=1, level="info", subject="", text="started"),
        EventView(at_s=60, level="warn", subject="p/d@k", text="rests\x1b[2J"),
    ),
)


def test_a_line_says_state_progress_time_left_load_and_trouble():
    assert progress_line(PICTURE) == (
        "1:05 running SIMULATED · 200/800 25% · 1 lane parked · eta 1:01:40 · errors 2 · 429 3 · 12.3 req/s · "
        "TTFT p50 101 ms · in flight 6"
    )


def test_a_notice_comes_before_everything_else_and_no_eta_is_told_while_it_stands():
    line = progress_line(msgspec.structs.replace(PICTURE, state="blocked", notice="disk: full", eta_s=None))
    assert line.startswith("1:05 blocked SIMULATED · disk: full · 200/800")
    assert "eta" not in line


def test_warnings_are_told_once_and_made_safe():
    stream = io.StringIO()
    narrator = Narrator(stream, as_json=False)
    narrator.tell(PICTURE)
    narrator.tell(PICTURE)
    assert stream.getvalue().count("1:00 warn: p/d@k rests") == 1
    assert "\x1b" not in stream.getvalue()
    assert narrator.every_s == 10


def test_json_is_one_snapshot_a_line():
    stream = io.StringIO()
    Narrator(stream, as_json=True).tell(PICTURE)
    assert msgspec.json.decode(stream.getvalue(), type=Snapshot) == PICTURE


def test_a_stream_that_is_gone_silences_it_and_nothing_else():
    stream = io.StringIO()
    stream.close()
    narrator = Narrator(stream, as_json=True)
    narrator.tell(PICTURE)
    narrator.tell(PICTURE)


def test_durations_read_as_clocks():
    assert [clock(seconds) for seconds in (-1, 0, 59.6, 3599, 3600)] == [
        "0:00",
        "0:00",
        "1:00",
        "59:59",
        "1:00:00",
    ]


def test_a_client_that_lags_behind_is_told_before_the_figures_and_a_valid_one_is_not():
    def line(verdict: ClientVerdict, reason: str) -> str:
        return progress_line(
            msgspec.structs.replace(PICTURE, health=ClientHealth(verdict=verdict, reason=reason))
        )

    reason = "loop lag p99 18.2 ms > 10 % of TTFT p50 (100 ms)"
    assert line("client_bound", reason).startswith(
        f"1:05 running SIMULATED · INVALID: client-bound: {reason} · 200/800"
    )
    assert line("suspect", "x").startswith("1:05 running SIMULATED · client SUSPECT: x · 200/800")
    assert line("valid", "") == line("unknown", "too little") == progress_line(PICTURE)


def test_a_run_of_which_no_job_works_says_what_it_waits_for():
    def line(*jobs: JobView) -> str:
        return progress_line(msgspec.structs.replace(PICTURE, jobs=jobs))

    def job(**fields):
        return JobView(id="j", title="j", model="m", planned=10, done=0, **fields)

    done, works = job(state="done"), job(state="running")
    soon, later = job(state="staggered", starts_in_s=12), job(state="staggered", starts_in_s=27)
    keyless = job(state="waiting", waits_for_key=True)
    elsewhere = job(state="running", waits_for_key=True, note="p/key0 is in use by run x")
    assert " · next job in 0:12 · eta" in line(done, later, soon)
    assert " · waits for a key · eta" in line(done, keyless)
    assert " · waits for a key: p/key0 is in use by run x · eta" in line(keyless, elsewhere)
    assert line(works, soon, keyless) == line(done) == progress_line(PICTURE)
