"""How the chosen tests run: settings of one line each, and what a step to the left or right makes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from console.screens.launch.needs import Asked

OptionName = Literal[
    "policy",
    "rate_mode",
    "model_class",
    "instances",
    "seed",
    "parallel",
    "reuse",
    "processes",
    "content",
    "run_id",
]
OPTIONS: Final[tuple[OptionName, ...]] = (
    "policy",
    "rate_mode",
    "model_class",
    "instances",
    "seed",
    "parallel",
    "reuse",
    "processes",
    "content",
    "run_id",
)
LABELS: Final[dict[OptionName, str]] = {
    "policy": "policy",
    "rate_mode": "rate mode",
    "model_class": "class",
    "instances": "instances",
    "seed": "seed",
    "parallel": "ultra-parallel",
    "reuse": "reuse",
    "processes": "processes",
    "content": "content",
    "run_id": "run id",
}
HINTS: Final[dict[OptionName, str]] = {
    "policy": "how jobs share keys and time: A in series, B in batches, C from a pool of keys",
    "rate_mode": "fixed: the limits stand; adaptive: the engine finds them below the ceilings",
    "model_class": "open or closed models; of phases that name models, those of them",
    "instances": "of each task type",
    "seed": "draws the tasks; the same for every model and phase",
    "parallel": "all jobs side by side: only limits and leases hold work back",
    "reuse": "take over results of an earlier run for tests that are the same",
    "processes": "engine processes, for more than one core bears; auto: by the expected load",
    "content": "whether traces hold what is said, or only its length and hash",
    "run_id": "name of the run directory",
}
POLICIES: Final[tuple[str | None, ...]] = (
    None,
    "as-is",
    "serial",
    "batches-of-3",
    "key-pool",
    "groups-spread",
    "groups-serial",
)
_PLANS: Final = {"serial": " (A)", "key-pool": " (C)"}
_BATCHES: Final = re.compile(r"batches-of-([1-9][0-9]{0,5})")
_MODES: Final[tuple[str | None, ...]] = (None, "fixed", "adaptive")
_CLASSES: Final[tuple[str | None, ...]] = (None, "open", "closed", "all")
_PROCESSES: Final = ("1", "auto", "2", "3", "4", "6", "8")
_REUSE: Final[tuple[str | None, ...]] = (None, "newest")
MOST_PROCESSES: Final = 64
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,99}")
PHASES_SAY: Final = "as the phases say"
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class OptionLine:
    """One setting as it is shown."""

    name: OptionName
    label: str
    value: str
    changed: bool
    """It is not as `run` does it by itself."""


def option_lines(asked: Asked) -> tuple[OptionLine, ...]:
    """Return all settings in their order."""
    usual = Asked()
    return tuple(
        OptionLine(name, LABELS[name], _text(asked, name), _text(asked, name) != _text(usual, name))
        for name in OPTIONS
    )


def _text(asked: Asked, name: OptionName) -> str:
    match name:
        case "policy":
            return PHASES_SAY if asked.policy is None else policy_text(asked.policy)
        case "rate_mode":
            return asked.rate_mode or "as the profile says"
        case "model_class":
            return asked.model_class or PHASES_SAY
        case "instances":
            return PHASES_SAY if asked.instances is None else str(asked.instances)
        case "seed":
            return str(asked.seed)
        case "parallel":
            return "yes" if asked.ultra_parallel else "no"
        case "reuse":
            return asked.reuse or "none"
        case "processes":
            return asked.processes
        case "content":
            return "kept in traces" if asked.content else "lengths and hashes only"
        case "run_id":
            return asked.run_id or "made up"


def policy_text(policy: str) -> str:
    """Write a policy with the letter of its plan."""
    return f"{policy}{' (B)' if _BATCHES.fullmatch(policy) else _PLANS.get(policy, '')}"


def stepped(asked: Asked, name: OptionName, step: int) -> Asked:
    """Return what is asked with one setting a step further; numbers stop at their ends, lists go round."""
    match name:
        case "policy":
            if asked.policy is not None and (size := batch_size(asked.policy)) is not None and size != 3:
                return replace(asked, policy=_next(POLICIES, "batches-of-3", step))
            return replace(asked, policy=_next(POLICIES, asked.policy, step))
        case "rate_mode":
            return replace(asked, rate_mode=_next(_MODES, asked.rate_mode, step))
        case "model_class":
            return replace(asked, model_class=_next(_CLASSES, asked.model_class, step))
        case "instances":
            count = (asked.instances or 0) + step
            return replace(asked, instances=count if count > 0 else None)
        case "seed":
            return replace(asked, seed=max(0, asked.seed + step))
        case "parallel":
            return replace(asked, ultra_parallel=not asked.ultra_parallel)
        case "reuse":
            return replace(asked, reuse=_next(_REUSE, asked.reuse, step))
        case "processes":
            return replace(asked, processes=_next(_PROCESSES, asked.processes, step))
        case "content":
            return replace(asked, content=not asked.content)
        case "run_id":
            return replace(asked, run_id=None)


def _next(values: tuple[ValueT, ...], now: ValueT, step: int) -> ValueT:
    return values[(values.index(now) + step) % len(values)] if now in values else values[0]


def batch_size(policy: str) -> int | None:
    """Return how many models are in a batch; None: it is no policy of batches."""
    found = _BATCHES.fullmatch(policy)
    return None if found is None else int(found[1])


@dataclass(frozen=True, slots=True)
class Entry:
    """A setting that is typed."""

    title: str
    text: str
    """What stands there at first."""
    hint: str


def entry_of(asked: Asked, name: OptionName) -> Entry | None:
    """Return how a setting is typed; None: Enter takes the next one of its list."""
    match name:
        case "policy":
            size = None if asked.policy is None else batch_size(asked.policy)
            return None if size is None else Entry("models in a batch", str(size), "a whole number ≥ 1")
        case "instances":
            text = "" if asked.instances is None else str(asked.instances)
            return Entry("instances of each task type", text, f"a whole number ≥ 1; empty: {PHASES_SAY}")
        case "seed":
            return Entry("seed", str(asked.seed), "a whole number")
        case "processes":
            return Entry("engine processes", asked.processes, f"1 to {MOST_PROCESSES}, or auto")
        case "run_id":
            return Entry("run id", asked.run_id or "", "letters, digits and ._+@-; empty: made up")
        case "rate_mode" | "model_class" | "parallel" | "reuse" | "content":
            return None


def entered(asked: Asked, name: OptionName, text: str) -> Asked | str:
    """Return what is asked with a typed setting, or what is wrong with the text."""
    text = text.strip()
    match name:
        case "policy":
            count = _whole(text, 1, 999_999)
            return "a whole number ≥ 1" if count is None else replace(asked, policy=f"batches-of-{count}")
        case "instances":
            count = _whole(text, 1, 2_000_000)
            if text and count is None:
                return "a whole number ≥ 1"
            return replace(asked, instances=count)
        case "seed":
            count = _whole(text, -(2**63), 2**63 - 1)
            return "a whole number" if count is None else replace(asked, seed=count)
        case "processes":
            if text != "auto" and _whole(text, 1, MOST_PROCESSES) is None:
                return f"1 to {MOST_PROCESSES}, or auto"
            return replace(asked, processes=text if text == "auto" else str(int(text)))
        case "run_id":
            if text and not _RUN_ID.fullmatch(text):
                return "letters, digits and ._+@-, the first one a letter or digit, at most 100"
            return replace(asked, run_id=text or None)
        case "rate_mode" | "model_class" | "parallel" | "reuse" | "content":
            return "is chosen from a list"


def _whole(text: str, least: int, most: int) -> int | None:
    if not re.fullmatch(r"-?[0-9]{1,19}", text):
        return None
    return int(text) if least <= int(text) <= most else None
