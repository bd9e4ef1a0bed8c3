"""The words of a search's report: what its states, verdicts and figures mean."""

from __future__ import annotations

import re
from typing import Final

from console.capacity.answer import Answer, State
from console.capacity.steps import leans, so_far
from console.vocabulary.level import VALIDITY_WORDS, LevelOutcome

STATES: Final[dict[State, str]] = {
    "found": "FOUND",
    "not_limited": "NOT LIMITED as far as it looked",
    "nothing_passes": "NOTHING PASSES",
    "undecided": "UNDECIDED",
    "quota": "QUOTA, not capacity",
    "client_bound": "INVALID: client-bound",
    "invalid": "INVALID",
    "unreachable": "NOT REACHED",
    "interrupted": "INTERRUPTED",
}
VERDICTS: Final = {
    "pass": "pass",
    "so_far": "so far",
    "fail": "FAIL",
    "undecided": "undecided",
    "quota": "QUOTA",
    "invalid": "INVALID",
}
_LIMIT: Final = re.compile(r"([\d][\d,]*\.?\d*) ?(ms|s)\b")
MEANINGS: Final[tuple[tuple[str, str], ...]] = (
    ("level", "so many requests kept in flight (closed loop), or a rate with so many in flight at most (open loop), for a while"),
    ("window", "the part of a level that is measured: steady, without its beginning and without its end; all figures are of it"),
    ("pass", "every rule is within its limit, by the bound of its interval and not by the figure alone"),
    ("FAIL", "some rule is beyond its limit, likewise by its bound"),
    ("so far", "nothing is beyond a limit, and not all is certain; enough for a rung of the ladder"),
    ("undecided", "too few answers to tell, within what the level might spend"),
    ("QUOTA", "more than 1 % were refused by quota: that is a contract and not what the model bears"),
    ("SUSPECT", "measured, but something may have coloured it; the reason stands beside"),
    ("INVALID", "no measurement of the model: the client was the limit, or nothing was steady"),
    ("[low, high]", "the 95 % interval of the figure before it"),
    ("throughput", "what came within the window, each token counted when it came; no beginning and no end is in it"),
    ("knee", "where throughput / concurrency^e is greatest, e being the least growth that counts; beyond, more in flight only wait"),
    ("power", "the measured concurrency with most throughput per time in the system; one more way to call a curve's bend"),
    ("USL", "Gunther's universal scalability law fitted to the curve; shown where it describes it within a tenth"),
    ("TTFT", "time to first token: sent until the read that brought the first content, reasoning or tool call"),
    ("TPOT", "time per output token behind the first: (latency - TTFT) / (tokens - 1)"),
    ("scan · refine · confirm · drift", "a rung of the ladder · between two rungs · an end of the answer once more · the lowest level again, at the end"),
    ("production margins", "named policies, not measurements: half of the limit, or 70 to 80 % of it"),
)  # fmt: skip


def verdict_key(level: LevelOutcome) -> str:
    """Return what a level says, as `VERDICTS` has it: an undecided one that leans to pass is `so_far`."""
    return "so_far" if so_far(level) else level.verdict


def what_matters(level: LevelOutcome) -> list[str]:
    """Return what a reader has to know of a level: rules that failed or are open, and why it may be no measurement."""
    parts = [
        f"{rule.rule} {rule.measured} not {rule.limit}"
        for rule in level.rules
        if rule.state == "fail" and rule.rule != "client"  # which is among the reasons below
    ]
    if not so_far(level):
        parts += [f"{rule.rule} open: {rule.missing}" for rule in level.rules if rule.state == "undecided"]
    if level.validity != "valid":
        parts.append(f"{VALIDITY_WORDS[level.validity]}: {'; '.join(level.reasons)}")
    return parts


def headline(answer: Answer) -> str:
    """Return the answer in a few words, its state first unless that is a number."""
    if answer.state != "found" or answer.capacity is None:
        return STATES[answer.state]
    if answer.kind == "target":
        return f"{answer.capacity} concurrent requests reach {answer.target_qps or 0:g}/s"
    if answer.kind == "seed004":
        return f"limit {answer.capacity}, by the rules of seed 004"
    return f"bears {answer.capacity} concurrent requests"


def limit_ms(text: str) -> float | None:
    """Return the limit of a rule on a latency in ms, from its words: `≤ 1,000 ms`, `< 2 s`."""
    found = _LIMIT.search(text)
    if found is None:
        return None
    value = float(found[1].replace(",", ""))
    return 1000 * value if found[2] == "s" else value


def answer_level(answer: Answer, levels: tuple[LevelOutcome, ...]) -> LevelOutcome | None:
    """Return the level at the answer: where it is the nearest measured one, else the highest that passes, else the last.

    Of several measurements at one concurrency it is the one with most answers that is a measurement.
    """
    mine = [level for level in levels if level.subject == answer.subject and _searched(answer, level)]
    if not mine:
        return None
    passing = [level.concurrency for level in mine if leans(level) == "pass"]
    at = answer.capacity or answer.low or max(passing, default=mine[-1].concurrency)
    return min(
        mine,
        key=lambda level: (
            abs(level.concurrency - at),
            level.verdict in ("invalid", "quota"),
            -level.ended,
            level.number,
        ),
    )


def _searched(answer: Answer, level: LevelOutcome) -> bool:
    """Whether a level is of the search itself: a target search begins with a closed loop that only asks how long answers take."""
    return answer.kind != "target" or level.rate is not None
