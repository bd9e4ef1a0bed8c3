"""What is valid in a profile and yet hardly meant. Everything that is looked for is listed in `CHECKS`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from console.profile.effective import (
    class_limits,
    lane_places,
    lane_setups,
    split_rules,
    totals,
    usable_keys,
)
from console.profile.form import Deployment, Profile
from console.profile.load import LoadedProfile
from console.profile.table import NONE
from console.profile.toml_lines import KeyPath
from console.vocabulary.errors import ConsoleError, Problem
from console.vocabulary.lane import LaneSetup, Limits, ModelClass, RateMode, Scope

MODES: tuple[RateMode, ...] = ("fixed", "adaptive")
CLASSES: tuple[ModelClass, ...] = ("open", "closed")
MOST_WORKERS_A_MODEL = 1000
PLAIN_PROMPT_TYPES = 3
"""baseline, cot and optimal in one job: how far the prompt multiplier is carried."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something suspicious."""

    check: str
    path: KeyPath
    message: str
    hint: str | None = None
    warning: bool = False
    """Worth saying, but no reason for a failed check."""

    def problem(self, loaded: LoadedProfile) -> Problem:
        """Return it located in the file."""
        return loaded.problem(self.path, f"{self.message} [{self.check}]", self.hint)


CHECKS: Mapping[str, str] = {
    "adaptive-below-fixed": "the adaptive ceiling is below the fixed figure (warning)",
    "mode-missing": "a class has limits for one rate mode only (warning)",
    "no-lanes": "a model is on, but its keys or deployments are all off",
    "key-moved": "a model's key is off, and it uses another one (warning)",
    "gate-below-lane": "a gate lets less through than one lane on it may send",
    "gate-oversubscribed": "the lanes of one model on a gate exceed it; of several models: a warning",
    "multiplier": "the prompt multiplier makes more than 1000 workers of a model at three prompt types",
    "unused": "a limits table, provider, gate or `sim` table that nothing uses",
    "same-key-twice": "two keys of a provider are the same reference, so its limits would count twice",
    "timeouts": "a deadline that another one makes void",
    "plain-http": "a key would travel unencrypted to another machine",
    "name": "the profile says another name than its file's",
    "env-unset": "a variable that the profile refers to is not set here (warning)",
}


