"""What was asked of a search and of what: the part of its report that the run directory knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import msgspec

from console.capacity.curve import ELASTICITY
from console.records.run_file import read_run_file
from console.vocabulary.lane import Lane

_PLAN: Final = "plan.json"


class ReportAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of how a search was made."""

    created: str = ""
    profile: str = ""
    args: tuple[str, ...] = ()
    """The command line, without the program's name."""
    versions: dict[str, str] = {}
    seed: int | None = None
    elasticity: float = ELASTICITY
    lanes: tuple[str, ...] = ()
    """Ids of those that it drove."""
    settings: tuple[tuple[str, str], ...] = ()
    """Name and value of each setting, as the plan has them."""


def report_asked(run_dir: Path) -> ReportAsked:
    """Read it; of a run directory that lacks a file what is known.

    Raises:
        ConsoleError: if there is no `run.toml`.
    """
    run = read_run_file(run_dir)
    plan = _plan(run_dir / _PLAN)
    search = _table(plan.get("search"))
    ramp = _table(search.get("ramp"))
    elasticity = ramp.get("elasticity")
    return ReportAsked(
        created=run.created,
        profile=run.profile,
        args=tuple(run.args),
        versions=run.versions,
        seed=run.seed,
        elasticity=float(elasticity)
        if isinstance(elasticity, (int, float)) and 0 < elasticity < 1
        else ELASTICITY,
        lanes=tuple(_lane_ids(plan.get("lanes"))),
        settings=tuple(_settings(search)),
    )


def _plan(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return {}  # an older or broken plan: the report does without


def _table(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _lane_ids(lanes: Any) -> list[str]:
    found: list[str] = []
    for setup in cast("list[Any]", lanes) if isinstance(lanes, list) else []:
        try:
            found.append(msgspec.convert(_table(setup).get("lane"), Lane).id)
        except msgspec.ValidationError:
            continue  # of a plan that is not ours
    return found


def _settings(search: dict[str, Any]) -> list[tuple[str, str]]:
    """Return settings one level deep: `rules.max_ttft_ms`, `pace.most_s`; those that are not set are left out."""
    found: list[tuple[str, str]] = []
    for name, value in search.items():
        if name in ("model", "seed"):
            continue
        for inner, deeper in _table(value).items() if isinstance(value, dict) else [("", value)]:
            if deeper in (None, [], {}, "", False):
                continue
            text = deeper if isinstance(deeper, str) else msgspec.json.encode(deeper).decode()
            found.append((f"{name}.{inner}" if inner else name, text))
    return found
