"""What a profile under edit comes to, model by model, beside what the saved one does."""

from __future__ import annotations

from dataclasses import dataclass

from console.profile.effective import ModelTotals, lane_setups, split_rules, totals
from console.profile.form import Profile
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import RateMode


@dataclass(frozen=True, slots=True)
class TotalLine:
    """One model."""

    model: str
    row: str
    """The row of the limits that holds for it: `azure/open`."""
    workers: str
    """`50 × 3 = 150`; `off`; `no lane`."""
    qps: str
    workers_before: str = ""
    """Of the saved profile, where that differs; the total alone."""
    qps_before: str = ""

    @property
    def changed(self) -> bool:
        """Whether the saved profile comes to something else."""
        return bool(self.workers_before or self.qps_before)


def total_lines(
    now: Profile, saved: Profile | None, *, mode: RateMode | None = None, prompt_types: int = 1
) -> tuple[TotalLine, ...]:
    """Return a line for each model, from the function that the engine enforces.

    Args:
        now: the profile under edit.
        saved: as it is in the file; None: it is not valid there.
        mode: the rate mode in force, where that is not the profile's.
        prompt_types: in one job.
    """
    rows = _rows(now, mode, prompt_types)
    before = {} if saved is None else _rows(saved, mode, prompt_types)
    lines: list[TotalLine] = []
    for name in now.models:
        row = rows.get(name)
        total, qps = _total(now, name, row), _qps(row)
        total_before, qps_before = total, qps
        if saved is not None and name in saved.models:
            total_before, qps_before = _total(saved, name, before.get(name)), _qps(before.get(name))
        lines.append(
            TotalLine(
                model=name,
                row=_class_of(now, name, row),
                workers=_formula(row) if row is not None else total,
                qps=qps,
                workers_before=total_before if total_before != total else "",
                qps_before=(qps_before or "-") if qps and qps_before != qps else "",
            )
        )
    return tuple(lines)


def lane_count(profile: Profile, mode: RateMode | None = None) -> int:
    """Return how many lanes a profile has, 0 where it has no limits for the mode."""
    try:
        return len(lane_setups(profile, rate_mode=mode))
    except ConsoleError:
        return 0


def _rows(profile: Profile, mode: RateMode | None, prompt_types: int) -> dict[str, ModelTotals]:
    try:
        setups = lane_setups(profile, rate_mode=mode, prompt_types=prompt_types)
    except ConsoleError:
        return {}  # no limits for a mode that the environment wants; the notice says so
    return {row.model: row for row in totals(setups, split_rules(profile))}


def _formula(row: ModelTotals) -> str:
    job = "/job" if row.per == "job" else ""
    each = str(row.lane_workers[0]) if len(set(row.lane_workers)) == 1 else "mixed"
    return f"{each} × {row.lanes} = {row.workers}{job}"


def _total(profile: Profile, name: str, row: ModelTotals | None) -> str:
    if row is None:
        return "off" if profile.models[name].off else "no lane"
    return str(row.workers)


def _qps(row: ModelTotals | None) -> str:
    if row is None:
        return ""
    return "none" if row.qps_bound is None else f"{row.qps_bound:g}"


def _class_of(profile: Profile, name: str, row: ModelTotals | None) -> str:
    model = profile.models[name]
    provider = row.provider if row is not None else model.provider
    return f"{profile.providers[provider].limits_as or provider}/{model.model_class}"
