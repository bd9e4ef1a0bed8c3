"""What in a profile refers to something that is not there. Read from the raw file, so that these problems
are said together with those of types.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from console.profile.complaints import Complaint, meant_hint, shown
from console.profile.tables import Table, as_list, as_table
from console.profile.toml_lines import KeyPath, dotted
from console.vocabulary.nearest import nearest
from console.vocabulary.safe_text import safe_line
from console.vocabulary.simulated import SimBehaviour

CLASSES = ("open", "closed")


def dangling(raw: Table) -> list[Complaint]:
    """Return every reference of the raw profile that leads nowhere, and every need that is not met."""
    providers = as_table(raw.get("providers"))
    models = as_table(raw.get("models"))
    return [
        *_of_providers(providers, models),
        *_of_models(providers, models),
        *_shared_deployments(models),
        *_of_limits(raw, providers, models),
    ]


def deployments_of(name: str, model: Table) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield (path within the model, provider, deployment) of each deployment that can be read."""
    home = model.get("provider")
    if "deployments" not in model:
        if isinstance(home, str):
            yield (), home, name
        return
    for index, entry in enumerate(as_list(model["deployments"])):
        fields = as_table(entry)
        deployment = entry if isinstance(entry, str) else fields.get("name")
        provider = fields.get("provider", home)
        if isinstance(deployment, str) and isinstance(provider, str):
            yield ("deployments", index), provider, deployment


def _key_names(provider: object) -> list[str]:
    keys = as_table(provider).get("keys")
    return [str(name) for name in (as_list(keys) or as_table(keys))]


def _of_providers(providers: Table, models: Table) -> Iterator[Complaint]:
    for name, value in providers.items():
        provider, path = as_table(value), ("providers", name)
        yield from _of_api(provider, path)
        yield from _of_sim(as_table(provider.get("sim")), (*path, "sim"))
        known_keys = _key_names(provider)
        for index, key in enumerate(as_list(provider.get("keys_off"))):
            if isinstance(key, str) and key not in known_keys:
                yield _no_key((*path, "keys_off", index), key, known_keys)
        known = [
            deployment
            for model_name, model in models.items()
            for _, where, deployment in deployments_of(model_name, as_table(model))
            if where == name
        ]
        for index, deployment in enumerate(as_list(provider.get("deployments_off"))):
            if isinstance(deployment, str) and deployment not in known:
                yield _unknown((*path, "deployments_off", index), "deployment", deployment, known)


def _of_api(provider: Table, path: KeyPath) -> Iterator[Complaint]:
    """Say what a real provider needs and a simulated one does not."""
    api, keys = provider.get("api"), provider.get("keys")
    if api not in ("openai", "azure"):
        return
    tables = as_table(keys)
    if "base_url" not in provider and not (
        tables and all("base_url" in as_table(entry) for entry in tables.values())
    ):
        yield Complaint((*path, "base_url"), "is missing", f'api = "{api}" needs one: a URL or env:NAME')
    if api == "azure" and "api_version" not in provider:
        hint = 'api = "azure" needs one, such as "2024-12-01-preview"'
        yield Complaint((*path, "api_version"), "is missing", hint)
    if isinstance(keys, list):
        message = 'a list of names is for api = "sim"; here each key needs a reference'
        yield Complaint((*path, "keys"), message, 'keys = { key0 = "env:NAME" }')
    for key, entry in tables.items():
        if isinstance(entry, dict) and "secret" not in entry:
            yield Complaint((*path, "keys", key, "secret"), "is missing", "such as env:NAME")


def _of_sim(table: Table, path: KeyPath) -> Iterator[Complaint]:
    """Refuse what the plain dataclass would convert: true as 1, "80" as 80, and infinity."""
    for field in dataclasses.fields(SimBehaviour):
        value = table.get(field.name)
        if field.name == "skills":
            for name, skill in as_table(value).items():
                if type(skill) not in (int, float):
                    inner = (*path, field.name, name)
                    yield Complaint(inner, f"{shown(skill, inner)} is not a number")
            continue
        texts = isinstance(field.default, str | tuple)
        if value is not None and not texts and (type(value) not in (int, float) or not math.isfinite(value)):
            path_here = (*path, field.name)
            yield Complaint(path_here, f"{shown(value, path_here)} is not a number")


def _of_models(providers: Table, models: Table) -> Iterator[Complaint]:
    for name, value in models.items():
        model, path = as_table(value), ("models", name)
        home = model.get("provider")
        if isinstance(home, str) and home not in providers:
            yield _unknown((*path, "provider"), "provider", home, list(providers))
        places = list(deployments_of(name, model))
        for inner, provider, _ in places:
            if provider not in providers and provider != home:
                yield _unknown((*path, *inner, "provider"), "provider", provider, list(providers))
        if all(provider in providers for _, provider, _ in places):
            known = [key for _, provider, _ in places for key in _key_names(providers[provider])]
            yield from _of_keys(model, path, list(dict.fromkeys(known)))
            yield from _of_protocol(model, path, [as_table(providers[one]) for _, one, _ in places])


def _of_protocol(model: Table, path: KeyPath, providers: list[Table]) -> Iterator[Complaint]:
    """A model is spoken to in one protocol: where its deployments' providers differ, it has to say which."""
    spoken = {provider.get("protocol", "tools") for provider in providers}
    if "protocol" not in model and len(spoken) > 1:
        hint = "its deployments are at providers of different protocols: write tools or text here"
        yield Complaint((*path, "protocol"), "is missing", hint)


