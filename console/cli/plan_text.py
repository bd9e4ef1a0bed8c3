"""A plan and its preflight in words, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from console.phases.load_curve import LoadCurve
from console.phases.plan import Job, Plan
from console.phases.preflight import Preflight, ScopeLoad
from console.profile.effective import totals
from console.profile.form import Profile
from console.profile.table import counted
from console.records.figures_text import duration_text, rate_text
from console.records.text_table import TextTable, table_lines

WIDTH = 80
_BARS = " ▁▂▃▄▅▆▇█"
_CURVE = 46
"""Columns of a curve."""
_REASONS = 2
"""Reasons against a run that are told."""


def plan_lines(plan: Plan, profile: Profile, profile_name: str) -> list[str]:
    """Return the plan in words: jobs in starting order, and the totals that hold over them."""
    reused = sum(job.reused for job in plan.jobs)
    tests = counted(plan.planned, "test")
    each = plan.requests / plan.planned if plan.planned else 1.0
    turns = f", ~{each:.2g} requests a test" if each != 1.0 else ""
    lines = [
        f"phase {plan.title} under profile {profile_name} ({plan.rate_mode}), seed {plan.seed}",
        f"{tests}{turns}, {reused} reused; {counted(len(plan.jobs), 'job')} on {counted(len(plan.lanes), 'lane')}",
        *_phases(plan),
        *_jobs(plan),
        *_totals(plan),
    ]
    if all(profile.providers[setup.lane.provider].api == "sim" for setup in plan.lanes):
        lines += ["", "SIMULATED: every provider of this plan is simulated"]
    return lines


def _phases(plan: Plan) -> list[str]:
    """Return what each phase comes to, where there is more to say than one total."""
    if len(plan.phases) < 2 and not any(one.reused for one in plan.phases):
        return []
    rows = [
        (
            one.phase,
            str(one.jobs),
            str(one.new),
            ", ".join(f"{count} ({source})" for source, count in one.reused.items()) or "-",
        )
        for one in plan.phases
    ]
    return table_lines(
        TextTable("", ("phase", "jobs", "new tests", "reused (from)"), tuple(rows), frozenset({0, 3})), WIDTH
    )


def _jobs(plan: Plan) -> list[str]:
    names = _names(plan.jobs)
    rows = [
        (str(index + 1), names[index], str(len(job.tests)), _keys(job), _starts(plan, index))
        for index, job in enumerate(plan.jobs)
    ]
    table = TextTable("", ("#", "job", "tests", "keys", "starts"), tuple(rows), frozenset({1, 3, 4}), cut=1)
    lines = table_lines(table, WIDTH)
    if any(job.stagger_s for job in plan.jobs):
        lines.append("+: after the last start of a job beside it")
    if any(job.lease is not None for job in plan.jobs):
        lines.append("1 of n keys: leased, so a job starts when one is free")
    return lines


def _names(jobs: Sequence[Job]) -> list[str]:
    """Return what tells jobs apart: those parts of them that are not the same in all."""
    parts = [(job.phase, job.model, job.difficulty, job.group, job.rate) for job in jobs]
    differ = [len(set(column)) > 1 for column in zip(*parts, strict=True)]
    differ[1] = True
    return [" ".join(part for part, shown in zip(row, differ, strict=True) if shown) for row in parts]


def _keys(job: Job) -> str:
    if job.lease is not None:
        return f"1 of {len(job.lease)}"
    keys = dict.fromkeys(shard.lane_id.rpartition("@")[2] for shard in job.shards)
    return next(iter(keys)) if len(keys) == 1 else str(len(keys))


def _starts(plan: Plan, index: int) -> str:
    job = plan.jobs[index]
    starts = f"after {max(job.before) + 1}" if job.before else "at once"
    beside = len(job.before) < index
    if job.stagger_s and beside:
        return f"+{job.stagger_s:g} s" if not job.before else f"{starts}, +{job.stagger_s:g} s"
    return starts


def _totals(plan: Plan) -> list[str]:
    """Return what each model may use on all lanes of the plan."""
    rows = [
        (
            row.model,
            str(row.lanes),
            "none" if row.workers is None else f"{row.workers}{'/job' if row.per == 'job' else ''}",
            "none" if row.qps_bound is None else f"{row.qps_bound:g}",
        )
        for row in totals(plan.lanes)
    ]
    return table_lines(
        TextTable("", ("model", "lanes", "workers", "QPS (none: no limit)"), tuple(rows)), WIDTH
    )


def preflight_lines(plan: Plan, ahead: Preflight, *, latency_from: str) -> list[str]:
    """Return the expected load, and the curve of each key."""
    lines = [
        "",
        f"expected to take {duration_text(ahead.duration_s)}, if an answer takes {answers_text(plan, ahead)} ({latency_from})",
    ]
    lines = [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""]]
    keys = [load for load in ahead.loads if load.kind == "key"]
    deployments = [load for load in ahead.loads if load.kind == "deployment"]
    lines += _loads("key", keys) + _loads("deployment", deployments)
    lines += [
        "jobs, workers, QPS: the most at once, as limits stand; peak, mean: in flight",
        "limit: QPS of a gate, ~ supposed of the provider; %: of it, else peak of workers",
    ]
    if any(load.curve.peak_in_flight for load in keys):
        lines += [
            "",
            f"requests in flight per key, in {_CURVE} steps of {duration_text(ahead.duration_s / _CURVE)}",
        ]
        room = max(len(load.name) for load in keys)
        lines += [
            f"{load.name:<{room}}  {spark(load.curve)} peak {load.curve.peak_in_flight}" for load in keys
        ]
    return lines


def answers_text(plan: Plan, ahead: Preflight) -> str:
    """Say what an answer is supposed to take at each provider."""
    by_provider: dict[str, list[float]] = {}
    for setup in plan.lanes:
        by_provider.setdefault(setup.lane.provider, []).append(ahead.latency_s[setup.lane.id])
    return ", ".join(f"{_span(values)} at {name}" for name, values in by_provider.items())


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3g} s" if high - low < 0.01 * high else f"{low:.3g} to {high:.3g} s"


def _loads(kind: str, loads: Sequence[ScopeLoad]) -> list[str]:
    names = [load.name.partition("/")[2] for load in loads]
    plain = kind == "deployment" and len(set(names)) == len(names)
    rows = tuple(
        (
            name if plain else load.name,
            str(load.nominal.jobs),
            str(load.nominal.workers),
            str(load.curve.peak_in_flight),
            f"{load.curve.mean_in_flight:.1f}",
            rate_text(load.curve.mean_requests_per_s),
            f"{load.nominal.per_s:g}" if load.nominal.per_s else "none",
            limit_text(load),
            "" if load.share is None else f"{load.share:.0%}",
        )
        for name, load in zip(names, loads, strict=True)
    )
    head = (kind, "jobs", "workers", "peak", "mean", "req/s", "QPS", "limit", "%")
    return table_lines(TextTable("", head, rows), WIDTH)


def limit_text(load: ScopeLoad) -> str:
    """Write what a scope lets through; `~` is supposed of the provider."""
    if load.limit.per_s is not None:
        return f"{'~' if load.limit.source == 'guess' else ''}{load.limit.per_s:g}"
    return "none" if load.limit.slots is None else f"{load.limit.slots} at once"


def spark(curve: LoadCurve) -> str:
    """Draw requests in flight over time as blocks, the fullest step the highest."""
    steps = curve.in_flight
    top = max(steps) or 1.0
    drawn: list[str] = []
    for column in range(_CURVE):
        first = column * len(steps) // _CURVE
        part = steps[first : max(first + 1, (column + 1) * len(steps) // _CURVE)]
        value = sum(part) / len(part)
        drawn.append(_BARS[-(-round(value / top * 8 * 1000) // 1000)] if value else " ")
    return "".join(drawn)


def warning_lines(plan: Plan, ahead: Preflight) -> list[str]:
    """Return all warnings, those of preflight with their cures."""
    lines = [f"warning: {warning}" for warning in plain_warnings(plan, ahead)]
    for finding in ahead.findings:
        lines.append(f"warning [{finding.code}] {finding.where}: {finding.text}")
        lines.append(f"  cure: {finding.cure}: {' '.join(finding.change)}")
    lines += [f"note: {note}" for note in plan.notes]
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            line, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
        )
    ]


def plain_warnings(plan: Plan, ahead: Preflight) -> list[str]:
    """Return the warnings of a plan that no finding tells anyway."""
    said = {finding.plain for finding in ahead.findings}
    return [warning for warning in plan.warnings if warning not in said]
