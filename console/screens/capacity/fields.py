"""The fields of the form: their words, their steps to the left and right, and what may be typed. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

from console.capacity.slo import parse_slo
from console.screens.capacity.command_line import number
from console.screens.capacity.needs import SearchAsked
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line

FieldName = Literal[
    "kind", "qps", "model", "most", "input_len", "output_len", "max_ttft_ms", "slos", "level_s",
    "budget_s", "budget_requests", "budget_tokens", "each", "lift_workers", "server_metrics",
]  # fmt: skip
LABELS: Final[dict[FieldName, str]] = {
    "kind": "find",
    "qps": "rate",
    "model": "model",
    "most": "most in flight",
    "input_len": "prompt tokens",
    "output_len": "answer tokens",
    "max_ttft_ms": "TTFT limit",
    "slos": "further limits",
    "level_s": "a level",
    "budget_s": "most time",
    "budget_requests": "most requests",
    "budget_tokens": "most tokens",
    "each": "lanes alone",
    "lift_workers": "lift workers",
    "server_metrics": "server metrics",
}
HINTS: Final[dict[FieldName, str]] = {
    "kind": "the most, or what a rate needs",
    "qps": "requests per second to reach",
    "model": "one of the profile's models",
    "most": "never more, over all its lanes",
    "input_len": "length of a prompt",
    "output_len": "length of an answer",
    "max_ttft_ms": "of mean and p95; 0: none",
    "slos": "ttft_p99<2s tpot_p95<50ms",
    "level_s": "seconds at most, decided or not",
    "budget_s": "in seconds, of the whole search",
    "budget_requests": "of the whole search",
    "budget_tokens": "of prompts and answers",
    "each": "each first, then all of them",
    "lift_workers": "without the profile's workers",
    "server_metrics": "its Prometheus text",
}
"""What stands at the lower edge of the form, which has 31 columns for it on a narrow screen."""
_OF_TARGET: Final[frozenset[FieldName]] = frozenset(("qps",))
_OF_RAMP: Final[frozenset[FieldName]] = frozenset(("max_ttft_ms",))
_LADDER: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_STEPS: Final[dict[FieldName, tuple[float | None, ...]]] = {
    "qps": (None, 0.5, *_LADDER[:10]),
    "most": _LADDER,
    "input_len": (16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768),
    "output_len": (16, 32, 64, 128, 256, 512, 1024, 2048),
    "max_ttft_ms": (0, 200, 500, 1000, 2000, 5000, 10_000),
    "level_s": (5, 10, 20, 30, 60, 120, 300),
    "budget_s": (None, 60, 300, 600, 1800, 3600),
    "budget_requests": (None, 1000, 10_000, 100_000),
    "budget_tokens": (None, 100_000, 1_000_000, 10_000_000, 100_000_000),
}
_TYPED: Final[dict[FieldName, tuple[float, float, bool, str]]] = {
    "qps": (0.001, 1e6, False, "requests per second, more than 0"),
    "most": (1, 1_000_000, True, "a whole number ≥ 1"),
    "input_len": (1, 10_000_000, True, "a whole number ≥ 1"),
    "output_len": (1, 10_000_000, True, "a whole number ≥ 1"),
    "max_ttft_ms": (0, 1e7, False, "milliseconds; 0: no such limit"),
    "level_s": (3, 86_400, False, "seconds, 3 or more"),
    "budget_s": (1, 1e7, False, "seconds, 1 or more; empty: no such limit"),
    "budget_requests": (1, 1e12, True, "a whole number ≥ 1; empty: no such limit"),
    "budget_tokens": (1, 1e15, True, "a whole number ≥ 1; empty: no such limit"),
}
_WHOLE_OR_NONE: Final = ("budget_s", "budget_requests", "budget_tokens")
_OPTIONS: Final[dict[str, FieldName]] = {
    "--qps": "qps",
    "--model": "model",
    "--max-concurrency": "most",
    "--slo": "slos",
    "--max-ttft": "max_ttft_ms",
    "--level-seconds": "level_s",
    "--window": "level_s",
    "--lanes": "model",
    "--server-metrics": "server_metrics",
    "--lift-workers": "lift_workers",
}
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it is shown."""

    name: FieldName
    label: str
    value: str
    changed: bool
    """It is not as the command does it by itself."""
    fault: str = ""


def fields_of(asked: SearchAsked, faults: dict[FieldName, str]) -> tuple[Field, ...]:
    """Return the fields that there are for what is looked for, in their order."""
    usual = SearchAsked(kind=asked.kind, model=asked.model)
    hidden = _OF_RAMP if asked.kind == "target" else _OF_TARGET
    return tuple(
        Field(
            name,
            _label(asked, name),
            value_text(asked, name),
            name != "kind" and getattr(asked, name) != getattr(usual, name),
            faults.get(name, ""),
        )
        for name in LABELS
        if name not in hidden
    )


