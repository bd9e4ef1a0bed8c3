"""Whether a level measured what it was meant to: VALID, SUSPECT (read it with care) or INVALID (it says nothing).

What is SUSPECT or INVALID is said in words, worst first. A rule asks whether the server bears a level; this, whether
the level was the one that was asked for, and whether it was the server that was measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from console.capacity.steady import NotSteady, Window
from console.records.percentile import FLOORS
from console.vocabulary.client_health import ClientHealth, alarm_text
from console.vocabulary.level import LevelOutcome, Validity
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

LITTLE: Final = 0.05
"""Largest |N - X·R| / N."""
FULL: Final = 0.95
"""Smallest share of its concurrency that a closed loop has in flight on average."""
ACHIEVED: Final = 0.05
"""Largest distance from the rate that was asked for."""
DRIFT: Final = 0.10
"""Largest change of the mean output length from the level before."""
BUSY_CPU: Final = 0.85
"""Share of a core from which on the client is near its end, whether or not its delays show it."""
FILES: Final = 0.95
"""Share of the limit of open files from which on connections fail on our side."""
FEWEST_ENDED: Final = FLOORS[50]
"""Below so many requests not even a median is told."""
_BEFORE_THE_MODEL: Final = frozenset(
    outcome.value
    for outcome in (
        Outcome.CONNECTION,
        Outcome.TIMEOUT_CONNECT,
        Outcome.AUTH,
        Outcome.BAD_REQUEST,
        Outcome.CANCELLED,
    )
)
"""How requests end that no model has seen."""
Findings = list[tuple[Validity, str]]


def validate(
    outcome: LevelOutcome,
    *,
    window: Window | NotSteady,
    health: ClientHealth | None,
    before: LevelOutcome | None,
    disturbed: str = "",
    starved_by: str = "",
    open_files: tuple[int, int] | None = None,
    answered_before: bool = False,
) -> tuple[Validity, tuple[str, ...]]:
    """Return the verdict on a level as a measurement, and why it is not valid.

    Args:
        outcome: as `measure` returned it; with its rules, where they are judged already.
        window: as `steady_window` returned it.
        health: of the client; None: nobody measured that.
        before: the level before it, of the same subject; None: it is the first.
        disturbed: what happened inside, such as `paused for 3 s`; empty: nothing.
        starved_by: what kept requests from being in flight, as `why_starved` says; empty: nobody asked.
        open_files: how many descriptors the client had open at most, and its limit.
        answered_before: whether any request was answered before the level: refusals are then what comes of its load.
    """
    found: Findings = []
    if disturbed:
        found.append(("invalid", f"disturbed: {disturbed}"))
    # What fails for certain has failed, steady or not: what is overloaded seldom stands still.
    failed = bool(set(outcome.stopped_by) - {"client"})
    unsteady = f"no steady window: {window.reason}" if isinstance(window, NotSteady) else ""
    if unsteady and not failed:
        found.append(("invalid", unsteady))
    found += _of_client(health, open_files)
    unreached = "" if answered_before else _unreached(outcome)
    if unreached:
        found.append(("invalid", unreached))
    elif outcome.ended < FEWEST_ENDED:
        found.append(
            ("suspect", f"only {outcome.ended} requests of the window ended, fewer than {FEWEST_ENDED}")
        )
    elif failed or not unsteady:
        found += [*_of_load(outcome, starved_by), *_of_little(outcome)]
    if before is not None:
        found += _of_length(outcome, before)
    if unsteady and failed:
        found.append(("suspect", unsteady))
    ranked = sorted(found, key=lambda one: one[0] != "invalid")
    return (ranked[0][0] if ranked else "valid"), tuple(reason for _, reason in ranked)


def _of_client(health: ClientHealth | None, open_files: tuple[int, int] | None) -> Findings:
    found: Findings = []
    if health is not None and health.bad:
        verdict: Validity = "invalid" if health.verdict == "client_bound" else "suspect"
        found.append((verdict, alarm_text(health).removeprefix("INVALID: ")))
    elif health is not None and (health.cpu_share or 0.0) > BUSY_CPU:
        found.append(
            ("suspect", f"client near its end: cpu {100 * (health.cpu_share or 0.0):.0f} % of a core")
        )
    if open_files is not None and open_files[0] >= FILES * open_files[1]:
        found.append(
            ("invalid", f"client-bound: {open_files[0]:,} of {open_files[1]:,} files open (ulimit -n)")
        )
    return found


def _unreached(outcome: LevelOutcome) -> str:
    """Say that no request came as far as the model; empty: one did.

    A server that is gone, or an address that is none of one, is nothing that bears no request.
    """
    if not outcome.ended or not outcome.outcomes.keys() <= _BEFORE_THE_MODEL:
        return ""
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in outcome.outcomes.items())
    return f"no request reached the model: {counts}"


def _of_load(outcome: LevelOutcome, starved_by: str) -> Findings:
    """Ask whether the load was the one that was due."""
    if outcome.rate is None:
        if outcome.in_flight >= FULL * outcome.concurrency:
            return []
        why = f": {starved_by}" if starved_by else ""
        return [("suspect", f"starved: {outcome.in_flight:.1f} of {outcome.concurrency} in flight{why}")]
    low, high, achieved = _achieved(outcome)
    if high < (1 - ACHIEVED) * outcome.rate or low > (1 + ACHIEVED) * outcome.rate:
        return [("suspect", f"{achieved:.2f} requests/s were sent, {outcome.rate:g} were due")]
    return []


def _achieved(outcome: LevelOutcome) -> tuple[float, float, float]:
    """Return bounds of the rate at which requests were sent, and the rate.

    As wide in proportion as those of the answers, and never narrower than chance makes a count.
    """
    rate = outcome.ended / ((outcome.to_ns - outcome.from_ns) / 1e9)
    least = 1 / math.sqrt(max(1, outcome.ended))
    answered = outcome.requests_per_s
    if answered.low is None or answered.high is None or answered.value <= 0:
        return rate * (1 - 2 * least), rate * (1 + 2 * least), rate
    down = max(least, 1 - answered.low / answered.value)
    up = max(least, answered.high / answered.value - 1)
    return rate * (1 - down), rate * (1 + up), rate


def _of_little(outcome: LevelOutcome) -> Findings:
    """Hold in-flight against rate times stay (Little 1961), which is true of any steady window.

    Both come from the same rows, so a difference says that rows are missing or that the window is not steady. The
    requests that the edges cut leave the product uncertain by about the stay over the window, and less the more of
    them there are.
    """
    busy = outcome.in_flight
    if outcome.stay_mean_ms is None or busy <= 0:
        return []
    stay_s = outcome.stay_mean_ms / 1e3
    seconds = (outcome.to_ns - outcome.from_ns) / 1e9
    product = sum(outcome.outcomes.values()) / seconds * stay_s
    off = abs(busy - product) / busy
    chance = 2 * stay_s / seconds / math.sqrt(max(1.0, busy))
    if off <= LITTLE + chance:
        return []
    return [
        ("suspect", f"Little's law is off by {100 * off:.0f} %: {busy:.1f} in flight, X·R = {product:.1f}")
    ]


def _of_length(outcome: LevelOutcome, before: LevelOutcome) -> Findings:
    """Ask whether answers are as long as they were: levels of different lengths have throughputs that do not compare."""
    now, then = outcome.output_tokens_mean, before.output_tokens_mean
    if not now or not then:
        return []
    change = now / then - 1
    if abs(change) <= DRIFT or abs(now - then) <= 2 * math.hypot(_error(outcome), _error(before)):
        return []
    return [("suspect", f"mean output of {now:.0f} tokens, {100 * change:+.0f} % against the level before")]


def _error(outcome: LevelOutcome) -> float:
    """Return the standard error of the mean output length."""
    answers = max(1, round(outcome.success.value * outcome.success.n))
    return (outcome.output_tokens_cv or 0.0) * (outcome.output_tokens_mean or 0.0) / math.sqrt(answers)


def why_starved(rows: Sequence[RequestRow], window: Window, concurrency: int) -> str:
    """Say what kept the loops of a closed loop from having a request in flight, by what they waited for the longest.

    A loop waits for gates (limits of the profile, or shared with other runs), is held (paused, the server asked for
    it), or rests before it tries again; what is left is the client's own: it was late, or out of prompts.
    """
    inside = [row for row in rows if window.from_ns <= row.at_ns < window.to_ns]
    whole_ns = concurrency * (window.to_ns - window.from_ns)
    busy_ns = sum(
        min(row.at_ns + (row.total_ns or 0), window.to_ns) - max(row.at_ns, window.from_ns)
        for row in rows
        if row.at_ns < window.to_ns and row.at_ns + (row.total_ns or 0) > window.from_ns
    )
    waits = {
        "limits of the profile": sum(row.limiter_wait_ns for row in inside),
        "held back, as the server asked or by hand": sum(row.held_ns for row in inside),
        "rests before retries": sum(row.retry_wait_ns for row in inside),
    }
    waits["the client: late, or out of prompts"] = whole_ns - busy_ns - sum(waits.values())
    cause, waited_ns = max(waits.items(), key=lambda one: one[1])
    return f"{cause} ({100 * waited_ns / whole_ns:.0f} % of the time)" if waited_ns > 0 else ""
