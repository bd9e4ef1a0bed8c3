"""A capacity search as people and programs read it: the table of its levels, its answers, and its files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from console.capacity.report_words import what_matters
from console.capacity.steps import so_far
from console.cli.saying import say
from console.vocabulary.errors import ExitCode
from console.vocabulary.level import LevelOutcome
from console.vocabulary.safe_text import safe_line

if TYPE_CHECKING:
    from console.capacity.answer import Answer
    from console.capacity.search_result import SearchResult
    from console.cli.search_saving import Saving

_VERDICTS: Final = {
    "pass": "pass", "fail": "FAIL", "undecided": "undecided", "quota": "QUOTA", "invalid": "INVALID",
}  # fmt: skip
_BELOW: Final = " " * 6
_COLUMNS: Final = (
    "in flight",
    "verdict",
    "success",
    "TTFT p50",
    "p95",
    "TPOT",
    "req/s",
    "tok/s",
    "tok/s each",
    "n",
    "s",
)


def report_search(result: SearchResult, run_dir: Path, *, as_json: bool, saving: Saving | None) -> ExitCode:
    """Tell what a search found, and write the files that are asked for; return its exit code.

    Raises:
        ConsoleError: if a file that is asked for cannot be written, after all is told.
    """
    import msgspec

    if as_json:
        say(b'{"type":"search",' + msgspec.json.encode(result)[1:])
    else:
        say("\n".join(search_lines(result, shutil.get_terminal_size((100, 24)).columns)))
    if result.levels:
        from console.cli.search_files import tell_report

        tell_report(run_dir, result)
    if saving is not None:
        saving.write(run_dir, result)
    return result.exit_code


def search_lines(result: SearchResult, width: int) -> list[str]:
    """Return the whole report: levels subject by subject, each with its answer."""
    lines: list[str] = []
    for answer in result.answers:
        levels = [level for level in result.levels if level.subject == answer.subject]
        whose = (
            f" · {answer.subject}"
            if answer.subject
            else " · all lanes together"
            if len(result.answers) > 1
            else ""
        )
        lines.append(safe_line(f"{result.model}{whose}{' · SIMULATED' if result.simulated else ''}"))
        lines += level_table(levels, width)
        lines += ["", *answer_lines(answer, width), ""]
    lines += joint_lines(result.answers)
    return lines[:-1] if lines and not lines[-1] else lines


def level_table(levels: Sequence[LevelOutcome], width: int = 200) -> list[str]:
    """Return a row a level, those of one concurrency one below the other, with what stopped it behind or below it."""
    import textwrap

    rows = [
        _COLUMNS,
        *(_row(level) for level in sorted(levels, key=lambda one: (one.concurrency, one.number))),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    ordered = [None, *sorted(levels, key=lambda one: (one.concurrency, one.number))]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= width else " "
    lines: list[str] = []
    for row, level in zip(rows, ordered, strict=True):
        text = gap.join(
            cell.ljust(width) if column == 1 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        why = "" if level is None else _why(level)
        if len(text) + 2 + len(why) <= width:
            lines.append(f"{text}  {why}".rstrip())
        else:
            lines.append(text.rstrip())
            lines += textwrap.wrap(why, max(40, width), initial_indent=_BELOW, subsequent_indent=_BELOW)
    return lines


def _row(level: LevelOutcome) -> tuple[str, ...]:
    def ms(name: str, digits: int = 0) -> str:
        found = level.metrics.get(name)
        return "n/a" if found is None else f"{found.value:.{digits}f} ms"

    tokens = level.tokens_per_s
    rate = "" if level.rate is None else f" at {level.rate:g}/s"
    return (
        f"{level.concurrency}{rate}",
        "so far" if so_far(level) else _VERDICTS[level.verdict],
        f"{100 * level.success.value:.1f} %",
        ms("ttft_p50"),
        ms("ttft_p95"),
        ms("tpot_mean", 1),
        f"{level.requests_per_s.value:.2f}",
        "n/a" if tokens is None else f"{tokens.value:.0f}",
        "n/a" if tokens is None or not level.in_flight else f"{tokens.value / level.in_flight:.1f}",
        str(level.ended),
        f"{level.spent_s:.0f}",
    )


def _why(level: LevelOutcome) -> str:
    """Say what a reader has to know of a level, and first whether it was measured once more."""
    again = [f"({level.purpose})"] if level.purpose in ("confirm", "drift") else []
    return safe_line(" · ".join([*again, *what_matters(level)]), 300)


def answer_lines(answer: Answer, width: int) -> list[str]:
    """Return the answer, with what stands behind it, folded to a width."""
    import textwrap

    lines = textwrap.wrap(safe_line(answer.line, 2000), max(40, width))
    extras: list[str] = []
    if answer.within_slo is not None and answer.within_slo != answer.capacity:
        extras.append(f"largest level within every limit: {answer.within_slo}")
    if answer.power is not None:
        extras.append(f"most throughput per waiting time (power) at {answer.power}")
    if answer.usl is not None and answer.usl.worst_share <= 0.1:
        usl = answer.usl
        peak = "no peak" if usl.peak_at is None else f"peak at {usl.peak_at:.0f}"
        extras.append(
            f"USL: contention {usl.contention:.4f}, coherency {usl.coherency:.2g}, {peak} "
            f"(fits within {100 * usl.worst_share:.0f} %)"
        )
    if answer.drift is not None:
        extras.append(f"{answer.drift.word}: {answer.drift.text}")
    extras += list(answer.notes)
    for extra in extras:
        lines += textwrap.wrap(
            safe_line(extra, 1000), max(40, width), initial_indent="  ", subsequent_indent="    "
        )
    return lines


def joint_lines(answers: Sequence[Answer]) -> list[str]:
    """Say what lanes bear alone and together, and what one more of them would bring."""
    alone = [answer for answer in answers if answer.subject and answer.capacity is not None]
    joint = next((answer for answer in answers if not answer.subject), None)
    if len(alone) < 2 or joint is None or joint.capacity is None:
        return []
    total = sum(answer.capacity or 0 for answer in alone)
    first = min(alone, key=lambda answer: answer.capacity or 0)
    share = joint.capacity / total if total else 0.0
    lines = [
        (
            f"lanes bear {total} one by one and {joint.capacity} together ({100 * share:.0f} %); "
            f"{first.subject} saturates first, at {first.capacity}"
        )
    ]
    mean = total / len(alone)
    if share >= 0.95:
        lines.append(f"they do not share a bottleneck: one more such lane would bring about {mean:.0f} more")
    elif joint.capacity <= 1.05 * max(answer.capacity or 0 for answer in alone):
        lines.append(
            "they share one bottleneck: one more key or lane to the same deployment would bring nothing"
        )
    else:
        lines.append(
            f"they share a bottleneck in part: one more such lane would bring at most "
            f"{max(0.0, joint.capacity - total + mean):.0f} to {share * mean:.0f} more"
        )
    return lines