def _of_keys(model: Table, path: KeyPath, known: list[str]) -> Iterator[Complaint]:
    subset = as_list(model.get("keys"))
    for index, key in enumerate(subset):
        if isinstance(key, str) and key not in known:
            yield _no_key((*path, "keys", index), key, known)
        elif key in subset[:index]:
            yield Complaint((*path, "keys", index), "names a key twice")
    key = model.get("key")
    if isinstance(key, str):
        if key not in known:
            yield _no_key((*path, "key"), key, known)
        elif subset and key not in subset:
            yield Complaint((*path, "key"), "is not among the model's `keys`")
    elif model.get("split") == "one-key" and "key" not in model:
        yield Complaint((*path, "key"), "is missing", 'split = "one-key" needs the key, such as key = "key0"')


def _shared_deployments(models: Table) -> Iterator[Complaint]:
    owners: dict[tuple[str, str], str] = {}
    for name, value in models.items():
        for inner, provider, deployment in deployments_of(name, as_table(value)):
            owner = owners.setdefault((provider, deployment), name)
            path = ("models", name, *inner)
            where = f"deployment {_quoted(deployment)} at {_quoted(provider)}"
            if owner != name:
                yield Complaint(path, f"{where} already belongs to model {_quoted(owner)}")
            elif inner and inner[1] != _first_index(as_table(value), name, provider, deployment):
                yield Complaint(path, f"{where} is named twice")


def _first_index(model: Table, name: str, provider: str, deployment: str) -> object:
    places = deployments_of(name, model)
    return next(inner[1] for inner, where, what in places if (where, what) == (provider, deployment))


def _of_limits(raw: Table, providers: Table, models: Table) -> Iterator[Complaint]:
    """Every class in use needs a table with workers for the rate mode in use, and every table a provider."""
    mode = raw.get("rate_mode", "fixed")
    such = f"{'adaptive' if mode == 'adaptive' else 'fixed'} = {{ workers = 10 }}"
    users = _users(providers, models)
    borrowed = {name: as_table(value).get("limits_as") for name, value in providers.items()}
    names = [name for name in borrowed.values() if isinstance(name, str)]
    if "limits" not in raw:
        needed = [row[:2] for row in _needed(users, providers, dict.fromkeys(names))]
        if needed:
            tables_needed = " and ".join(f"[{dotted(('limits', *row))}]" for row in needed)
            yield Complaint(("limits",), "is missing", f"write {tables_needed} with {such}")
        return
    tables = as_table(raw["limits"])
    for name, target in borrowed.items():
        if isinstance(target, str) and target not in tables:
            yield _unknown(("providers", name, "limits_as"), "limits table", target, list(tables))
    meant = {nearest(name, list(tables)) for name in names if name not in tables}
    known = [*providers, *names]
    strays = [name for name in tables if name not in known and name not in meant] if providers else []
    for name in strays:
        yield _unknown(("limits", name), "provider", name, known)
    misspelt = {nearest(name, known) for name in strays}
    for table, model_class, provider, model in _needed(users, providers, tables):
        if table in misspelt and table not in tables:
            continue  # said as the unknown table
        path = ("limits", table, model_class)
        limits = as_table(as_table(tables.get(table)).get(model_class))
        user = f"model {_quoted(model)} is {safe_line(provider, 80)}/{model_class}"
        if not limits:
            yield Complaint(path, f"is missing: {user}", f"such as {such}")
        elif mode in ("fixed", "adaptive") and mode not in limits:
            yield Complaint((*path, str(mode)), f"is missing: {user}", f"the rate mode is {mode}")


def _users(providers: Table, models: Table) -> dict[tuple[str, str], str]:
    """Return (provider, class) → the first model of that class there."""
    users: dict[tuple[str, str], str] = {}
    for name, value in models.items():
        model_class = as_table(value).get("class")
        for _, provider, _ in deployments_of(name, as_table(value)):
            if provider in providers and model_class in CLASSES:
                users.setdefault((provider, str(model_class)), name)
    return users


def _needed(
    users: dict[tuple[str, str], str], providers: Table, tables: Table
) -> Iterator[tuple[str, str, str, str]]:
    """Yield (limits table, class, provider, a model) once a table and class."""
    seen: set[tuple[str, str]] = set()
    for (provider, model_class), model in users.items():
        table: Any = as_table(providers[provider]).get("limits_as", provider)
        borrowed_from_nowhere = table != provider and table not in tables
        if isinstance(table, str) and not borrowed_from_nowhere and (table, model_class) not in seen:
            seen.add((table, model_class))
            yield table, model_class, provider, model


def _unknown(path: KeyPath, what: str, name: str, known: list[str]) -> Complaint:
    hint = meant_hint(name, list(dict.fromkeys(known)))
    return Complaint(path, f"there is no {what} {_quoted(name)}", hint)


def _no_key(path: KeyPath, key: str, known: list[str]) -> Complaint:
    """Say so without repeating the name: some write the key itself here."""
    return Complaint(path, "names no key of the provider", meant_hint(key, known))


def _quoted(name: object) -> str:
    return f"'{safe_line(str(name), 80)}'"
