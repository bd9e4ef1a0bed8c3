"""What a draft changes, as text to be read: settings, totals, and the lines of the file. No Textual here."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

from console.profile.diff import DiffRow, diff
from console.profile.draft import Draft
from console.profile.inline import inline
from console.profile.patch import Rewritten
from console.profile.table_diff import ABSENT
from console.profile.toml_lines import dotted
from console.screens.profiles.editor import Facts
from console.vocabulary.safe_text import safe_line
from widgets.paragraphs import Paragraph, paragraph
from widgets.text_lines import Tone

_TONES: Final[dict[str, Tone]] = {"+": "good", "-": "bad", "@": "muted"}
_CONTEXT: Final = 2


def change_paragraphs(facts: Facts, written: Rewritten) -> list[Paragraph]:
    """Return what differs from the file: what was set, what comes of it, and how the file changes."""
    draft = facts.draft
    text = [paragraph(f"{len(draft.changes)} changed in {safe_line(draft.source.origin, 200)}", "strong")]
    text += [paragraph(f"  {line}", hang=4) for line in setting_lines(draft)]
    text += [Paragraph(()), paragraph("the file", "strong")]
    if written.anew:
        text.append(
            paragraph("  all of it is written anew: some of this cannot be changed in place", "warn", 2)
        )
    text += [paragraph(f"  {line}", _TONES.get(line[:1], ""), 4) for line in file_lines(draft, written)]
    if facts.judged.profile is None:
        text += [Paragraph(()), paragraph("the profile is not valid like this: no totals", "bad")]
    elif facts.saved is not None:
        rows = diff(facts.saved, facts.judged.profile).totals
        text += [Paragraph(()), paragraph("what comes of it", "strong")]
        text += [paragraph(f"  {_row(row)}", hang=4) for row in rows]
        text += [] if rows else [paragraph("  the same totals", "muted")]
    return text


def setting_lines(draft: Draft) -> list[str]:
    """Return a line for each value that differs: `limits.azure.open.fixed.workers: 50 -> 100`."""
    return [
        safe_line(f"{dotted(one.path)}: {_value(one.before)} -> {_value(one.after)}", 300)
        for one in draft.changes
    ]


def file_lines(draft: Draft, written: Rewritten) -> list[str]:
    """Return the lines that differ between the file and what would be written, with their neighbours."""
    return list(_file_lines(draft.source.text, written.text))


def _file_lines(before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=_CONTEXT)
    for number, line in enumerate(lines):
        if number >= 2:  # behind the names of the files
            yield safe_line(line, 300)


def _value(value: object) -> str:
    return "none" if value is ABSENT else inline(value)


def _row(row: DiffRow) -> str:
    return safe_line(f"{row.path}: {row.left or '-'} -> {row.right or '-'}", 300)
