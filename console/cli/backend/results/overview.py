"""A run in a screenful: how it ended, whether its counts add up, whether the client is to be believed, and what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from console.records.figures_text import NONE, duration_text, ms_text, rate_text, share_text
from console.records.hand_changes import hand_changes
from console.records.lost_rows import lost_text
from console.records.print_summary import summary_notes
from console.records.run_tests import RunTests
from console.records.summary_types import Summary
from console.screens.results.needs import Fact
from console.vocabulary.client_health import result_text

_CHANGES_SHOWN: Final = 20


def overview_facts(run: RunTests, summary: Summary, verdicts: Sequence[Fact] | None = None) -> Sequence[Fact]:
    """Return the lines of the overview; `verdicts` are those of another preset than the goal."""
    return [
        *(_verdicts(summary) if verdicts is None else verdicts),
        *_integrity(summary),
        *_requests(summary),
        *_client(summary),
        *_changes(run),
        *_where(run, summary),
        *_notes(summary),
    ]


def verdicts_by(scoring: str, total: Mapping[str, Any] | None) -> Sequence[Fact]:
    """Return what a preset makes of all tests, from their figures."""
    if total is None:
        return ()
    judged = total["total"]
    shares = [
        f"{name} {total[key]:,} ({share_text(total[key] / judged if judged else None)})"
        for name, key in (("full", "full_success"), ("partial", "partial_success"), ("failure", "failed"))
    ]
    score = NONE if total["avg_final_score"] is None else f"{total['avg_final_score']:.3f}"
    said = f"success {share_text(total['success_rate'])}, mean score {score}, n = {judged:,} answered"
    found = [Fact("verdicts", "   ".join(shares), "strong"), Fact("", f"{said}; by the preset {scoring}")]
    if total["unscored"]:
        found.append(Fact("", f"no score by it {total['unscored']:,}: in no rate", "warn"))
    return found


def _verdicts(summary: Summary) -> Iterator[Fact]:
    if summary.unit == "prompts":
        yield Fact("answered", f"{summary.done:,} of {summary.planned:,} prompts", "strong")
    else:
        tests = summary.overall.tests
        judged = tests.full + tests.partial + tests.failure
        shares = [
            f"{name} {count:,} ({share_text(count / judged if judged else None)})"
            for name, count in (("full", tests.full), ("partial", tests.partial), ("failure", tests.failure))
        ]
        yield Fact("verdicts", "   ".join(shares), "strong")
        score = NONE if tests.mean_score is None else f"{tests.mean_score:.3f}"
        yield Fact(
            "", f"success {share_text(tests.success_rate)}, mean score {score}, n = {judged:,} answered"
        )
    if summary.failures:
        classes = ", ".join(f"{name} {count:,}" for name, count in summary.failures.items())
        never = "; never counted against a model" if summary.unit == "tests" else ""
        yield Fact("", f"without an answer {summary.infrastructure_failures:,}: {classes}{never}", "warn")


def _integrity(summary: Summary) -> Iterator[Fact]:
    parts = [f"done {summary.done:,}"]
    for count, word in (
        (summary.infrastructure_failures, "without an answer"),
        (summary.cancelled, "cancelled"),
        (summary.lost, "done, but lost"),
        (summary.not_run - summary.lost, "to go" if summary.state == "live" else "not run"),
    ):
        if count:
            parts.append(f"{word} {count:,}")
    text = f"planned {summary.planned:,} {summary.unit} = {' + '.join(parts)}"
    yield Fact("integrity", text, "" if summary.done == summary.planned else "warn")
    lost = summary.damages.torn + summary.damages.damaged
    if summary.lost:
        text = lost_text(summary.lost, summary.done, summary.unit)
        yield Fact("", f"lost: {text}; nothing of them is in any figure", "bad")
    if lost:
        yield Fact(
            "",
            f"lost: {summary.damages.damaged} damaged and {summary.damages.torn} torn lines of the journal",
            "bad",
        )
    elif not summary.lost:
        yield Fact("", "lost: nothing, every line of the journal is whole", "good")
    for source, count in summary.reused.items():
        yield Fact("reused", f"{count:,} results of run {source}")


def _requests(summary: Summary) -> Iterator[Fact]:
    overall = summary.overall
    took = duration_text(summary.duration_s)
    yield Fact(
        "requests",
        f"{overall.requests:,} in {took}: {share_text(overall.success_share)} ok, "
        f"{rate_text(overall.request_throughput)} req/s, {rate_text(overall.output_tokens_per_s)} tok/s, "
        f"peak {overall.peak_in_flight:,} in flight",
    )
    others = {name: count for name, count in summary.outcomes.items() if name != "ok"}
    if others:
        shown = sorted(others.items(), key=lambda item: (-item[1], item[0]))
        yield Fact("", ", ".join(f"{name} {count:,}" for name, count in shown))
    for name, found in (("TTFT", overall.ttft), ("e2e", overall.e2e)):
        if found.n:
            figures = [f"{part} {ms_text(getattr(found, f'{part}_ms'))}" for part in ("p50", "p90", "p99")]
            yield Fact(name, f"{'  '.join(figures)}  max {ms_text(found.max_ms)}  (n={found.n:,})")
    waits = [
        f"{name} mean {ms_text(wait.mean_ms)}, total {duration_text(wait.total_s)}"
        for name, wait in (
            ("limiter", overall.limiter_wait),
            ("held", overall.held_wait),
            ("retry", overall.retry_wait),
        )
        if (wait.max_ms or 0) >= 1
    ]
    if waits:
        yield Fact("waits", "; ".join(waits))


def _client(summary: Summary) -> Iterator[Fact]:
    if summary.client is not None:
        verdict = summary.client.verdict
        tone = {"client_bound": "bad", "suspect": "warn", "valid": "good"}.get(verdict, "")
        yield Fact("client", result_text(summary.client), tone)  # pyright: ignore[reportArgumentType]
    else:
        yield Fact("client", "did not measure itself", "muted")


def _changes(run: RunTests) -> Iterator[Fact]:
    changes = hand_changes(run.run_dir)
    if not changes:
        yield Fact("by hand", "nothing was changed while it ran", "muted")
    for number, change in enumerate(changes[:_CHANGES_SHOWN]):
        subject = f"{change.subject}: " if change.subject else ""
        yield Fact("" if number else "by hand", f"{_clock(change.at_s)}  {subject}{change.text}")
    if len(changes) > _CHANGES_SHOWN:
        yield Fact("", f"and {len(changes) - _CHANGES_SHOWN} more changes", "muted")


def _where(run: RunTests, summary: Summary) -> Iterator[Fact]:
    yield Fact("started", summary.started + (f", {summary.sessions} times" if summary.sessions > 1 else ""))
    yield Fact("seed", str(run.run_file.seed))
    yield Fact("command", " ".join(["ultra-console", *run.run_file.args]))
    yield Fact("directory", str(run.run_dir))
    yield Fact("files", ", ".join((*summary.files, "summary.json")))


def _notes(summary: Summary) -> Iterator[Fact]:
    for number, note in enumerate(summary_notes(summary, wide=True)):
        yield Fact("" if number else "notes", note, "muted")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
