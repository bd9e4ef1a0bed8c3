"""What a profile comes to: lanes with their limits. The engine enforces this and `show` prints it (law 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from console.profile.complaints import meant_hint
from console.profile.form import Deployment, LaneLimits, Model, Profile, Provider, RequestLimits
from console.vocabulary.chat import Timeouts
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import (
    NO_KEY,
    Lane,
    LaneSetup,
    LeaseRule,
    ModelClass,
    RateMode,
    Scope,
    ScopedLimits,
    ScopeKind,
    SplitRule,
    key_name,
    key_scope,
    together,
)
from console.vocabulary.safe_text import safe_line


class ModelTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What the lanes of one model come to."""

    model: str
    model_class: ModelClass
    provider: str
    """Of its first lane."""
    lanes: int
    workers: int | None
    """Sum over the lanes; None: one of them is unlimited."""
    qps: float | None
    """Sum over the lanes; None: one of them is unlimited."""
    qps_bound: float | None
    """The same, held down by the gates on provider, keys, deployments and model; None: nothing bounds it."""
    per: Literal["lane", "job"]
    """`job`: these are the figures of one job, and each further job adds its own."""
    lane_workers: tuple[int | None, ...]
    """Workers of each lane, in order."""
    lane_qps: tuple[float | None, ...]


def lane_setups(
    profile: Profile,
    *,
    rate_mode: RateMode | None = None,
    prompt_types: int = 1,
    models: Sequence[str] | None = None,
) -> tuple[LaneSetup, ...]:
    """Return every lane that is on, with its own limits and the outer gates, in the profile's order.

    Args:
        profile: the profile.
        rate_mode: absent: the profile's.
        prompt_types: prompt types in one job; multiplies workers where the class says so.
        models: only these; absent: all. One that is off has no lanes.

    Raises:
        ConsoleError: if a model is not in the profile, or a class has no limits for this rate mode.
    """
    if prompt_types < 1:
        raise ValueError("prompt_types is at least 1")
    mode = rate_mode or profile.rate_mode
    chosen = profile.models if models is None else _chosen(profile, models)
    return tuple(
        _setup(profile, name, profile.models[name], deployment, provider, key, mode, prompt_types)
        for name in profile.models
        if name in chosen and not profile.models[name].off
        for deployment, provider in lane_places(profile, name)
        for key in usable_keys(profile, name, provider)
    )


def lane_places(profile: Profile, model: str) -> list[tuple[str, str]]:
    """Return (deployment, provider) of each deployment of a model that is switched on."""
    spec = profile.models[model]
    deployments = spec.deployments or (Deployment(name=model),)
    places = [(deployment.name, deployment.provider or spec.provider) for deployment in deployments]
    return [
        (name, provider)
        for name, provider in places
        if name not in profile.providers[provider].deployments_off
    ]


def usable_keys(profile: Profile, model: str, provider: str) -> list[str]:
    """Return the names of the keys that a model may use at a provider, those switched off left out."""
    known = profile.providers[provider].keys
    if not known:
        return [NO_KEY]
    subset = profile.models[model].keys
    off = profile.providers[provider].keys_off
    return [key for key in known if key not in off and (subset is None or key in subset)]


def class_limits(profile: Profile, provider: str, model_class: ModelClass) -> LaneLimits | None:
    """Return the limits table of a class at a provider, `limits_as` followed; None where there is none."""
    table = profile.limits.get(profile.providers[provider].limits_as or provider)
    return table.of(model_class) if table is not None else None


def _chosen(profile: Profile, models: Sequence[str]) -> Collection[str]:
    for name in models:
        if name not in profile.models:
            raise ConsoleError(
                f"profile {profile.name} has no model '{safe_line(name, 80)}'",
                hint=meant_hint(name, list(profile.models), what="it has"),
            )
    return set(models)


def _setup(
    profile: Profile,
    name: str,
    model: Model,
    deployment: str,
    provider_name: str,
    key: str,
    mode: RateMode,
    prompt_types: int,
) -> LaneSetup:
    table = class_limits(profile, provider_name, model.model_class)
    limits = table.of(mode) if table is not None else None
    if table is None or limits is None:
        borrowed = profile.providers[provider_name].limits_as or provider_name
        raise ConsoleError(
            f"limits.{borrowed}.{model.model_class}.{mode} is missing, and the rate mode is {mode}",
            where=f"profile {profile.name}",
            hint=f"{mode} = {{ workers = 10 }}",
        )
    provider = profile.providers[provider_name]
    lane = Lane(provider=provider_name, model=name, deployment=deployment, key=key)
    return LaneSetup(
        lane=lane,
        model_class=model.model_class,
        limits=limits.limits(prompt_types if table.prompt_multiplier else 1),
        per=table.per,
        outer=tuple(_outer(lane, provider, profile.providers[model.provider])),
        burst=provider.burst,
        tpm_accounting=provider.tpm_accounting,
        adaptive=mode == "adaptive",
    )


def _outer(lane: Lane, provider: Provider, home: Provider) -> Iterator[ScopedLimits]:
    """Yield the gates round a lane. A model's gate is its home provider's, over all its lanes anywhere."""
    gates: tuple[tuple[ScopeKind, str, RequestLimits | None], ...] = (
        ("provider", lane.provider, provider.limits.provider),
        ("key", lane.key_scope, provider.limits.key),
        ("deployment", f"{lane.provider}/{lane.deployment}", provider.limits.deployment),
        ("model", lane.model, home.limits.model),
    )
    for kind, name, limits in gates:
        if limits is not None and not limits.limits().unlimited:
            yield ScopedLimits(Scope(kind, name), limits.limits())


