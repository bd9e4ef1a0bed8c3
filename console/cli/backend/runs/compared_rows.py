"""Two runs side by side as a table: of each model verdicts, their difference, and speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from console.cli.backend.results.level_sheets import level_groups, total_of
from console.cli.backend.results.opened import Results
from console.records.figures_text import NONE, ms_text, rate_text, share_text
from console.records.intervals import FEWEST_PAIRS
from console.records.report_columns import figure_text, p_text, points_text
from console.records.summary_types import GroupSummary
from console.screens.results.places import Place
from console.screens.results.sheet import Column, Listed, Row, SortKey

_ALL: Final = "all"
_NOTES: Final = (
    "diff: share of full tests of the second run less that of the first, in points, on the tests both answered",
    f"95% CI: Agresti and Min; Holm: exact p of McNemar, for all models; n/a below {FEWEST_PAIRS} pairs",
    "success, score and speed are over all tests of each run, paired or not",
)


class Compared(NamedTuple):
    """One of the two runs."""

    results: Results
    pairs: Mapping[str, Mapping[str, Any]]

    def groups(self) -> dict[str, Mapping[str, Any]]:
        """Return the figures of each model, and of all."""
        tests = self.results.tests
        total = total_of(tests)
        return {**dict(level_groups(tests, "model")), **({_ALL: total} if total is not None else {})}

    def speeds(self) -> dict[str, GroupSummary]:
        """Return the speed of each model, and of all."""
        summary = self.results.summary
        return {**{group.name: group for group in summary.per_model}, _ALL: summary.overall}


class _Cell(NamedTuple):
    text: str
    key: SortKey


def compared_sheet(
    first: Compared, second: Compared, *, verdicts: bool, speeds: bool, notes: tuple[str, ...]
) -> Listed:
    """Return the table; figures that must not be compared stand side by side, without their difference."""
    groups, others = first.groups(), second.groups()
    speed, other_speed = first.speeds(), second.speeds()
    names = [name for name in dict.fromkeys([*speed, *other_speed, *groups, *others]) if name != _ALL]
    tested = bool(groups or others)
    columns: list[Column] = [Column("model", "model")]
    rows: list[Row] = []
    for name in [*names, *([_ALL] if len(names) != 1 else [])]:
        cells: dict[str, _Cell] = {}
        if tested:
            cells |= _verdicts(groups.get(name), others.get(name), first.pairs.get(name), compared=verdicts)
        cells |= _speeds(speed.get(name), other_speed.get(name), compared=speeds)
        columns = [Column("model", "model"), *(Column(title, title, figures=True) for title in cells)]
        texts, keys = [cell.text for cell in cells.values()], [cell.key for cell in cells.values()]
        total = name == _ALL
        rows.append(Row(name, (name, *texts), (name, *keys), tone="strong" if total else "", total=total))
    return Listed(
        Place("models"),
        "by model",
        tuple(columns),
        tuple(rows),
        (*_NOTES, *notes) if tested else notes,
        noun="models",
    )


def _verdicts(
    one: Mapping[str, Any] | None,
    other: Mapping[str, Any] | None,
    pair: Mapping[str, Any] | None,
    *,
    compared: bool,
) -> dict[str, _Cell]:
    sides = (("1", one), ("2", other))
    cells = {f"full % {side}": _share(group, "full_success_rate") for side, group in sides}
    if compared:
        cells["diff"] = _points(pair, "difference")
        cells["95% CI"] = _interval(pair)
        cells["Holm"] = _p(pair)
        pairs = None if pair is None else int(pair["pairs"])
        cells["pairs"] = _Cell("0" if pairs is None else f"{pairs:,}", pairs)
    cells |= {f"success {side}": _share(group, "success_rate") for side, group in sides}
    cells |= {f"score {side}": _score(group) for side, group in sides}
    cells |= {f"n {side}": _answered(group) for side, group in sides}
    cells |= {f"infra {side}": _count(group, "infrastructure") for side, group in sides}
    return cells


def _speeds(one: GroupSummary | None, other: GroupSummary | None, *, compared: bool) -> dict[str, _Cell]:
    cells: dict[str, _Cell] = {}
    for title, get in (("TTFT p50", _ttft), ("req/s", _rate), ("e2e p50", _e2e)):
        values = [None if group is None else get(group) for group in (one, other)]
        for side, value in zip(("1", "2"), values, strict=True):
            text = rate_text(value) if title == "req/s" else ms_text(value)
            cells[f"{title} {side}"] = _Cell(text, value)
        if compared:
            cells[f"{title} ±"] = _change(*values)
    return cells


def _change(one: float | None, other: float | None) -> _Cell:
    """Return how much more the second is than the first, in percent."""
    if one is None or other is None or one <= 0:
        return _Cell(NONE, None)
    change = 100 * (other / one - 1)
    return _Cell(f"{change:+.1f}%", change)


def _share(group: Mapping[str, Any] | None, name: str) -> _Cell:
    value = None if group is None else group[name]
    return _Cell(share_text(value), value)


def _score(group: Mapping[str, Any] | None) -> _Cell:
    value = None if group is None else group["avg_final_score"]
    return _Cell(figure_text(value), value)


def _answered(group: Mapping[str, Any] | None) -> _Cell:
    return _count(group, "total")


def _count(group: Mapping[str, Any] | None, name: str) -> _Cell:
    value = 0 if group is None else int(group[name])
    return _Cell(f"{value:,}", value)


def _points(pair: Mapping[str, Any] | None, name: str) -> _Cell:
    value = None if pair is None else pair[name]
    return _Cell(points_text(value), value)


def _interval(pair: Mapping[str, Any] | None) -> _Cell:
    if pair is None or pair["difference_low"] is None:
        return _Cell(NONE, None)
    low, high = pair["difference_low"], pair["difference_high"]
    return _Cell(f"{100 * low:+.1f} … {100 * high:+.1f}", low)


def _p(pair: Mapping[str, Any] | None) -> _Cell:
    value = None if pair is None else pair["p_holm"]
    return _Cell(p_text(value), value)


def _ttft(group: GroupSummary) -> float | None:
    return group.ttft.p50_ms


def _e2e(group: GroupSummary) -> float | None:
    return group.e2e.p50_ms


def _rate(group: GroupSummary) -> float | None:
    return group.request_throughput
