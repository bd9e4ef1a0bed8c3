"""`report.html` of a search: one file that needs no network and no script; the answer first, then all it rests on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from console.capacity.answer import Answer, estimate_text
from console.capacity.report_asked import ReportAsked
from console.capacity.report_curve import CurveAsked, curve_svg
from console.capacity.report_levels import lane_table, level_table, rule_table, server_table
from console.capacity.report_words import MEANINGS, STATES, headline
from console.capacity.search_result import SearchResult
from console.charts.markup import Child, Markup, element, joined
from console.charts.page import facts, page
from console.vocabulary.level import LevelOutcome

_KINDS: Final = {
    "ramp": "search for the most concurrency (ramp)",
    "target": "search for the least concurrency that reaches a rate (target)",
    "seed004": "the rules of seed 004 to the letter",
}
_FITS: Final = 0.1
"""Distance of a point from the USL fit above which it describes nothing."""


def report_html(result: SearchResult, asked: ReportAsked, together: Sequence[str] = ()) -> str:
    """Return the page.

    Args:
        result: what was found.
        asked: how it was looked for.
        together: what lanes bear alone and together, in words.
    """
    main = next((answer for answer in reversed(result.answers) if not answer.subject), None)
    first = main or (result.answers[-1] if result.answers else None)
    title = f"{result.model}: {'no answer' if first is None else headline(first)}"
    parts: list[Child] = [
        _banner(
            "SIMULATED: every answer came from the built-in simulator; nothing here is a measurement of a model"
        )
        if result.simulated
        else None,
        element("h1", title),
        element(
            "p", " · ".join(filter(None, (_KINDS[result.kind], result.run_id, asked.created))), class_="dim"
        ),
    ]
    if result.state != "finished":
        parts.append(_banner(f"The search {result.state}: it did not go on to its end"))
    ordered = sorted(result.answers, key=lambda answer: bool(answer.subject))
    for answer in ordered:
        parts.append(_of_subject(answer, result, asked, named=len(ordered) > 1))
        if answer is main and together:
            parts += [element("h2", "Lanes alone and together"), [element("p", line) for line in together]]
    parts += [element("h2", "What was asked"), _asked(result, asked), _meanings()]
    return page(f"{title}{' (SIMULATED)' if result.simulated else ''}", parts)


def _banner(words: str) -> Markup:
    return element("p", words, class_="banner", role="note")


def _of_subject(answer: Answer, result: SearchResult, asked: ReportAsked, *, named: bool) -> Markup:
    levels = sorted(
        (level for level in result.levels if level.subject == answer.subject),
        key=lambda level: (level.concurrency, level.number),
    )
    curve = CurveAsked(
        model=result.model, run_id=result.run_id, simulated=result.simulated, elasticity=asked.elasticity
    )
    whose = answer.subject or "all lanes together"
    behind = f" · {whose}" if named else ""
    return element(
        "section",
        element("h2", f"The answer{behind}"),
        _answer(answer, levels),
        element("figure", curve_svg(answer, result.levels, curve)) if levels else None,
        element("h2", f"Levels{behind}"),
        level_table(levels),
        element("details", element("summary", "Rules: limit, measured, and what it would take"), rule_table(levels), open=True),
        _optional("Lanes", lane_table(levels)),
        _optional("What the server said of itself", server_table(levels)),
    )  # fmt: skip


def _optional(title: str, content: Markup | None) -> Markup | None:
    return None if content is None else element("details", element("summary", title), content)


def _answer(answer: Answer, levels: Sequence[LevelOutcome]) -> Markup:
    certain = answer.state in ("found", "not_limited")
    return joined(
        [
            element(
                "div",
                element("p", STATES[answer.state], class_="state"),
                element("p", answer.line),
                class_="answer" if certain else "answer none",
            ),
            [element("p", f"It would take: {text}") for text in answer.missing],
            facts(_facts(answer, levels)),
            [element("p", f"Note: {text}", class_="dim") for text in answer.notes],
        ]
    )


def _facts(answer: Answer, levels: Sequence[LevelOutcome]) -> list[tuple[str, Child]]:
    usl, drift = answer.usl, answer.drift
    found: list[tuple[str, Child]] = [
        (margin.name, f"{margin.low if margin.low == margin.high else f'{margin.low}-{margin.high}'} concurrent requests")
        for margin in answer.margins
    ]  # fmt: skip
    if answer.within_slo is not None:
        found.append(("largest level within every limit", str(answer.within_slo)))
    if answer.knee is not None:
        found.append(("knee", f"{answer.knee:.1f}"))
    if answer.power is not None:
        found.append(("most power", f"at {answer.power}"))
    if usl is not None:
        peak = "no peak" if usl.peak_at is None else f"peak at {usl.peak_at:.0f}"
        shown = f"contention {usl.contention:.4f}, coherency {usl.coherency:.2g}, {peak}; fits within {100 * usl.worst_share:.0f} %"
        found.append(
            (
                "USL",
                shown
                if usl.worst_share <= _FITS
                else f"no description of this curve: off by {100 * usl.worst_share:.0f} %",
            )
        )
    if drift is not None:
        found.append(("drift test", f"{drift.word}: {drift.text}"))
    elif levels:
        found.append(("drift test", "none: the lowest level was not measured again"))
    if levels:
        best = max(levels, key=lambda level: level.requests_per_s.value)
        found.append(
            ("most requests/s", f"{estimate_text(best.requests_per_s, 1, '')} at {best.concurrency}")
        )
        spent = f"{sum(level.spent_requests for level in levels):,} requests, {sum(level.spent_tokens for level in levels):,} tokens, {sum(level.spent_s for level in levels):,.0f} s"
        found.append(("spent", spent))
    return found


def _asked(result: SearchResult, asked: ReportAsked) -> Markup:
    command = " ".join(["ultra-console", *map(shlex.quote, asked.args)]) if asked.args else ""
    lanes = ", ".join(asked.lanes[:40]) + (
        f" and {len(asked.lanes) - 40} more" if len(asked.lanes) > 40 else ""
    )
    versions = ", ".join(f"{name} {version}" for name, version in asked.versions.items())
    return joined(
        [
            element("pre", command) if command else None,
            facts(
                [
                    ("model", result.model),
                    ("profile", asked.profile),
                    ("lanes", lanes),
                    ("seed", None if asked.seed is None else str(asked.seed)),
                    ("versions", versions),
                ]
            ),
            _optional("All settings", facts(asked.settings)) if asked.settings else None,
        ]
    )


def _meanings() -> Markup:
    return element("details", element("summary", "What the words mean"), facts(list(MEANINGS)), open=True)
