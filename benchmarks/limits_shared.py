"""Two runs started by hand on one key: their sends together keep its rate, also when one of them is killed."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.limits_law import most_in, worst_excess
from benchmarks.limits_runs import (
    PROVIDER,
    all_sent_ns,
    logging_simulator,
    only_run,
    ultra,
    until_sending,
    write_profile,
)
from benchmarks.machine import all_cores
from benchmarks.report import Part, Target, progress, table
from console.engine.gates import NS_PER_S
from console.vocabulary.simulated import SimBehaviour

QPS = 10.0
_BEHAVIOUR = SimBehaviour(ttft_ms=600, itl_ms=5, output_tokens=40)
_SETTLED_NS = NS_PER_S


@dataclass(frozen=True)
class Together:
    """Two runs on one key."""

    case: str
    sends: int
    excess: float
    """Of the sends of both journals, over rate × w + 1."""
    most_in_1_s: int
    """Arrivals at the server, of any process."""
    reached: float
    """Of the rate, from when both were at it."""
    least_share: float | None
    """Of what was sent while both were at it."""


def run(part: Part, *, seconds: float) -> None:
    """Let two runs share a key, then again with one killed in the middle."""
    found = [_case("two runs", seconds, kill=False), _case("one killed in the middle", seconds, kill=True)]
    part.say(
        "",
        f"Two `ultra-console run` on one key with {QPS:g} QPS, {seconds:g} s; sends of both journals, arrivals by the server.",
        *table(_HEAD, [_row(one) for one in found]),
        "Reached: from when both were sending; with one killed, by the other from a second after its death.",
    )
    part.figures += [{"what": "shared", **asdict(one)} for one in found]
    part.targets += _targets(found)


def _case(name: str, seconds: float, *, kill: bool) -> Together:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(logging_simulator(**{PROVIDER: _BEHAVIOUR}))
        limits = (f"limits = {{ key = {{ qps = {QPS:g} }} }}", "fixed = { workers = 20 }")
        profile = write_profile(folder, server.urls[PROVIDER], 1, *limits)
        outs = [folder / "first", folder / "second"]
        processes: dict[Path, subprocess.Popen[bytes]] = {}
        try:
            with all_cores():
                for out in outs:
                    processes[out] = ultra(
                        folder, "run", "--profile", str(profile), "--model", "m", "--num-instances",
                        str(int(4 * seconds)), "--out", str(out),
                    )  # fmt: skip
            until_sending(processes)
            first, second = processes.values()
            time.sleep(seconds / 2)
            killed_ns = time.perf_counter_ns() if kill else None
            if kill:
                first.kill()
            time.sleep(seconds / 2)
            second.send_signal(signal.SIGTERM)
            first.send_signal(signal.SIGTERM)
        finally:
            for process in processes.values():
                if process.poll() is None:
                    process.terminate()
                process.wait()
        progress(name)
        sent = [all_sent_ns(only_run(out)) for out in outs]
        arrived = [one.at_ns for one in server.log().arrivals]
        return _together(name, sent, arrived, killed_ns)


def _together(name: str, sent: list[list[int]], arrived: list[int], killed_ns: int | None) -> Together:
    both = sorted(time_ns for times in sent for time_ns in times)
    if killed_ns is None:
        begin_ns, end_ns = max(times[0] for times in sent) + _SETTLED_NS, min(times[-1] for times in sent)
    else:
        begin_ns, end_ns = killed_ns + _SETTLED_NS, both[-1]
    inside = [[time_ns for time_ns in times if begin_ns <= time_ns < end_ns] for times in sent]
    count = sum(map(len, inside))
    return Together(
        case=name,
        sends=len(both),
        # What a killed run sent last is in no journal, so that the law can only be asked of the arrivals there.
        excess=worst_excess(both, QPS),
        most_in_1_s=most_in(arrived, 1.0),
        reached=count * NS_PER_S / (end_ns - begin_ns) / QPS,
        least_share=min(map(len, inside)) / count if killed_ns is None else None,
    )


_HEAD = ("case", "sends", "sent over law", "most arrivals in 1 s", "reached %", "lesser share %")


def _row(one: Together) -> list[str]:
    return [
        one.case,
        str(one.sends),
        f"{one.excess:+.4f}",
        str(one.most_in_1_s),
        f"{100 * one.reached:.1f}",
        "-" if one.least_share is None else f"{100 * one.least_share:.0f}",
    ]


def _targets(found: list[Together]) -> list[Target]:
    share = min(one.least_share for one in found if one.least_share is not None)
    return [
        Target("two runs on a key: sends over the law", max(max(one.excess, 0) for one in found), 0, "less"),
        Target(
            "two runs on a key: arrivals in any second",
            max(one.most_in_1_s for one in found),
            QPS + 1,
            "less",
        ),
        Target("two runs on a key: rate reached", 100 * min(one.reached for one in found), 95, "more", "%"),
        Target("two runs on a key: lesser share", 100 * share, 30, "more", "%"),
    ]