def faults_of(asked: SearchAsked, models: Sequence[str] | None) -> dict[FieldName, str]:
    """Return what is wrong before anybody else is asked; `models` are those of the profile, None: not known yet."""
    faults: dict[FieldName, str] = {}
    if asked.kind == "target" and asked.qps is None:
        faults["qps"] = "a rate is needed: Enter types it"
    if models is not None and not asked.model:
        faults["model"] = "the profile has no model with a lane"
    for slo in asked.slos:
        fault = _slo_fault(slo)
        if fault:
            faults["slos"] = fault
    return faults


def fault_at(error: ConsoleError) -> tuple[FieldName | None, str]:
    """Return the field that an error of the command is about, if it is about one, and its words."""
    text = "; ".join(line.strip() for line in error.lines())
    for option, name in _OPTIONS.items():
        if _names(text, option):
            return name, safe_line(text, 400)
    return None, safe_line(text, 400)


def value_text(asked: SearchAsked, name: FieldName) -> str:
    """Write a value with its unit."""
    value = getattr(asked, name)
    match name:
        case "kind":
            return "the most" if value == "ramp" else "least for a rate"
        case "model":
            return safe_line(value, 60) or "none"
        case "qps":
            return "none yet" if value is None else f"{number(value)}/s"
        case "max_ttft_ms":
            return f"{number(value)} ms" if value else "none"
        case "slos" | "server_metrics":
            return safe_line(" ".join(value), 200) or "none"
        case "level_s":
            return f"{number(value)} s"
        case "budget_s":
            return "any" if value is None else f"{number(value)} s"
        case "each" | "lift_workers":
            return "yes" if value else "no"
        case _:
            return "any" if value is None else f"{value:,}"


def stepped(asked: SearchAsked, name: FieldName, step: int, models: Sequence[str]) -> SearchAsked:
    """Return what is asked with one field a step further; numbers stop at their ends, the others go round."""
    if name == "kind":
        return replace(asked, kind="target" if asked.kind == "ramp" else "ramp")
    if name == "model":
        return replace(asked, model=_next(models, asked.model, step)) if models else asked
    if name in ("each", "lift_workers"):
        return _with(asked, name, not getattr(asked, name))
    steps = _STEPS.get(name)
    return asked if steps is None else _with(asked, name, _stepped_number(steps, getattr(asked, name), step))


@dataclass(frozen=True, slots=True)
class Entry:
    """A field that is typed."""

    title: str
    text: str
    """What stands there at first."""
    hint: str


def entry_of(asked: SearchAsked, name: FieldName) -> Entry | None:
    """Return how a field is typed; None: Enter takes its next value."""
    value = getattr(asked, name)
    if name in _TYPED:
        return Entry(_label(asked, name), "" if value is None else number(value), _TYPED[name][3])
    if name == "slos":
        return Entry(LABELS[name], " ".join(value), f"limits with blanks between, such as {HINTS[name]}")
    if name == "server_metrics":
        words = "of the server or its GPUs, such as http://localhost:8000/metrics; empty: none"
        return Entry(LABELS[name], " ".join(value), words)
    return None


def entered(asked: SearchAsked, name: FieldName, text: str) -> SearchAsked | str:
    """Return what is asked with a typed field, or what is wrong with the text."""
    text = text.strip()
    if name == "slos":
        slos = tuple(text.replace(",", " ").split())
        faults = [fault for fault in (_slo_fault(slo) for slo in slos) if fault]
        return faults[0] if faults else replace(asked, slos=slos)
    if name == "server_metrics":
        addresses = tuple(text.split())
        if not all(one.startswith(("http://", "https://")) for one in addresses):
            return "addresses that begin with http:// or https://"
        return replace(asked, server_metrics=addresses)
    least, most, whole, words = _TYPED[name]
    if not text and (name in _WHOLE_OR_NONE or name == "qps"):
        return _with(asked, name, None)
    try:
        value = int(text.replace(",", "")) if whole else float(text)
    except ValueError:
        return words
    return _with(asked, name, value) if math.isfinite(value) and least <= value <= most else words


def _label(asked: SearchAsked, name: FieldName) -> str:
    return "a window" if name == "level_s" and asked.kind == "target" else LABELS[name]


def _with(asked: SearchAsked, name: FieldName, value: Any) -> SearchAsked:
    return replace(asked, **{name: value})


def _stepped_number(steps: Sequence[float | None], now: float | None, step: int) -> float | None:
    """Return the next value of a list above or below what need not be in it."""
    if step > 0:
        return next((one for one in steps if one is not None and (now is None or one > now)), now)
    lower = [one for one in steps if one is None or (now is not None and one < now)]
    return lower[-1] if lower and now is not None else now


def _next(values: Sequence[ValueT], now: ValueT, step: int) -> ValueT:
    return values[(values.index(now) + step) % len(values)] if now in values else values[0]


def _slo_fault(text: str) -> str:
    try:
        parse_slo(text)
    except ConsoleError as error:
        return safe_line("; ".join(line.strip() for line in error.lines()), 300)
    return ""


def _names(text: str, option: str) -> bool:
    """Whether a text speaks of an option, and not of a longer one that begins like it."""
    place = text.find(option)
    return place >= 0 and not text[place + len(option) :][:1].replace("-", "a").isalpha()
