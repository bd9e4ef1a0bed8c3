"""What a search would do, beside its form: what it drives, what caps it, how long it takes, and its command. Pure."""

from __future__ import annotations

from typing import Final

from console.records.figures_text import duration_text
from console.screens.capacity.command_line import command_line
from console.screens.capacity.forecast import TOKENS_PER_S, Forecast
from console.screens.capacity.needs import Prospect, SearchAsked
from console.screens.counted import counted
from console.vocabulary.safe_text import safe_line
from widgets.line_paint import Line, Run
from widgets.paragraphs import Paragraph, broken, paragraph

_LANES_SHOWN: Final = 4


def prospect_lines(
    asked: SearchAsked, prospect: Prospect | None, made: Forecast | None, fault: str, width: int
) -> list[Line]:
    """Return the lines of the pane, broken to a width.

    Args:
        asked: what is asked for.
        prospect: what it would drive; None: not known.
        made: how much that is.
        fault: why it cannot be started; empty: it can.
        width: of the pane.
    """
    parts = [_profile(asked, prospect)]
    parts += [
        paragraph(f" * not saved: {safe_line(change, 200)}", "accent", 3) for change in asked.changes[:3]
    ]
    if fault:
        parts += [Paragraph(()), paragraph(f" ! {safe_line(fault, 500)}", "bad", 3)]
    elif prospect is None:
        parts += [Paragraph(()), paragraph(" asking the profile", "muted")]
    else:
        parts += [Paragraph(()), *_drives(asked, prospect)]
        if made is not None:
            parts += [Paragraph(()), *_comes_to(asked, made)]
    parts += [
        Paragraph(()),
        paragraph(" the same as a command; y copies it:", "muted"),
        paragraph(f"   {safe_line(command_line(asked), 1000)}", "accent", 5),
    ]
    return [line for part in parts for line in broken(part, width)]


def _profile(asked: SearchAsked, prospect: Prospect | None) -> Paragraph:
    runs: list[Run] = [(" profile ", "muted"), (safe_line(asked.profile, 60), "strong")]
    if prospect is not None and prospect.simulated:
        runs.append((" ", ""))
        runs.append((" SIMULATED ", "badge"))
    runs.append(("  1 chooses another", "muted"))
    return Paragraph(tuple(runs), 3)


def _drives(asked: SearchAsked, prospect: Prospect) -> list[Paragraph]:
    lanes = prospect.lanes
    parts = [
        paragraph(
            f" drives {counted(len(lanes), 'lane')}, up to {prospect.most:,} in flight:",
            hang=3,
        )
    ]
    parts += [paragraph(f"   {safe_line(lane, 100)}", "strong", 5) for lane in lanes[:_LANES_SHOWN]]
    if len(lanes) > _LANES_SHOWN:
        parts.append(paragraph(f"   and {len(lanes) - _LANES_SHOWN} more", "muted"))
    parts += [paragraph(f" x {safe_line(missing, 200)}", "bad", 3) for missing in prospect.missing]
    parts += [paragraph(f" ! {safe_line(cap, 300)}", "warn", 3) for cap in prospect.caps]
    if asked.each and len(lanes) > 1:
        parts.append(paragraph(" each of them alone first, then all together", hang=3))
    return parts


def _comes_to(asked: SearchAsked, made: Forecast) -> list[Paragraph]:
    times = f" takes about {duration_text(made.about_s)}, at most {duration_text(made.most_s)}"
    parts = [paragraph(f"{times} for up to {counted(made.levels, 'level')}", hang=3)]
    sent = f" sends at most {made.most_requests:,} requests, {_tokens(made.most_tokens)} tokens"
    parts.append(
        paragraph(
            f"{sent}, if an answer takes {made.answer_s:.1f} s ({TOKENS_PER_S:.0f} tokens/s)",
            hang=3,
        )
    )
    if made.cut_by:
        parts.append(paragraph(f" the budget of {made.cut_by} ends it there", "accent", 3))
    elif asked.budget_s is None and asked.budget_requests is None and asked.budget_tokens is None:
        parts.append(paragraph(" no budget ends it before", "muted", 3))
    return parts


def _tokens(count: int) -> str:
    return f"{count / 1e6:,.1f} M" if count >= 1_000_000 else f"{count:,}"
