"""What `set` takes: `key:ideallab/key2=off`, `lane:azure/gpt@key0.workers+=5`, `lanes.qps=none`, `lane:azure/*.adaptive=on`.

Names have dots, slashes and `@` in them, so a setting is read from its right end: the figure, what is done with it,
what it is about, and the rest is a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isfinite
from typing import Final, Literal, get_args

from console.vocabulary.command import SWITCH_KINDS, Adapt, Change, Switch, Tune
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Lane, Scope, ScopeKind, outer_scopes
from console.vocabulary.safe_text import safe_line

What = Literal["workers", "qps"]
WHAT: Final[tuple[What, ...]] = get_args(What)
_KINDS: Final[tuple[ScopeKind, ...]] = get_args(ScopeKind)
_ALL_LANES: Final = ("lane", "lanes")
_GLOB: Final = frozenset("*?[")
HINT: Final = (
    "write key:PROVIDER/KEY=off, lane:PROVIDER/DEPLOYMENT@KEY.workers=40, .workers+=5, .qps=8, .qps=none, "
    ".workers=reset or .adaptive=on; lanes.workers=20 is for all lanes"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A limit of one scope, or of all those that a pattern names."""

    kind: ScopeKind
    name: str
    """As written; with `*`, `?` or `[…]` a pattern, unless something is called so."""
    what: What
    change: Change


@dataclass(frozen=True, slots=True)
class Finding:
    """Adaptive mode of lanes, on or off."""

    name: str
    on: bool


Setting = Switch | Figure | Finding


def read_setting(word: str) -> Setting:
    """Read one setting.

    Raises:
        ConsoleError: if it is none.
    """
    left, equals, value = word.rpartition("=")
    if not equals or not left:
        raise _no_setting(word)
    if value in ("on", "off"):
        return _read_switch(word, left, on=value == "on")
    for what in WHAT:
        for op in ("+", "-", "="):
            end = f".{what}" if op == "=" else f".{what}{op}"
            if left.endswith(end):
                kind, name = _read_scope(word, left[: -len(end)])
                return Figure(kind, name, what, _read_change(word, op, value))
    raise _no_setting(word)


def _read_switch(word: str, left: str, *, on: bool) -> Setting:
    if left.endswith(".adaptive"):
        kind, name = _read_scope(word, left.removesuffix(".adaptive"))
        if kind != "lane":
            raise ConsoleError(
                f"{safe_line(word, 200)!r} is no setting: lanes have limits that are found",
                hint="write lane:PROVIDER/DEPLOYMENT@KEY.adaptive=on, or lanes.adaptive=on for all",
            )
        return Finding(name, on)
    kind, colon, name = left.partition(":")
    if kind not in SWITCH_KINDS or not colon or not name:
        raise _no_setting(word)
    return Switch(SWITCH_KINDS[SWITCH_KINDS.index(kind)], name, on=on)


def _read_scope(word: str, text: str) -> tuple[ScopeKind, str]:
    if text in _ALL_LANES:
        return "lane", "*"
    kind, colon, name = text.partition(":")
    if kind not in _KINDS or not colon or not name:
        raise _no_setting(word)
    return _KINDS[_KINDS.index(kind)], name


def _read_change(word: str, op: Literal["+", "-", "="], value: str) -> Change:
    if op == "=" and value == "none":
        return Change("=", None)
    if op == "=" and value == "reset":
        return Change("reset")
    try:
        figure = float(value)
    except ValueError:
        figure = float("nan")
    if not isfinite(figure):
        words = "a number, none or reset" if op == "=" else "a number"
        raise ConsoleError(f"{safe_line(word, 200)!r}: {safe_line(value, 80)!r} is not {words}", hint=HINT)
    return Change(op, figure)


def _no_setting(word: str) -> ConsoleError:
    return ConsoleError(f"{safe_line(word, 200)!r} is no setting", hint=HINT)


def needs_lanes(setting: Setting) -> bool:
    """Whether the lanes of the run have to be known to say what a setting means."""
    return not isinstance(setting, Switch) and not _GLOB.isdisjoint(setting.name)


def command_of(setting: Setting, lanes: Sequence[Lane]) -> Switch | Tune | Adapt:
    """Return the command that a setting is.

    Args:
        setting: the setting.
        lanes: those of the run, where the setting needs them.

    Raises:
        ConsoleError: if a pattern names nothing of the run.
    """
    if isinstance(setting, Switch):
        return setting
    if isinstance(setting, Finding):
        return Adapt(_meant(setting.name, [lane.id for lane in lanes], "lane"), on=setting.on)
    names = _meant(setting.name, _names(setting.kind, lanes), setting.kind)
    change = setting.change
    return Tune(
        scopes=tuple(Scope(setting.kind, name) for name in names),
        workers=change if setting.what == "workers" else None,
        qps=change if setting.what == "qps" else None,
    )


def _names(kind: ScopeKind, lanes: Sequence[Lane]) -> list[str]:
    scopes = (scope for lane in lanes for scope in (Scope("lane", lane.id), *outer_scopes(lane)))
    return list(dict.fromkeys(scope.name for scope in scopes if scope.kind == kind))


def _meant(name: str, known: Sequence[str], kind: ScopeKind) -> tuple[str, ...]:
    if name in known or _GLOB.isdisjoint(name):
        return (name,)
    found = tuple(one for one in known if fnmatchcase(one, name))
    if not found:
        raise ConsoleError(
            f"no {kind} of this run is like {safe_line(name, 80)}",
            hint=f"it has {safe_line(', '.join(known), 300)}" if known else None,
        )
    return found
