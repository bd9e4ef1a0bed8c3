"""How two profiles differ in what they mean, not in how they are written."""

from __future__ import annotations

import dataclasses
from typing import cast

import msgspec

from console.profile.effective import ModelTotals, lane_setups, split_rules, totals
from console.profile.form import Key, Profile
from console.profile.table import NONE
from console.profile.tables import Table, as_table
from console.profile.toml_lines import KeyPath, dotted
from console.profile.write import profile_record
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import RateMode

MODES: tuple[RateMode, ...] = ("fixed", "adaptive")


class DiffRow(msgspec.Struct, frozen=True):
    """One value that differs; None: it is not there."""

    path: str
    left: str | None
    right: str | None


class ProfileDiff(msgspec.Struct, frozen=True):
    """Settings that differ, and what comes of them."""

    settings: tuple[DiffRow, ...]
    totals: tuple[DiffRow, ...]
    """Effective totals per model and rate mode; path such as `fixed DeepSeek-V3-0324 workers`."""

    @property
    def same(self) -> bool:
        """Whether the two profiles mean the same."""
        return not self.settings and not self.totals


def diff(left: Profile, right: Profile) -> ProfileDiff:
    """Compare two profiles; `name` and `description` do not count."""
    records = _record(left), _record(right)
    tables = [as_table(record["providers"]) for record in records]
    for name in (*tables[0], *tables[1]):
        here = [side for side in tables if "sim" in as_table(side.get(name))]
        if len(here) == 1:  # of a table that only one side has, the figures say nothing
            here[0][name]["sim"] = "table"
    settings = [_settings(profile, record) for profile, record in zip((left, right), records, strict=True)]
    return ProfileDiff(settings=_rows(*settings), totals=_rows(_effective(left), _effective(right)))


def _rows(left: dict[str, str], right: dict[str, str]) -> tuple[DiffRow, ...]:
    paths = list(dict.fromkeys((*left, *right)))
    return tuple(
        DiffRow(path, left.get(path), right.get(path)) for path in paths if left.get(path) != right.get(path)
    )


def _record(profile: Profile) -> Table:
    """Return the profile with defaults written out, so that a default and its value are the same."""
    record = profile_record(profile)
    del record["name"], record["description"]
    for name, provider in as_table(record["providers"]).items():
        spec = profile.providers[name]
        provider["keys"] = {key: _key(entry) for key, entry in spec.keys.items()}
        if spec.api == "sim":
            behaviour = dataclasses.asdict(spec.sim_behaviour)
            provider["sim"] = {field: value for field, value in behaviour.items() if value is not None}
    for name, model in as_table(record["models"]).items():
        model.setdefault("deployments", [name])
        if model.get("protocol") == profile.providers[profile.models[name].provider].protocol:
            del model["protocol"]
    return record


def _key(entry: Key) -> str:
    """Return a key as one text, so that one that only one profile has is one row."""
    reference = entry.secret or "no reference"
    return reference if entry.base_url is None else f"{reference} at {entry.base_url}"


def _settings(profile: Profile, record: Table) -> dict[str, str]:
    settings: dict[str, str] = {}
    _flatten(record, (), settings)
    settings["order of models"] = ", ".join(profile.models)
    return settings


def _flatten(table: Table, path: KeyPath, out: dict[str, str]) -> None:
    for key, value in table.items():
        inner = (*path, key)
        if as_table(value):
            _flatten(as_table(value), inner, out)
        elif value != {}:
            out[dotted(inner)] = _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, cast("list[object]", value))) + "]"
    if as_table(value):
        return "{" + ", ".join(f"{key} = {_text(inner)}" for key, inner in as_table(value).items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _effective(profile: Profile) -> dict[str, str]:
    rows: dict[str, str] = {}
    for mode in MODES:
        try:
            setups = lane_setups(profile, rate_mode=mode)
        except ConsoleError:
            continue  # the profile has no limits for this mode, which its settings show
        for row in totals(setups, split_rules(profile)):
            rows |= {f"{mode} {row.model} {what}": text for what, text in _figures(row)}
    return rows


def _figures(row: ModelTotals) -> list[tuple[str, str]]:
    return [
        ("lanes", str(row.lanes)),
        ("workers", NONE if row.workers is None else str(row.workers)),
        ("qps", NONE if row.qps_bound is None else f"{row.qps_bound:g}"),
    ]
