"""What the profiles screen says in lines: its head, what is wrong, the list of profiles, the totals. No Textual here."""

from __future__ import annotations

from collections.abc import Sequence

from console.profile.check import Finding
from console.profile.table import cells, counted, shorten
from console.profile.toml_lines import dotted
from console.screens.profiles.editor import Editor, Facts
from console.screens.profiles.limits import complaint_text
from console.screens.profiles.needs import ProfileChoice
from console.screens.profiles.totals import TotalLine
from console.vocabulary.safe_text import safe_line
from widgets.line_paint import Line, Run, Tone
from widgets.table_rows import TableColumn, TableRow

PICKER_COLUMNS = (TableColumn("profile", most=60),)
_LEAST_NAME = 16
"""What a model's name keeps before formulas give way."""
_NO_NAME = 8
"""What it keeps before the rates give way."""


def picker_rows(choices: Sequence[ProfileChoice], editor: Editor, used: str) -> list[TableRow]:
    """Return a row for each profile; `*`: not saved, `x`: errors, `=`: what a launch uses."""
    changed = set(editor.unsaved())
    rows: list[TableRow] = []
    for choice in choices:
        mark = "x" if choice.error else "*" if choice.name in changed else "=" if choice.name == used else " "
        where = "" if choice.origin == "built-in" else f"  {choice.origin}"
        tone: Tone = "bad" if choice.error else "strong" if choice.name == used else ""
        rows.append(TableRow(choice.name, (f"{mark} {safe_line(choice.name, 60)}{where}",), tone=tone))
    return rows


def head_line(choice: ProfileChoice, facts: Facts | None, used: str, lanes: int, mode: str) -> Line:
    """Return the name of the profile in front, what it is, and how it stands with its file."""
    runs: list[Run] = [(f" {safe_line(choice.name, 60)}", "strong")]
    if facts is not None and facts.draft.changed:
        runs.append((f" * {counted(len(facts.draft.changes), 'change')} not saved", "warn"))
    if choice.simulated:
        runs.append(("  ", ""))
        runs.append((" SIMULATED ", "badge"))
    said = [safe_line(mode, 20), counted(lanes, "lane")]
    if facts is not None and facts.findings:
        said.append(findings_text(facts.findings))
    said.append("used by launches" if choice.name == used else f"launches use {safe_line(used, 60)}")
    said.append(choice.origin)
    runs.append(("  " + " · ".join(said), "muted"))
    return tuple(runs)


def findings_text(findings: Sequence[Finding]) -> str:
    """Return how many there are."""
    bad = sum(1 for one in findings if not one.warning)
    parts = [counted(bad, "finding")] if bad else []
    if len(findings) > bad:
        parts.append(counted(len(findings) - bad, "warning"))
    return ", ".join(parts)


def finding_lines(findings: Sequence[Finding]) -> list[tuple[str, bool]]:
    """Return a text for each finding, and whether it is worse than a warning."""
    return [
        (
            safe_line(
                f"{'warning: ' if one.warning else ''}{dotted(one.path)}: {one.message}"
                + (f" ({one.hint})" if one.hint else "")
                + f" [{one.check}]",
                400,
            ),
            not one.warning,
        )
        for one in findings
    ]


def complaints_line(facts: Facts) -> str:
    """Return the first complaint about a draft, and how many more there are."""
    first = next(iter(facts.judged.complaints), None)
    if first is None:
        return ""
    others = len(facts.judged.complaints) - 1
    more = f" · and {others} more: f lists them" if others else ""
    return f"not valid yet: {complaint_text(first)}{more}"


def totals_lines(lines: Sequence[TotalLine], row: str, width: int, *, ascii_only: bool = False) -> list[Line]:
    """Return a heading and a line for each model: those of the limits row under the cursor first.

    What differs from the saved file stands behind what it was, and without its formula where that has no room.
    """
    if not lines:
        return []
    longest = max(cells(line.model) for line in lines)
    figures, widths, room = [("", "")], [0, 0], 0
    for compact in (False, True):
        figures = [_figures(line, compact=compact, ascii_only=ascii_only) for line in lines]
        widths = [max(map(cells, column)) for column in zip(*figures, strict=True)]
        widths = [max(widths[0], len("workers")), max(widths[1], len("qps"))]
        room = width - 6 - sum(widths)
        if room >= min(longest, _LEAST_NAME):
            break
    has_qps = room >= _NO_NAME
    name = max(_NO_NAME, min(room if has_qps else room + widths[1] + 2, longest))
    heading = f"{'model':<{name + 2}}  {'workers':>{widths[0]}}" + (
        f"  {'qps':>{widths[1]}}" if has_qps else ""
    )
    made: list[tuple[bool, Line]] = []
    for line, (workers, qps) in zip(lines, figures, strict=True):
        here = line.row == row
        label = shorten(safe_line(line.model, 100), name)
        runs: list[Run] = [
            (f"{'>' if here else ' '} {label}{' ' * (name - cells(label))}  ", ""),
            (" " * (widths[0] - cells(workers)) + workers, "warn" if line.workers_before else ""),
        ]
        if has_qps:
            runs.append((f"  {' ' * (widths[1] - cells(qps))}{qps}", "warn" if line.qps_before else ""))
        made.append((here, tuple(runs)))
    return [((heading, "heading"),), *(line for _, line in sorted(made, key=lambda one: not one[0]))]


def _figures(line: TotalLine, *, compact: bool, ascii_only: bool) -> tuple[str, str]:
    """Return workers and qps, each behind what it was, if it was something else."""
    arrow, times = ("->", "x") if ascii_only else ("→", "×")
    workers, qps = line.workers, line.qps
    if line.workers_before:
        total = workers.rpartition("= ")[2] if compact else workers
        workers = f"{line.workers_before} {arrow} {total}"
    if line.qps_before:
        qps = f"{line.qps_before} {arrow} {qps}"
    return workers.replace("×", times), qps
