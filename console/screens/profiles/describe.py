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
from widgets.line_paint import Line, Run
from widgets.table_rows import TableColumn, TableRow

PICKER_COLUMNS = (TableColumn("profile", most=40), TableColumn("", most=24))
_LEAST_NAME = 12


def picker_rows(choices: Sequence[ProfileChoice], editor: Editor, used: str) -> list[TableRow]:
    """Return a row for each profile; `*`: not saved, `x`: errors, `=`: what a launch uses."""
    changed = set(editor.unsaved())
    rows: list[TableRow] = []
    for choice in choices:
        mark = "x" if choice.error else "*" if choice.name in changed else "=" if choice.name == used else " "
        where = "" if choice.origin == "built-in" else choice.origin
        rows.append(
            TableRow(
                choice.name,
                (f"{mark} {safe_line(choice.name, 60)}", where),
                tones=("bad" if choice.error else "strong" if choice.name == used else "", "muted"),
            )
        )
    return rows


def head_line(
    choice: ProfileChoice, facts: Facts | None, used: str, lanes: int, mode: str, width: int
) -> Line:
    """Return the name of the profile in front, what it is, and how it stands with its file."""
    runs: list[Run] = [(f" {safe_line(choice.name, 60)}", "strong")]
    if facts is not None and facts.draft.changed:
        runs.append((f" * {counted(len(facts.draft.changes), 'change')} not saved", "warn"))
    if choice.simulated:
        runs += [("  ", ""), (" SIMULATED ", "badge")]
    said = [choice.origin, mode, counted(lanes, "lane")]
    if choice.name == used:
        said.append("used by launches")
    elif width >= 100:
        said.append(f"launches use {safe_line(used, 60)}")
    if facts is not None and facts.findings:
        said.append(findings_text(facts.findings))
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
    found = facts.judged.complaints
    if not found:
        return ""
    more = f" · and {len(found) - 1} more: f lists them" if len(found) > 1 else ""
    return f"not valid yet: {complaint_text(found[0])}{more}"


def totals_lines(lines: Sequence[TotalLine], row: str, width: int, *, ascii_only: bool = False) -> list[Line]:
    """Return a line for each model: those of the limits row under the cursor first, changed ones with what they were."""
    ordered = sorted(lines, key=lambda line: line.row != row)
    texts = [(line, _ascii(line.workers, ascii_only), line.qps, _before(line)) for line in ordered]
    widths = [max((cells(text[n]) for text in texts), default=0) for n in (1, 2, 3)]
    qps_width = max(widths[1], len("qps"))
    room = width - 2 - widths[0] - qps_width - 4 - (widths[2] + 2 if widths[2] else 0)
    longest = max((cells(line.model) for line in lines), default=0)
    name = max(_LEAST_NAME, min(room, longest))
    head = f"{'model':<{name + 2}}  {'workers':>{widths[0]}}  {'qps':>{qps_width}}"
    made: list[Line] = [((head, "heading"),)] if texts else []
    for line, workers, qps, before in texts:
        label = shorten(safe_line(line.model, 100), name)
        label += " " * (name - cells(label))
        mark = ">" if line.row == row else " "
        runs: list[Run] = [
            (f"{mark} {label}  ", ""),
            (" " * (widths[0] - cells(workers)) + workers, "accent" if line.workers_before else ""),
            (f"  {qps:>{qps_width}}", "accent" if line.qps_before else ""),
        ]
        if before:
            runs.append((f"  {before}", "warn"))
        made.append(tuple(runs))
    return made


def _before(line: TotalLine) -> str:
    was = [line.workers_before] if line.workers_before else []
    if line.qps_before:
        was.append(f"{line.qps_before} qps")
    return f"*was {', '.join(was)}" if was else ""


def _ascii(text: str, ascii_only: bool) -> str:
    return text.replace("×", "x") if ascii_only else text
