"""Fixed limits over HTTP: what the server that is to be spared saw, and what of the limits was used."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.limits_law import mean_at_once, most_in, pace, worst_excess
from benchmarks.limits_runs import (
    PROVIDER,
    Logging,
    logging_simulator,
    only_run,
    sent_ns,
    ultra,
    write_profile,
)
from benchmarks.machine import all_cores
from benchmarks.report import Part, Target, progress, table
from console.engine.gates import NS_PER_S
from console.vocabulary.simulated import SimBehaviour

DEPLOYMENTS = 3
WORKERS = 50
QPS = 20.0
TOKENS = 20
ANSWER_S = 2.4
_BEHAVIOUR = SimBehaviour(ttft_ms=2000, ttft_spread=0.05, itl_ms=20, itl_spread=0.05)
_SETTLED_NS = int(2 * ANSWER_S * NS_PER_S)


@dataclass(frozen=True)
class Held:
    """One deployment."""

    case: str
    deployment: str
    peak: int
    most_in_1_s: int
    most_in_10_s: int
    excess: float | None
    """Of the sendings, over rate × w + 1; None: there was no rate."""
    arrived_excess: float | None
    reached: float
    """Of the rate, or where there is none of the workers."""


def run(part: Part, *, seconds: float) -> None:
    """Run a level with a rate and one without, and hold both against the limits."""
    held = [
        *_case(f"{WORKERS} workers, {QPS:g} QPS", QPS, seconds),
        *_case(f"{WORKERS} workers", None, seconds),
    ]
    part.say(
        "",
        f"Fixed limits on each of {DEPLOYMENTS} deployments over HTTP, {seconds:g} s each, answers of {ANSWER_S:g} s "
        f"(so {QPS * ANSWER_S:.0f} in flight at {QPS:g} QPS); the server's own peak, and windows of its log.",
        *table(_HEAD, [_row(one) for one in held]),
    )
    part.figures += [{"what": "fixed", **asdict(one)} for one in held]
    part.targets += _targets(held)


def _case(name: str, qps: float | None, seconds: float) -> list[Held]:
    per_second = DEPLOYMENTS * (qps or WORKERS / ANSWER_S)
    limit = f"fixed = {{ workers = {WORKERS}" + (f", qps = {qps:g} }}" if qps else " }")
    with tempfile.TemporaryDirectory() as folder, logging_simulator(**{PROVIDER: _BEHAVIOUR}) as server:
        profile = write_profile(Path(folder), server.urls[PROVIDER], DEPLOYMENTS, limit)
        out = Path(folder) / "out"
        with all_cores():
            process = ultra(
                Path(folder), "capacity", "run", "--profile", str(profile), "--model", "m",
                "--max-concurrency", str(10 * WORKERS), "--num-prompts", str(int(per_second * seconds)),
                "--random-input-len", "10", "--random-output-len", str(TOKENS), "--ignore-eos", "--out", str(out),
            )  # fmt: skip
            code = process.wait()
        if code not in (0, 3):  # 3: the client was too busy for a verdict on its clock
            raise RuntimeError((Path(folder) / "said.txt").read_text())
        progress(name)
        return _held(name, qps, sent_ns(only_run(out)), server)


def _held(name: str, qps: float | None, sent: dict[str, list[int]], server: Logging) -> list[Held]:
    log, scopes = server.log(), server.stats().providers[PROVIDER].deployments
    found: list[Held] = []
    for deployment, times in sorted(sent.items()):
        arrived = [one.at_ns for one in log.arrivals if one.deployment == deployment]
        if len(arrived) != len(times):
            raise RuntimeError(f"{deployment}: {len(times)} sent, {len(arrived)} arrived")
        busy = mean_at_once(log.spans_ns(deployment), min(arrived) + _SETTLED_NS, max(arrived))
        found.append(
            Held(
                case=name,
                deployment=deployment,
                peak=scopes[deployment].peak,
                most_in_1_s=most_in(arrived, 1.0),
                most_in_10_s=most_in(arrived, 10.0),
                excess=None if qps is None else worst_excess(times, qps),
                arrived_excess=None if qps is None else worst_excess(arrived, qps),
                reached=busy / WORKERS if qps is None else pace(times) / qps,
            )
        )
    return found


_HEAD = (
    "limits",
    "deployment",
    "peak in flight",
    "most in 1 s",
    "in 10 s",
    "sent over law",
    "arrived over law",
    "reached %",
)


def _row(one: Held) -> list[str]:
    return [
        one.case,
        one.deployment,
        str(one.peak),
        str(one.most_in_1_s),
        str(one.most_in_10_s),
        "-" if one.excess is None else f"{one.excess:+.4f}",
        "-" if one.arrived_excess is None else f"{one.arrived_excess:+.4f}",
        f"{100 * one.reached:.1f}",
    ]


def _targets(held: Sequence[Held]) -> list[Target]:
    paced = [one for one in held if one.excess is not None]
    free = [one for one in held if one.excess is None]
    return [
        Target("fixed: peak in flight of a deployment", max(one.peak for one in held), WORKERS, "less"),
        Target("fixed: sends over the law", max(max(one.excess or 0, 0) for one in paced), 0, "less"),
        Target("fixed: arrivals in any second", max(one.most_in_1_s for one in paced), QPS + 1, "less"),
        Target("fixed: rate reached", 100 * min(one.reached for one in paced), 97, "more", "%"),
        Target("fixed: workers reached", 100 * min(one.reached for one in free), 97, "more", "%"),
    ]
