"""Whether this client kept up with what it measured: the delays that are ours, and the one rule that judges them.

A load tool that is too busy itself reports its own delays as the server's. What it could have added to a latency
is measured apart (`ClientMeasure`), and the p99 of the worst of these delays is held against the latency it would
hide in: above 10 % of the median TTFT a run is INVALID, above 2 % SUSPECT, and up to 5 ms nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from console.vocabulary.log_buckets import Counts, merged, quantile_ms

ClientVerdict = Literal["valid", "suspect", "client_bound", "unknown"]
SEVERITY: Final[dict[ClientVerdict, int]] = {"unknown": 0, "valid": 1, "suspect": 2, "client_bound": 3}
CLIENT_WORDS: Final[dict[ClientVerdict, str]] = {
    "valid": "VALID",
    "suspect": "SUSPECT",
    "client_bound": "INVALID: client-bound",
    "unknown": "n/a",
}
"""A verdict as people read it."""
LEAST_MS: Final = 5.0
"""A delay up to here is never held against a run."""
SUSPECT_SHARE: Final = 0.02
INVALID_SHARE: Final = 0.10
FLOOR: Final = 130
"""Fewest samples for a verdict. The floor of a p99 is 662 where samples stand for a population; the probe's are a
grid over the very time that is judged, so 130, which is 1.3 s of it, say what the slowest hundredth of it was."""
FULL_CORE: Final = 0.9
"""CPU seconds per second from which on the process itself is what is too slow."""
CROWDED: Final = 0.05
"""Share of the time without a CPU from which on other programs are."""


class ClientMeasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one engine process measured of itself over some time; delays in logarithmic buckets, mergeable."""

    read_delay: Counts = {}
    """From the arrival of data at this machine to our read of it, by a probe that arrives every 10 ms."""
    loop_lag: Counts = {}
    """How late timers of the event loop ran."""
    schedule_delay: Counts = {}
    """From the moment a request might be sent, on a connection that was ready, to its first byte; in open loop
    also from when it was due to when its task ran."""
    cpu_ns: int = 0
    """CPU time of the process, all threads."""
    waited_ns: int = 0
    """For how long the event loop was ready to run and had no CPU, where the system tells."""
    wall_ns: int = 0


class ClientHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on the client, of the worst process where there are several."""

    verdict: ClientVerdict
    reason: str = ""
    """Why it is not valid, with the figures; empty: it is."""
    hint: str = ""
    """What to do about it."""
    read_delay_p99_ms: float | None = None
    loop_lag_p99_ms: float | None = None
    schedule_delay_p99_ms: float | None = None
    cpu_share: float | None = None
    """CPU seconds per second; 1 is a whole core."""
    waited_share: float | None = None
    """Seconds per second in which it was kept from a CPU."""
    samples: int = 0
    """Of the read probe."""
    over_s: float = 0.0
    """How long it was over the bound of SUSPECT, by the windows of the journal."""

    @property
    def bad(self) -> bool:
        """Whether there is anything to say."""
        return self.verdict in ("suspect", "client_bound")

    @property
    def worst_ms(self) -> float:
        """The p99 of the longest delay; 0 where none is known."""
        return max(
            self.read_delay_p99_ms or 0.0, self.loop_lag_p99_ms or 0.0, self.schedule_delay_p99_ms or 0.0
        )


def merged_measures(measures: Iterable[ClientMeasure]) -> ClientMeasure:
    """Return the measure of all the time together."""
    several = list(measures)
    return ClientMeasure(
        read_delay=merged(one.read_delay for one in several),
        loop_lag=merged(one.loop_lag for one in several),
        schedule_delay=merged(one.schedule_delay for one in several),
        cpu_ns=sum(one.cpu_ns for one in several),
        waited_ns=sum(one.waited_ns for one in several),
        wall_ns=sum(one.wall_ns for one in several),
    )


def judge_client(measure: ClientMeasure, ttft_p50_ms: float | None, *, floor: int = FLOOR) -> ClientHealth:
    """Apply the rule to one process.

    Args:
        measure: what it measured.
        ttft_p50_ms: median TTFT of the same time; None: not known, and only up to 5 ms there is a verdict.
        floor: fewest samples for one.
    """
    p99 = {
        "stream read delay": quantile_ms(measure.read_delay, 0.99, FLOOR),
        "loop lag": quantile_ms(measure.loop_lag, 0.99, FLOOR),
        "schedule delay": quantile_ms(measure.schedule_delay, 0.99, FLOOR),
    }
    samples = sum(measure.read_delay.values())
    cpu_share, waited_share = _share(measure.cpu_ns, measure), _share(measure.waited_ns, measure)
    name, worst_ms = max(((name, value or 0.0) for name, value in p99.items()), key=lambda found: found[1])
    verdict: ClientVerdict = "valid"
    reason = hint = ""
    if samples < floor:
        verdict = "unknown"
        reason = f"too little time with requests in flight: {samples} probes < {floor}"
    elif ttft_p50_ms is None and worst_ms > LEAST_MS:
        verdict = "unknown"
        reason = f"{name} p99 {worst_ms:.1f} ms, and too few answers to tell how much that is of a TTFT"
    elif worst_ms > bound_ms(INVALID_SHARE, ttft_p50_ms):
        verdict = "client_bound"
        reason = f"{name} p99 {worst_ms:.1f} ms > {_bound_text(INVALID_SHARE, ttft_p50_ms)}"
    elif worst_ms > bound_ms(SUSPECT_SHARE, ttft_p50_ms):
        verdict = "suspect"
        reason = f"{name} p99 {worst_ms:.1f} ms > {_bound_text(SUSPECT_SHARE, ttft_p50_ms)}"
    if verdict in ("suspect", "client_bound"):
        hint = _hint(cpu_share or 0.0, waited_share or 0.0)
    return ClientHealth(
        verdict=verdict,
        reason=reason,
        hint=hint,
        read_delay_p99_ms=p99["stream read delay"],
        loop_lag_p99_ms=p99["loop lag"],
        schedule_delay_p99_ms=p99["schedule delay"],
        cpu_share=cpu_share,
        waited_share=waited_share,
        samples=samples,
    )


def bound_ms(share: float, ttft_p50_ms: float | None) -> float:
    """Return the delay that `share` of the median TTFT allows."""
    return max(LEAST_MS, share * (ttft_p50_ms or 0.0))


def _bound_text(share: float, ttft_p50_ms: float | None) -> str:
    if ttft_p50_ms is None or share * ttft_p50_ms <= LEAST_MS:
        return f"{LEAST_MS:g} ms (TTFT p50 {ttft_p50_ms or 0.0:.0f} ms)"
    return f"{100 * share:g} % of TTFT p50 ({ttft_p50_ms:.0f} ms)"


def _share(ns: int, measure: ClientMeasure) -> float | None:
    return ns / measure.wall_ns if measure.wall_ns > 0 else None


def _hint(cpu_share: float, waited_share: float) -> str:
    """Say what to do: our own work, the work of others, and what is neither have different remedies."""
    cpu = f"cpu {100 * cpu_share:.0f} %"
    if cpu_share > FULL_CORE:
        return f"{cpu} of a core: more --processes, or fewer requests at a time"
    if waited_share > CROWDED:
        return (
            f"other programs kept it from a CPU {100 * waited_share:.0f} % of the time: use a quieter machine"
        )
    return f"{cpu} on average: bursts of work (more --processes) or stalls (a quieter machine)"


def figures_text(health: ClientHealth) -> str:
    """Write the figures that are known: `read delay p99 0.4 ms, loop lag p99 1.3 ms, cpu 31 %`."""
    figures = (
        ("read delay p99", health.read_delay_p99_ms),
        ("loop lag p99", health.loop_lag_p99_ms),
        ("schedule delay p99", health.schedule_delay_p99_ms),
    )
    parts = [f"{name} {value:.1f} ms" for name, value in figures if value is not None]
    if health.cpu_share is not None:
        parts.append(f"cpu {100 * health.cpu_share:.0f} %")
    return ", ".join(parts)


def alarm_text(health: ClientHealth) -> str:
    """Write what a watcher must know, verdict first: `client SUSPECT: …` or `INVALID: client-bound: …`."""
    word = CLIENT_WORDS[health.verdict]
    return (
        f"{word}: {health.reason}" if health.verdict == "client_bound" else f"client {word}: {health.reason}"
    )


def advice_text(health: ClientHealth) -> str:
    """Write the alarm with what to do about it."""
    return f"{alarm_text(health)}; {health.hint}"


def result_text(health: ClientHealth) -> str:
    """Write the verdict with its figures, as results bear it after `client: `."""
    word, figures = CLIENT_WORDS[health.verdict], figures_text(health)
    if health.verdict == "unknown":
        return f"{word} ({health.reason})"
    if health.verdict == "valid":
        over = f"; over the bound for {health.over_s:.0f} s" if health.over_s else ""
        return f"{word} ({figures}{over})"
    means = " - latencies are not the server's" if health.verdict == "client_bound" else ""
    return f"{word}{means} ({health.reason}; {figures}); {health.hint}"
