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
_LEAST_NAME = 12


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
    said = [mode, counted(lanes, "lane")]
    if facts is not None and facts.findings:
        said.append(findings_text(facts.findings))
    said.append(choice.origin)
    said.append("used by launches" if choice.name == used else f"launches use {safe_line(used, 60)}")
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

    What differs from the saved file says what it was: behind the figures, or in their place where that has no room.
    """
    if not lines:
        return []
    longest = max(cells(line.model) for line in lines)
    figures, widths, room = [("", "", "")], [0, 0, 0], 0
    for compact in (False, True):
        figures = [_figures(line, compact=compact, ascii_only=ascii_only) for line in lines]
        widths = [max(map(cells, column)) for column in zip(*figures, strict=True)]
        widths[0], widths[1] = max(widths[0], len("workers")), max(widths[1], len("qps"))
        room = width - 6 - sum(widths) - (2 if widths[2] else 0)
        if room >= min(longest, _LEAST_NAME):
            break
    name = max(_LEAST_NAME, min(room, longest))
    heading = f"{'model':<{name + 2}}  {'workers':>{widths[0]}}  {'qps':>{widths[1]}}"
    made: list[tuple[bool, Line]] = []
    for line, (workers, qps, before) in zip(lines, figures, strict=True):
        here = line.row == row
        label = shorten(safe_line(line.model, 100), name)
        runs: list[Run] = [
            (f"{'>' if here else ' '} {label}{' ' * (name - cells(label))}  ", ""),
            (" " * (widths[0] - cells(workers)) + workers, "accent" if line.workers_before else ""),
            (f"  {' ' * (widths[1] - cells(qps))}{qps}", "accent" if line.qps_before else ""),
        ]
        if before:
            runs.append((f"  {before}", "warn"))
        made.append((here, tuple(runs)))
    return [((heading, "heading"),), *(line for _, line in sorted(made, key=lambda one: not one[0]))]


def _figures(line: TotalLine, *, compact: bool, ascii_only: bool) -> tuple[str, str, str]:
    """Return workers, qps and what they were; in a compact line that stands before an arrow."""
    workers, qps, before = line.workers, line.qps, ""
    arrow, times = ("->", "x") if ascii_only else ("→", "×")
    if compact and line.workers_before:
        workers = f"{line.workers_before} {arrow} {line.workers.rpartition('= ')[2]}"
    if compact and line.qps_before:
        qps = f"{line.qps_before} {arrow} {line.qps or '-'}"
    if not compact and line.changed:
        was = [line.workers_before] if line.workers_before else []
        was += [f"{line.qps_before} qps"] if line.qps_before else []
        before = f"*was {', '.join(was)}"
    return workers.replace("×", times), qps, before