def key_scopes(profile: Profile, model: str) -> tuple[str, ...]:
    """Return the keys that a model may use as `provider/key`, in the profile's order."""
    return tuple(
        dict.fromkeys(
            key_scope(provider, key)
            for _, provider in lane_places(profile, model)
            for key in usable_keys(profile, model, provider)
        )
    )


def lease_rule(profile: Profile, provider: str) -> LeaseRule:
    """Return who may hold a key of a provider at once, where keys are leased."""
    lease = profile.providers[provider].lease
    return LeaseRule(lease.to, lease.holders)


def split_rule(profile: Profile, model: str) -> SplitRule:
    """Return how one job of a model uses its lanes. `key` is there for policies of one key per model too."""
    return split_rules(profile)[model]


def split_rules(profile: Profile) -> dict[str, SplitRule]:
    """Return the rule of every model. A model whose key is off has the one that fewest models are mapped to."""
    scopes = {name: key_scopes(profile, name) for name in profile.models}
    load: dict[str, int] = {}
    rules: dict[str, SplitRule] = {}
    moved: list[str] = []
    for name, spec in profile.models.items():
        rules[name] = SplitRule(spec.split, spec.key)
        own = [scope for scope in scopes[name] if key_name(scope) == spec.key]
        if spec.key is not None and not own and scopes[name]:
            moved.append(name)
        for scope in () if spec.off else own:
            load[scope] = load.get(scope, 0) + 1
    for name in moved:
        scope = min(scopes[name], key=lambda one: load.get(one, 0))
        load[scope] = load.get(scope, 0) + 1
        rules[name] = SplitRule(rules[name].kind, key_name(scope), moved_from=rules[name].key)
    return rules


def model_protocols(profile: Profile) -> dict[str, str]:
    """Return the protocol of every model that is not spoken to by tool calling: its own, else its provider's."""
    spoken = {
        name: model.protocol or profile.providers[model.provider].protocol
        for name, model in profile.models.items()
    }
    return {name: protocol for name, protocol in spoken.items() if protocol != "tools"}


def reply_lengths(profile: Profile) -> dict[str, int]:
    """Return the greatest length of a reply in tokens, of every model of which the profile says one: its own, else its provider's."""
    lengths = {
        name: model.max_tokens or profile.providers[model.provider].max_tokens
        for name, model in profile.models.items()
    }
    return {name: most for name, most in lengths.items() if most is not None}


def timeouts(profile: Profile) -> Timeouts:
    """Return the deadlines of a request as the client reads them."""
    table = profile.timeouts
    return Timeouts(table.connect, table.first_token, table.idle, table.total)


def totals(
    setups: Iterable[LaneSetup], splits: Mapping[str, SplitRule] | None = None
) -> tuple[ModelTotals, ...]:
    """Return one row a model, in order, of what its lanes come to together.

    Args:
        setups: from `lane_setups`.
        splits: with them, a `one-key` model counts only the lanes of its key, as a job may use no other.
    """
    groups: dict[str, list[LaneSetup]] = {}
    for setup in setups:
        rule = splits.get(setup.lane.model) if splits is not None else None
        lanes = groups.setdefault(setup.lane.model, [])
        if rule is None or rule.kind != "one-key" or setup.lane.key in (rule.key, NO_KEY):
            lanes.append(setup)
    return tuple(_totals(group) for group in groups.values() if group)


def _totals(group: list[LaneSetup]) -> ModelTotals:
    first = group[0]
    workers = [setup.limits.workers for setup in group]
    qps = [setup.limits.qps for setup in group]
    return ModelTotals(
        model=first.lane.model,
        model_class=first.model_class,
        provider=first.lane.provider,
        lanes=len(group),
        workers=together(workers),
        qps=_finite(sum(math.inf if one is None else one for one in qps)),
        qps_bound=_finite(_qps_bound(group)),
        per="job" if any(setup.per == "job" for setup in group) else "lane",
        lane_workers=tuple(workers),
        lane_qps=tuple(qps),
    )


def _qps_bound(group: list[LaneSetup]) -> float:
    """Return the least of what each kind of gate lets through: lanes, keys, deployments, provider, model."""

    def through(scope_kind: ScopeKind, name: Callable[[Lane], str]) -> float:
        flow: dict[str, float] = {}
        gate: dict[str, float] = {}
        for setup in group:
            at = name(setup.lane)
            flow[at] = flow.get(at, 0.0) + (math.inf if setup.limits.qps is None else setup.limits.qps)
            for outer in setup.outer:
                if outer.scope.kind == scope_kind:
                    rates = (outer.limits.qps, outer.limits.rpm and outer.limits.rpm / 60)
                    gate[at] = min(rate for rate in (*rates, math.inf) if rate is not None)
        return sum(min(flow[at], gate.get(at, math.inf)) for at in flow)

    return min(
        through("key", lambda lane: lane.key_scope),
        through("deployment", lambda lane: f"{lane.provider}/{lane.deployment}"),
        through("provider", lambda lane: lane.provider),
        through("model", lambda lane: lane.model),
    )


def _finite(rate: float) -> float | None:
    return None if math.isinf(rate) else rate
