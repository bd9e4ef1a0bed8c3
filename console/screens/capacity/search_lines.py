"""The lines above the curve: what a search is doing, its bracket, its level, what it has spent, and its rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from console.records.figures_text import duration_text
from console.screens.capacity.verdicts import glyph, mark_of
from console.screens.counted import counted
from console.vocabulary.level import RuleOutcome
from console.vocabulary.safe_text import safe_line
from console.vocabulary.search_view import LevelNow, SearchView
from widgets.bars import bar_text
from widgets.curve_lines import MARK_TONES, PointMark
from widgets.line_paint import Line, Run, cut, fit, width_of

_SHARE: Final = re.compile(r"≥ ([0-9.]+) ?%")
_BAR: Final = 10
_STAGES: Final = {"waiting": "waits for quotas to refill"}


def bracket_line(search: SearchView, knee: float | None = None, *, ascii_only: bool) -> Line:
    """Return both ends of what is looked for, and how far apart they are; of a target search what misses and reaches.

    Args:
        search: what is known of it.
        knee: where throughput stops growing, if that is below what a rule lets through.
        ascii_only: draw with nothing else.
    """
    low, high = search.passes, search.fails
    if low is None and high is None:
        return ((" nothing is known of the limit yet", "muted"),)
    words = ("misses", "reaches") if search.kind == "target" else ("passes", "fails")
    marks: tuple[PointMark, PointMark] = ("pass", "fail")
    if search.kind == "target":
        marks = ("fail", "pass")
    elif high is not None and not _has_failed(search, high):
        words = ("passes", "is open")
        marks = ("pass", "open")
    runs: list[Run] = []
    for end, word, mark in zip((low, high), words, marks, strict=True):
        if runs:
            runs.append((("-" if ascii_only else "─") * 8, "muted"))
        if end is None:
            runs.append((f"   nothing {word} yet ", "muted"))
        else:
            sign = glyph(mark, ascii_only=ascii_only)
            runs.append((f" {sign} {end:,} {word} ", MARK_TONES[mark]))
    if low and high:
        runs.append((f"  {100 * (high - low) / low:.0f} % apart", "muted"))
    if knee is not None:
        runs.append((f"   throughput grows up to {knee:.0f}", "accent"))
    return tuple(runs)


def _has_failed(search: SearchView, concurrency: int) -> bool:
    """Whether a rule has failed there, and it is not only open, or no measurement."""
    mine = [level for level in search.levels if level.subject == search.subject]
    return any(mark_of(level) == "fail" for level in mine if level.concurrency == concurrency)


def stage_line(search: SearchView) -> Line:
    """Return what the search is doing, of which lanes, and how much is to come."""
    runs: list[Run] = []
    if search.subject or len(search.subjects) > 1:
        whose = safe_line(search.subject, 40) or "all lanes together"
        place = search.subjects.index(search.subject) + 1 if search.subject in search.subjects else 0
        runs.append((f" {whose} ({place} of {len(search.subjects)}):", "accent"))
    runs.append((f" {safe_line(search.stage, 120)}", "strong"))
    if search.levels_left:
        runs.append((f"   about {counted(search.levels_left, 'level')} left", "muted"))
    return tuple(runs)


def level_line(now: LevelNow | None, width: int) -> Line:
    """Return the level that goes on: how far it is, and what it has so far."""
    if now is None:
        return ((" no level goes on", "muted"),)
    rate = "" if now.rate is None else f" at {now.rate:g}/s"
    runs: list[Run] = [(f" level {now.number}: {now.concurrency:,} in flight{rate}", "")]
    most = "" if now.at_most_s is None or now.stage == "waiting" else f" of at most {now.at_most_s:.0f} s"
    runs.append((f"  {_STAGES.get(now.stage, now.stage)} {now.stage_s:.0f} s{most}", "accent"))
    if now.ended:
        runs.append((f"  {counted(now.ended, 'answer')}", ""))
    line = tuple(runs)
    return line if width_of(line) <= width else (*line[:1], (f"  {now.stage} {now.stage_s:.0f} s", "accent"))


def spent_line(search: SearchView) -> Line:
    """Return what was spent, of how much where that is bounded."""
    parts = (
        ("", duration_text(search.spent_s), None if search.most_s is None else duration_text(search.most_s)),
        (
            " request" if search.spent_requests == 1 and search.most_requests is None else " requests",
            f"{search.spent_requests:,}",
            _figure(search.most_requests),
        ),
        (" tokens", f"{search.spent_tokens:,}", _figure(search.most_tokens)),
    )
    runs: list[Run] = [(" spent", "muted")]
    for unit, spent, most in parts:
        runs.append((f" {spent}", ""))
        runs.append((f"{'' if most is None else f' of {most}'}{unit}  ", "muted"))
    return tuple(runs)


def rules_of(search: SearchView) -> tuple[int, Sequence[RuleOutcome]]:
    """Return the rules to be shown and the level they are of: the one that goes on, before it has any the last one."""
    if search.now is not None and search.now.rules:
        return search.now.number, search.now.rules
    mine = [level for level in search.levels if level.subject == search.subject]
    return (mine[-1].number, mine[-1].rules) if mine else (0, ())


def rule_lines(
    number: int, rules: Sequence[RuleOutcome], width: int, room: int, *, ascii_only: bool
) -> list[Line]:
    """Return exactly `room` lines: the rules that are nearest to their limits, or beyond, first."""
    if not rules:
        words = " rules are judged once the level is steady"
        return _filled([((cut(words, width), "muted"),)], room)
    ordered = sorted(rules, key=_urgency)
    lines = [_rule_line(rule, width, ascii_only=ascii_only) for rule in ordered[:room]]
    left = len(ordered) - len(lines)
    note = f"level {number}" + (f", {left} more" if left > 0 else "")
    used = width_of(lines[0])
    if used + len(note) + 2 <= width:
        lines[0] = (*lines[0], (" " * (width - used - len(note) - 1) + note, "muted"))
    return _filled(lines, room)


def _filled(lines: list[Line], room: int) -> list[Line]:
    empty: Line = ()
    return [*lines, *[empty] * (room - len(lines))][:room]


def _rule_line(rule: RuleOutcome, width: int, *, ascii_only: bool) -> Line:
    """Return one rule: what it says, the room that is left to its limit as a bar, what was measured, and the limit."""
    mark: PointMark = "open" if rule.state == "undecided" else rule.state
    sign, tone = glyph(mark, ascii_only=ascii_only), MARK_TONES[mark]
    margin = rule.margin
    bar = " " * _BAR if margin is None else bar_text(max(0.0, margin), _best(rule), _BAR, ascii_only)
    words = "" if margin is None else f"{abs(100 * margin):.0f} % {'within' if margin >= 0 else 'BEYOND'}"
    measured = safe_line(rule.measured, 60)
    runs: list[Run] = [(f" {sign} {fit(safe_line(rule.rule, 40), 11)} ", tone), (bar, "accent")]
    runs.append((f" {fit(words, 12)} ", tone if rule.state == "fail" else ""))
    runs.append((f"{measured} ", ""))
    runs.append((f"{safe_line(rule.limit, 40)}", "muted"))
    if rule.state == "undecided" and rule.missing:
        room = width - width_of(tuple(runs)) - 2
        runs.append((f"  {cut(safe_line(rule.missing, 80), room)}" if room > 12 else "", "muted"))
    return tuple(runs)


def _best(rule: RuleOutcome) -> float:
    """Return the margin that a rule can have at best: of a share that must be high it is little."""
    found = _SHARE.match(rule.limit)
    least = float(found[1]) if found is not None else 0.0
    return 100 / least - 1 if 0 < least < 100 else 1.0


def _urgency(rule: RuleOutcome) -> tuple[int, float]:
    order = {"fail": 0, "undecided": 1, "pass": 2}
    share = 9.0 if rule.margin is None else rule.margin / _best(rule)
    return (order[rule.state] if rule.margin is not None or rule.state == "fail" else 3, share)


def _figure(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"
