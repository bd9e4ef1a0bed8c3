"""What mends the lanes of a profile that did not answer: which keys and deployments to switch off, what to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from console.profile.effective import usable_keys
from console.profile.form import Profile
from console.profile.toml_lines import dotted
from console.vocabulary.lane import NO_KEY, Lane
from console.vocabulary.probed import Probed, ProbeState

_WAITS: dict[str, str] = {
    "no_server": "nothing answers at its base URL: is the server up, is the URL right?",
    "timeout": "too slow, or not there: ask again, or give it more time in [timeouts]",
    "not_reached": "not asked in time: give it more, with --timeout",
}


def live_fixes(profile: Profile, probed: Sequence[Probed]) -> list[str]:
    """Return what to change, each once, the most telling cause first.

    A key that is refused wherever it was tried is switched off as a whole, one that is refused for some models is
    taken from those; likewise a deployment that no key finds.
    """
    found = [
        *_keys(profile, probed),
        *_deployments(profile, probed),
        *_rest(probed),
    ]
    return list(dict.fromkeys(found))


def _keys(profile: Profile, probed: Sequence[Probed]) -> Iterator[str]:
    groups = _grouped(probed, lambda lane: (lane.provider, lane.key))
    off: dict[str, list[str]] = {}
    for (provider, key), lanes in groups.items():
        if _is_dead(lanes) and key != NO_KEY:
            off.setdefault(provider, list(profile.providers[provider].keys_off)).append(key)
    for (provider, key), lanes in groups.items():
        if not _is_dead(lanes):
            yield from _models_without(profile, provider, key, lanes)
            continue
        yield _why_dead(provider, key, lanes)
        if any(name == provider and not _is_dead(others) for (name, _), others in groups.items()):
            yield f"  or without it: [{dotted(('providers', provider))}] keys_off = {_listed(off[provider])}"


def _is_dead(lanes: Sequence[Probed]) -> bool:
    """Whether a key is of no use wherever it was tried."""
    if all(one.state == "no_key" for one in lanes):
        return True
    refused = any(one.state in ("key_refused", "quota_used_up") for one in lanes)
    return refused and not any(one.alive for one in lanes)


def _why_dead(provider: str, key: str, lanes: Sequence[Probed]) -> str:
    first = next(one for one in lanes if one.state in ("no_key", "key_refused", "quota_used_up"))
    if first.state == "no_key":
        return f"key {key} of {provider}: {first.text}"
    if first.state == "quota_used_up":
        return f"key {key} of {provider}: its quota is used up"
    if key == NO_KEY:
        return f'{provider} wants a key: [{dotted(("providers", provider))}] keys = {{ key0 = "env:NAME" }}'
    return f"key {key} of {provider} is refused: put one that is valid into {first.key_source or 'it'}"


def _models_without(profile: Profile, provider: str, key: str, lanes: Sequence[Probed]) -> Iterator[str]:
    for one in lanes:
        if one.state in ("key_refused", "quota_used_up"):
            model = one.lane.model
            rest = [name for name in usable_keys(profile, model, provider) if name != key]
            yield f"key {key} of {provider} serves others, and not {model}:"
            yield (
                f"  [{dotted(('models', model))}] keys = {_listed(rest)}"
                if rest
                else f"  [{dotted(('models', model))}] off = true"
            )


def _deployments(profile: Profile, probed: Sequence[Probed]) -> Iterator[str]:
    off: dict[str, list[str]] = {}
    for (provider, deployment), lanes in _grouped(
        probed, lambda lane: (lane.provider, lane.deployment)
    ).items():
        if any(one.alive for one in lanes) or not any(one.state == "no_deployment" for one in lanes):
            continue
        others = [one for one in probed if one.lane.provider == provider]
        if (
            all(one.state == "no_deployment" for one in others)
            and len({o.lane.deployment for o in others}) > 1
        ):
            yield f"{provider} knows none of its deployments: is its base URL right?"
            continue
        off.setdefault(provider, []).append(deployment)
        every = [*profile.providers[provider].deployments_off, *off[provider]]
        yield f"{provider} has no deployment {deployment}: make it, mend its name, or without it:"
        yield f"  [{dotted(('providers', provider))}] deployments_off = {_listed(every)}"


def _rest(probed: Sequence[Probed]) -> Iterator[str]:
    for (provider, state), lanes in _grouped_by_state(probed).items():
        if state in _WAITS:
            which = ", ".join(one.lane.id for one in lanes[:3]) + (", …" if len(lanes) > 3 else "")
            yield f"{provider}: {_WAITS[state]} ({which})"
        elif state == "no_url":
            missing = dict.fromkeys(part for one in lanes for part in one.text.split("; "))
            yield from (f"{provider}: {part}" for part in missing)
        elif state == "failed":
            yield f"{provider}: the server answers, and not as it should: {lanes[0].text}"
        elif state == "rate_limited":
            yield f"{provider}: is alive, and lets no more through for now; --rate-mode adaptive finds what it allows"


def _grouped(
    probed: Iterable[Probed], by: Callable[[Lane], tuple[str, str]]
) -> dict[tuple[str, str], list[Probed]]:
    groups: dict[tuple[str, str], list[Probed]] = {}
    for one in probed:
        groups.setdefault(by(one.lane), []).append(one)
    return groups


def _grouped_by_state(probed: Iterable[Probed]) -> dict[tuple[str, ProbeState], list[Probed]]:
    groups: dict[tuple[str, ProbeState], list[Probed]] = {}
    for one in probed:
        groups.setdefault((one.lane.provider, one.state), []).append(one)
    return groups


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in dict.fromkeys(names)) + "]"
