"""One test in full as text: how it ended, what it was marked by, and turn by turn what was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from console.records.figures_text import share_text
from console.records.read_traces import counted_first
from console.records.tests_list import Test, lane_of, score_text
from console.records.wrap import wrapped
from console.vocabulary.lane import Lane
from console.vocabulary.trace import Said, TraceRow, Traces

_NAME_WIDTH: Final = 10
_SHARES: Final = (
    ("conditions", "conditions"),
    ("coverage", "coverage"),
    ("order", "order_share"),
    ("efficiency", "efficiency"),
    ("recovery", "recovery"),
)
NO_TRACES: Final = "this run kept nothing of what was said"
ONLY_HASHES: Final = (
    "the run was started with --no-content: lengths and hashes stand in place of what was said"
)


def full_lines(
    test: Test, traces: Sequence[TraceRow], kept: Traces, width: int, *, simulated: bool = False
) -> list[str]:
    """Return a test as lines of at most `width` columns.

    Args:
        test: its row in the table of tests.
        traces: its attempts.
        kept: what the run keeps of what is said.
        width: columns; not fewer than 40 are used.
        simulated: whether the run is, as far as is known: a result that was taken over has no request here to tell.
    """
    width = max(40, width)
    lines = wrapped(
        test["test"] + (" (SIMULATED)" if simulated or test["simulated"] else ""), width, hanging="  "
    )
    for name, text in _facts(test, len(traces)):
        if text:
            lead, *rest = wrapped(text, width - _NAME_WIDTH)
            lines.append(f"{name:<{_NAME_WIDTH}}{lead}".rstrip())
            lines += [" " * _NAME_WIDTH + line for line in rest]
    lines += [
        line for note in _notes(test, traces, kept) for line in wrapped(f"note: {note}", width, "", "  ")
    ]
    for index, trace in enumerate(counted_first(tuple(traces), test["attempt"], test["verdict"])):
        if len(traces) > 1:
            which = "counts" if index == 0 else "does not count"
            lines += ["", f"attempt {trace.attempt}: {trace.verdict}, {which}"]
        lines += trace_lines(trace, width)
    return lines


def trace_lines(trace: TraceRow, width: int) -> list[str]:
    """Return what was said in one attempt, turn by turn."""
    lines: list[str] = []
    turn: int | None = None
    for said in trace.said:
        if said.turn != turn:
            turn = said.turn
            lines += ["", "prompt" if turn == 0 else f"turn {turn}"]
        lines += _said(said, width)
    return lines or ["", "nothing was said"]


def _said(said: Said, width: int) -> Iterator[str]:
    if said.reasoning:
        yield from _spoken(f"{said.role}, reasoning:", said.reasoning, width)
    if said.tool or said.role == "tool":
        head = f"{said.tool or 'tool'} " + (f"failed, {said.failed}:" if said.failed else "answered:")
        yield from _spoken(head, said.content, width)
    elif said.content or not (said.reasoning or said.calls):
        yield from _spoken(f"{said.role}:", said.content or "(nothing)", width)
    for call in said.calls:
        yield from _spoken(f"{said.role} calls {call.name}:", call.arguments or "(no arguments)", width)


def _spoken(head: str, text: str, width: int) -> Iterator[str]:
    yield from wrapped(head.replace("\n", " "), width, "  ", "  ")
    yield from wrapped(text, width, "    ", "  ")


def _facts(test: Test, traces: int) -> Iterator[tuple[str, str]]:
    score = f", score {score_text(test['score'])}" if test["score"] is not None else ""
    yield "verdict", f"{test['verdict']}{score} (goal)"
    if test["original_verdict"] is not None:
        parts = [
            f"{name} {score_text(test[f'original_{name}'])}" for name in ("workflow", "phase2", "quality")
        ]
        yield "", ", ".join([test["original_verdict"], *parts]) + " (original)"
    yield "error", test["error_class"] or ""
    lane: Lane = lane_of(test)
    yield "attempt", f"{test['attempt']} of {max(traces, test['rows'], test['attempt'])}, on {lane.id}"
    seconds = test["duration_ns"] / 1e9
    yield (
        "size",
        f"{_count(test['turns'], 'turn')}, {_count(test['requests'], 'request')}, {seconds:.1f} s{_tokens(test)}",
    )
    if test["conditions"] is not None:
        shares = [
            f"{name} {share_text(test[column])}" for name, column in _SHARES if test[column] is not None
        ]
        goal = "goal reached" if test["goal_reached"] else "goal not reached"
        yield "marks", ", ".join([goal, "finished" if test["finished"] else "not finished", *shares])
        yield "calls", _calls(test)
    yield "reused", f"from {test['reused_from']}" if test["reused_from"] else ""
    yield "detail", test["detail"]


def _tokens(test: Test) -> str:
    """Return the tokens of all its requests, where the server counts them."""
    if test["prompt_tokens"] is None:
        return ""
    return f", {test['prompt_tokens']:,} tokens in, {test['completion_tokens'] or 0:,} out"


def _calls(test: Test) -> str:
    chance = f" ({test['chance_failures']} by chance)" if test["chance_failures"] else ""
    parts = [
        f"{test['calls']} made",
        f"{test['needed_calls']} needed",
        f"{test['failed_calls']} failed{chance}",
    ]
    if test["format_errors"]:
        parts.append(_count(test["format_errors"], "format error"))
    if test["assisted_turns"]:
        parts.append(f"help on the format in {_count(test['assisted_turns'], 'turn')}")
    return ", ".join(parts)


def _notes(test: Test, traces: Sequence[TraceRow], kept: Traces) -> Iterable[str]:
    if test["reused_from"] and not traces:
        yield f"what was said is in run {test['reused_from']}, where it was played"
    elif kept == "none" and not traces:
        yield NO_TRACES
    elif not traces:
        yield "nothing that was said in this test is in the traces of the run"
    elif kept == "hashes":
        yield ONLY_HASHES


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
