"""The steady part of a level: without its beginning and its drain, and judged by the user's limits."""

from __future__ import annotations

import random

import pytest

from console.capacity.level_stats import Reported
from console.capacity.level_steady import slo_code, steady_part
from console.capacity.slo import parse_slo
from console.engine.arrivals import Level, Ramp
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.errors import ExitCode
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

MS = 1_000_000
VALID = ClientHealth(verdict="valid")


def closed_loop(
    count: int, loops: int, *, seed: int = 0, cv: float = 0.5, failing: float = 0.0
) -> list[RequestRow]:
    """Play a server that answers in 1 s on average, whoever else is there, to loops that never wait."""
    rng = random.Random(seed)
    free = [0.0] * loops
    rows: list[RequestRow] = []
    for number in range(count):
        loop = min(range(loops), key=free.__getitem__)
        at_s, takes_s = free[loop], rng.gammavariate(1 / cv**2, cv**2)
        free[loop] = at_s + takes_s
        ok = rng.random() >= failing
        rows.append(
            RequestRow(
                test=f"prompt/{number}", lane=Lane("p", "m", "m", "-"), outcome=Outcome.OK if ok else Outcome.SERVER_ERROR,
                at_ns=int(at_s * 1e9), ttft_ns=int(takes_s * 2e8) if ok else None, latency_ns=int(takes_s * 1e9) if ok else None,
                total_ns=int(takes_s * 1e9), chunks=10, prompt_tokens=5, completion_tokens=10 if ok else None,
            )
        )  # fmt: skip
    return rows


def report(*slos: str) -> Reported:
    return Reported(slos=tuple(parse_slo(text) for text in slos))


def test_throughput_is_that_of_the_server_where_the_whole_level_reads_too_little():
    level = Level(max_concurrency=20, request_rate=None)
    rows = closed_loop(600, 20)
    outcome = steady_part(level, rows, report(), client=VALID)
    assert outcome is not None
    assert (outcome.validity, outcome.reasons) == ("valid", ())
    assert outcome.requests_per_s.value == pytest.approx(20, rel=0.05)
    assert outcome.in_flight == pytest.approx(20, rel=0.01)
    short = closed_loop(200, 20, cv=1.0)
    whole = len(short) / max(row.at_ns + row.total_ns for row in short) * 1e9
    inside = steady_part(level, short, report(), client=VALID)
    assert inside is not None
    assert whole < 17
    assert inside.requests_per_s.value == pytest.approx(20, rel=0.15)


def test_warm_ups_are_load_and_no_part_of_what_is_measured():
    level = Level(max_concurrency=10, request_rate=None, warm_ups=100)
    rows = closed_loop(500, 10)
    outcome = steady_part(level, rows, report(), client=VALID)
    assert outcome is not None
    assert outcome.from_ns >= rows[100].at_ns
    assert outcome.in_flight == pytest.approx(10, rel=0.01), "from its first moment on"


@pytest.mark.parametrize(
    ("slos", "failing", "code"),
    [
        ((), 0.5, ExitCode.DONE),
        (("success>=95%", "ttft_p95<1s"), 0.0, ExitCode.DONE),
        (("success>=95%",), 0.3, ExitCode.CHECK_FAILED),
        (("ttft_mean<100ms", "success>=95%"), 0.0, ExitCode.CHECK_FAILED),
        (("success>=99.99%",), 0.0, ExitCode.INCOMPLETE),
    ],
)
def test_the_users_limits_decide_the_exit_code(slos, failing, code):
    asked = report(*slos)
    level = Level(max_concurrency=20, request_rate=None)
    outcome = steady_part(level, closed_loop(1500, 20, failing=failing), asked, client=VALID)
    assert slo_code(outcome, asked) is code


def test_what_is_no_measurement_decides_nothing():
    asked = report("success>=95%")
    slow = ClientHealth(verdict="client_bound", reason="too slow")
    level = Level(max_concurrency=20, request_rate=None)
    outcome = steady_part(level, closed_loop(1500, 20), asked, client=slow)
    assert outcome is not None
    assert outcome.validity == "invalid"
    assert slo_code(outcome, asked) is ExitCode.INCOMPLETE
    assert steady_part(level, [], asked, client=None) is None
    assert slo_code(None, asked) is ExitCode.INCOMPLETE


def test_a_ramp_has_no_steady_window_and_the_server_is_asked_for_the_window_alone():
    ramp = Ramp(strategy="linear", start_rps=1, end_rps=9)
    ramped = Level(max_concurrency=None, request_rate=5.0, ramp=ramp)
    outcome = steady_part(ramped, closed_loop(300, 20), report(), client=VALID)
    assert outcome is not None
    assert outcome.reasons[0] == "no steady window: the rate was to change all the time"
    windows: list[tuple[int, int]] = []

    def server(from_ns: int, to_ns: int) -> dict[str, float]:
        windows.append((from_ns, to_ns))
        return {"kv_cache_max": 0.5, "samples": 30.0}

    steady = steady_part(Level(max_concurrency=20, request_rate=None), closed_loop(600, 20), report(), client=VALID, server=server)  # fmt: skip
    assert steady is not None
    assert windows == [(steady.from_ns, steady.to_ns)]
    assert steady.server["kv_cache_max"] == 0.5