def check(loaded: LoadedProfile, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Return everything suspicious in a valid profile, by line. No secret is resolved."""
    profile = loaded.profile
    findings = [
        *_names(loaded),
        *_modes(profile),
        *_lanes(profile),
        *_multiplier(profile),
        *_unused(profile),
        *_keys(profile, os.environ if environ is None else environ),
        *_timeouts(profile),
    ]
    for mode in MODES:
        try:
            setups = lane_setups(profile, rate_mode=mode)
        except ConsoleError:
            continue  # `mode-missing` has said so
        findings += [one for one in _gates(profile, setups) if one not in findings]
    return sorted(findings, key=lambda one: loaded.problem(one.path, "").line or 0)


def _names(loaded: LoadedProfile) -> Iterator[Finding]:
    if loaded.profile.name != loaded.name:
        message = f"says '{loaded.profile.name}', and is found as '{loaded.name}'"
        yield Finding(check="name", path=("name",), message=message)


def _modes(profile: Profile) -> Iterator[Finding]:
    for name, table in profile.limits.items():
        for model_class in CLASSES:
            limits = table.of(model_class)
            path = ("limits", name, model_class)
            if limits is None:
                continue
            if limits.fixed is None or limits.adaptive is None:
                absent = "fixed" if limits.fixed is None else "adaptive"
                message = f"has no {absent} limits: it cannot run in that rate mode"
                yield Finding(check="mode-missing", path=path, message=message, warning=True)
                continue
            fixed, ceiling = limits.fixed.limits(), limits.adaptive.limits()
            for field in ("workers", "qps", "rpm", "tpm"):
                low, high = _figure(fixed, field), _figure(ceiling, field)
                if high is not None and (low is None or high < low):
                    message = f"the ceiling {high:g} is below fixed, {NONE if low is None else f'{low:g}'}"
                    yield Finding(
                        check="adaptive-below-fixed",
                        path=(*path, "adaptive", field),
                        message=message,
                        warning=True,
                    )


def _figure(limits: Limits, field: str) -> float | None:
    return getattr(limits, field)


def _lanes(profile: Profile) -> Iterator[Finding]:
    rules = split_rules(profile)
    for name, model in profile.models.items():
        if model.off:
            continue
        places = lane_places(profile, name)
        keys = {key for _, provider in places for key in usable_keys(profile, name, provider)}
        if not places:
            message = "has no lane: its deployments are all off"
        elif not keys:
            message = "has no lane: its keys are all off"
        else:
            rule = rules[name]
            if rule.moved_from is not None:
                message = (
                    f"its key, {rule.moved_from}, is off; {rule.key} is used, as it has the fewest models"
                )
                yield Finding(check="key-moved", path=("models", name, "key"), message=message, warning=True)
            continue
        yield Finding(check="no-lanes", path=("models", name), message=message, hint="or write off = true")


def _multiplier(profile: Profile) -> Iterator[Finding]:
    for mode in MODES:
        try:
            setups = lane_setups(profile, rate_mode=mode, prompt_types=PLAIN_PROMPT_TYPES)
        except ConsoleError:
            continue
        for row in totals(setups, split_rules(profile)):
            table = class_limits(profile, row.provider, row.model_class)
            many = row.workers is not None and row.workers > MOST_WORKERS_A_MODEL
            if many and table is not None and table.prompt_multiplier:
                message = f"{mode}: {PLAIN_PROMPT_TYPES} prompt types in a job make {row.workers} workers"
                yield Finding(check="multiplier", path=("models", row.model), message=message)


def _unused(profile: Profile) -> Iterator[Finding]:
    used = {
        (deployment.provider or model.provider, model.model_class)
        for name, model in profile.models.items()
        for deployment in model.deployments or (Deployment(name=name),)
    }
    tables = {(profile.providers[name].limits_as or name, model_class) for name, model_class in used}
    for name, table in profile.limits.items():
        for model_class in CLASSES:
            if table.of(model_class) is not None and (name, model_class) not in tables:
                message = f"no model is {name}/{model_class}"
                yield Finding(check="unused", path=("limits", name, model_class), message=message)
    for name, provider in profile.providers.items():
        path = ("providers", name)
        if name not in {provider for provider, _ in used}:
            yield Finding(check="unused", path=path, message="no model is there")
        if provider.sim is not None and provider.api != "sim":
            message = f'is read only where api = "sim"; here it is "{provider.api}"'
            yield Finding(check="unused", path=(*path, "sim"), message=message)
        for kind in ("provider", "key", "deployment", "model"):
            limits = getattr(provider.limits, kind)
            if limits is not None and limits.limits().unlimited:
                yield Finding(check="unused", path=(*path, "limits", kind), message="limits nothing")


def _keys(profile: Profile, environ: Mapping[str, str]) -> Iterator[Finding]:
    for name, provider in profile.providers.items():
        if provider.api == "sim":
            continue
        path: KeyPath = ("providers", name)
        references: list[tuple[KeyPath, str | None]] = [((*path, "base_url"), provider.base_url)]
        owners: dict[tuple[str, str | None], str] = {}
        for key, entry in provider.keys.items():
            if entry.secret is not None and key not in provider.keys_off:
                owner = owners.setdefault((entry.secret, entry.base_url), key)
                if owner != key:
                    message = f"is the same key as {owner}"
                    yield Finding(check="same-key-twice", path=(*path, "keys", key), message=message)
                references.append(((*path, "keys", key), entry.secret))
            references.append(((*path, "keys", key, "base_url"), entry.base_url))
        for where, reference in references:
            if reference is None:
                continue
            if reference.startswith("env:") and not environ.get(reference[4:]):
                message = f"environment variable {reference[4:]} is not set here"
                yield Finding(check="env-unset", path=where, message=message, warning=True)
            if where[-1] == "base_url" and provider.keys and _plain_to_elsewhere(reference):
                message = "keys would travel unencrypted to another machine"
                yield Finding(check="plain-http", path=where, message=message, hint="https://…")


def _plain_to_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "http" and host not in ("localhost", "::1") and not host.startswith("127.")


def _timeouts(profile: Profile) -> Iterator[Finding]:
    table = profile.timeouts
    for field in ("connect", "first_token", "idle"):
        if getattr(table, field) > table.total:
            message = f"{getattr(table, field):g} s is longer than total, {table.total:g} s"
            yield Finding(check="timeouts", path=("timeouts", field), message=message)


def _gates(profile: Profile, setups: tuple[LaneSetup, ...]) -> Iterator[Finding]:
    """Compare each gate's qps with what the lanes on it may send."""
    rules = split_rules(profile)
    gates: dict[Scope, tuple[float, list[LaneSetup]]] = {}
    for setup in setups:
        rule = rules[setup.lane.model]
        if rule.kind == "one-key" and setup.lane.key not in (rule.key, "-"):
            continue
        for outer in setup.outer:
            if outer.limits.qps is not None:
                gates.setdefault(outer.scope, (outer.limits.qps, []))[1].append(setup)
    for scope, (qps, lanes) in gates.items():
        home = lanes[0].lane.provider
        if scope.kind == "model":
            home = profile.models[scope.name].provider
        path = ("providers", home, "limits", scope.kind)
        what = f"{scope.kind} {scope.name}: {qps:g} qps"
        models: dict[str, float] = {}
        for lane in lanes:
            models[lane.lane.model] = models.get(lane.lane.model, 0.0) + (lane.limits.qps or 0.0)
        highest = max(lane.limits.qps or 0.0 for lane in lanes)
        greedy = max(models, key=lambda name: models[name])
        if highest > qps:
            message = f"{what}, and one lane on it may send {highest:g}"
            yield Finding(check="gate-below-lane", path=path, message=message)
        elif models[greedy] > qps:
            message = f"{what}, and the lanes of {greedy} may send {models[greedy]:g}"
            yield Finding(check="gate-oversubscribed", path=path, message=message)
        elif sum(models.values()) > qps:
            message = f"{what}, and {len(models)} models on it may send {sum(models.values()):g} at once"
            yield Finding(check="gate-oversubscribed", path=path, message=message, warning=True)
