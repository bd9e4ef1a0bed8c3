"""The steady part of a level that was driven by a number of prompts: what a search measures of each of its levels.

The keys of `vllm bench serve` are of the whole level, its beginning and its drain included, which under-reports
throughput by up to a half where there are few prompts a loop. Beside them stands what lies between: throughput with
its interval, whether the level was the one that was asked for, and what the limits of `--slo` say of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.capacity.level_stats import Reported, measured_rows, peak_in_flight
from console.capacity.measure import LevelAsked, measure
from console.capacity.rules import RuleSettings, judge
from console.capacity.server_metrics import ServerIn
from console.capacity.steady import NotSteady, Window, steady_window
from console.capacity.validity import validate, why_starved
from console.engine.arrivals import Level
from console.vocabulary.client_health import ClientHealth
from console.vocabulary.errors import ExitCode
from console.vocabulary.level import LevelOutcome
from console.vocabulary.rows import RequestRow


def steady_part(
    level: Level,
    rows: Sequence[RequestRow],
    report: Reported,
    *,
    client: ClientHealth | None,
    server: ServerIn | None = None,
) -> LevelOutcome | None:
    """Return what was measured while the level was steady; None: nothing was sent.

    Args:
        level: what was asked for.
        rows: of all its requests, those that warm up among them: they are load as well.
        report: with the limits to judge by.
        client: whether the client kept up, over the whole run.
        server: what the server said of itself, since the run's start; None: nobody asked it.
    """
    counted = measured_rows(rows, level.warm_ups)
    if not counted:
        return None
    begun_ns, first_ns = min(row.at_ns for row in rows), min(row.at_ns for row in counted)
    ceased_ns = max(row.at_ns for row in rows)
    concurrency = level.max_concurrency or peak_in_flight(rows)
    closed = level.request_rate is None
    found = _window(level, rows, begun_ns, first_ns, ceased_ns, concurrency if closed else None)
    window = found.whole if isinstance(found, NotSteady) else found
    asked = LevelAsked(
        number=1,
        purpose="scan",
        concurrency=concurrency,
        rate=level.request_rate,
        goodput=tuple(report.goodput.items()),
        begun_ns=begun_ns,
        ended_ns=max(row.at_ns + (row.total_ns or 0) for row in rows),
    )
    outcome = measure(asked, rows, window)
    said = server(window.from_ns, window.to_ns) if server is not None else {}
    settings = RuleSettings(min_success=None, max_ttft_ms=None, slos=report.slos)
    validity, reasons = validate(
        outcome,
        window=found,
        health=client,
        before=None,
        starved_by=why_starved(rows, window, concurrency) if closed else "",
    )
    return msgspec.structs.replace(
        outcome,
        server=said,
        rules=judge(outcome, settings, server=said or None, health=client),
        validity=validity,
        reasons=reasons,
    )


def _window(
    level: Level,
    rows: Sequence[RequestRow],
    begun_ns: int,
    first_ns: int,
    ceased_ns: int,
    concurrency: int | None,
) -> Window | NotSteady:
    if level.ramp is not None:
        return NotSteady(
            "the rate was to change all the time", Window(first_ns, max(ceased_ns, first_ns + 1))
        )
    return steady_window(
        rows, begun_ns, ceased_ns, concurrency=concurrency, settled_after_ns=first_ns - begun_ns
    )


def slo_code(outcome: LevelOutcome | None, report: Reported) -> ExitCode:
    """Return what the user's limits make of a level: done, failed, or not decided."""
    if not report.slos:
        return ExitCode.DONE
    names = {slo.name for slo in report.slos}
    states = (
        {rule.state for rule in outcome.rules if rule.rule in names} if outcome is not None else set[str]()
    )
    if "fail" in states:
        return ExitCode.CHECK_FAILED
    decided = outcome is not None and outcome.validity != "invalid" and states == {"pass"}
    return ExitCode.DONE if decided else ExitCode.INCOMPLETE
