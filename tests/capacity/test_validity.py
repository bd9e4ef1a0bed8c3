"""A level that did not measure what it was meant to says so, and why."""

from __future__ import annotations

import random

import msgspec
import pytest
from made_level import MS, S, Server, closed_loop, ended_ns, made_row, open_loop

from console.capacity.measure import LevelAsked, measure
from console.capacity.steady import NotSteady, Window, steady_window
from console.capacity.validity import validate, why_starved
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.level import LevelOutcome, RuleOutcome, Validity

FINE = ClientHealth(verdict="valid", cpu_share=0.3)
LASTS_S = 20


def measured(rows, loops=10, rate=None) -> tuple[LevelOutcome, Window]:
    window = steady_window(rows, 0, LASTS_S * S, concurrency=None if rate else loops)
    assert isinstance(window, Window)
    asked = LevelAsked(
        number=1, purpose="scan", concurrency=loops, rate=rate, begun_ns=0, ended_ns=LASTS_S * S
    )
    return measure(asked, rows, window), window


@pytest.fixture(scope="module")
def level() -> tuple[LevelOutcome, Window]:
    return measured(closed_loop(Server(random.Random(1)), 10, LASTS_S))


def verdict(
    level: tuple[LevelOutcome, Window], *, window: NotSteady | None = None, **fields
) -> tuple[Validity, tuple[str, ...]]:
    outcome = msgspec.structs.replace(level[0], **fields.pop("changed", {}))
    return validate(outcome, **{"window": window or level[1], "health": FINE, "before": None, **fields})


def test_a_level_that_is_what_was_asked_for_is_valid(level):
    assert verdict(level) == ("valid", ())
    assert verdict(level, health=None, before=level[0], open_files=(40, 1024)) == ("valid", ())


def test_levels_of_known_servers_are_nearly_always_valid():
    """Closed and open loops, below and above the capacity: 1 of 45 may be called otherwise by chance."""
    wrong = []
    for seed in range(15):
        for loops, slots, rate in ((2, None, None), (12, 8, None), (1000, None, 10.0)):
            server = Server(random.Random(seed), slots, cv=0.6)
            rows = open_loop(server, rate, LASTS_S) if rate else closed_loop(server, loops, LASTS_S)
            found = verdict(measured(rows, loops, rate))
            wrong += [found] if found[0] != "valid" else []
    assert len(wrong) <= 1, wrong


def test_without_a_steady_window_nothing_was_measured(level):
    found = verdict(level, window=NotSteady("TTFT grows by 40 % in the last 10 s", level[1]))
    assert found == ("invalid", ("no steady window: TTFT grows by 40 % in the last 10 s",))


def test_what_was_disturbed_is_invalid(level):
    assert verdict(level, disturbed="paused for 3 s") == ("invalid", ("disturbed: paused for 3 s",))


def test_the_worst_reason_comes_first(level):
    suspect = ClientHealth(verdict="suspect", reason="loop lag p99 8.0 ms > 5 ms")
    found = verdict(level, health=suspect, disturbed="limits were changed")
    assert found == (
        "invalid",
        ("disturbed: limits were changed", "client SUSPECT: loop lag p99 8.0 ms > 5 ms"),
    )


@pytest.mark.parametrize(
    ("health", "open_files", "validity", "reason"),
    [
        (ClientHealth(verdict="client_bound", reason="loop lag p99 90.0 ms > 5 ms"), None, "invalid", "client-bound: loop lag"),
        (ClientHealth(verdict="valid", cpu_share=0.9), None, "suspect", "cpu 90 % of a core"),
        (FINE, (1000, 1024), "invalid", "1,000 of 1,024 files open"),
        (ClientHealth(verdict="unknown", reason="too little time"), None, "valid", ""),
    ],
)  # fmt: skip
def test_the_client_is_not_taken_for_the_server(level, health, open_files, validity, reason):
    found, reasons = verdict(level, health=health, open_files=open_files)
    assert found == validity
    assert reason in " ".join(reasons)


def test_too_few_requests_are_suspect_and_nothing_else_is_asked_of_them():
    rows = [made_row(i * S) for i in range(8)]
    asked = LevelAsked(number=1, purpose="scan", concurrency=50, begun_ns=0, ended_ns=20 * S)
    window = Window(0, 20 * S)
    found = validate(measure(asked, rows, window), window=window, health=FINE, before=None)
    assert found == ("suspect", ("only 8 requests of the window ended, fewer than 11",))


def gated(loops: int, wait_ms: int, **fields) -> list:
    """Loops that wait before each request of half a second."""
    step_ms = 500 + wait_ms
    return sorted(
        (
            made_row(loop * 7 * MS + turn * step_ms * MS, **dict.fromkeys(fields, wait_ms * MS))
            for loop in range(loops)
            for turn in range(LASTS_S * 1000 // step_ms + 1)
        ),
        key=ended_ns,
    )


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("limiter_wait_ns", "limits of the profile"),
        ("held_ns", "held back"),
        ("retry_wait_ns", "rests before retries"),
        (None, "the client"),
    ],
)
def test_a_loop_that_is_not_kept_full_is_suspect_and_says_what_held_it(field, words):
    rows = gated(10, 100, **({field: 1} if field else {}))
    outcome, window = measured(rows)
    starved_by = why_starved(rows, window, 10)
    assert starved_by.startswith(words)
    assert "(17 % of the time)" in starved_by
    validity, reasons = verdict((outcome, window), starved_by=starved_by)
    assert validity == "suspect"
    assert reasons == (f"starved: 8.3 of 10 in flight: {starved_by}",)


def test_an_open_loop_that_falls_short_of_its_rate_is_suspect():
    rows = open_loop(Server(random.Random(2)), 10, LASTS_S, even=True)
    outcome, window = measured(rows, 1000, 10.0)
    assert verdict((outcome, window))[0] == "valid"
    validity, reasons = verdict((outcome, window), changed={"rate": 14.0})
    assert validity == "suspect"
    assert "requests/s were sent, 14 were due" in reasons[0]


def test_littles_law_finds_rows_that_are_missing(level):
    validity, reasons = verdict(level, changed={"stay_mean_ms": 1.3 * (level[0].stay_mean_ms or 0)})
    assert validity == "suspect"
    assert reasons[0].startswith("Little's law is off by 3")


def test_answers_of_another_length_do_not_compare(level):
    longer = msgspec.structs.replace(level[0], output_tokens_mean=1.25 * (level[0].output_tokens_mean or 0))
    validity, reasons = verdict(level, before=longer)
    assert validity == "suspect"
    assert reasons[0].endswith("-20 % against the level before")
    few = msgspec.structs.replace(
        longer, output_tokens_cv=2.0, success=msgspec.structs.replace(longer.success, n=20)
    )
    assert verdict(level, before=few) == ("valid", ())  # so few of so many lengths tell no change


@pytest.mark.parametrize(("rule", "validity"), [("success", "suspect"), ("client", "invalid")])
def test_a_level_that_fails_for_certain_has_failed_though_it_never_stood_still(level, rule, validity):
    drifting = NotSteady("TTFT grows by 40 %", level[1])
    assert verdict(level, window=drifting)[0] == "invalid"
    failed = RuleOutcome(rule=rule, state="fail", limit="", measured="")
    said, reasons = verdict(level, window=drifting, changed={"rules": (failed,)})
    assert said == validity
    assert "no steady window: TTFT grows by 40 %" in reasons
