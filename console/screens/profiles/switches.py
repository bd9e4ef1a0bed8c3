"""Keys and deployments of a profile as a tree that says which are on, and what becomes of the profile when some are switched."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from console.profile.form import url_fault
from console.profile.references import deployments_of
from console.profile.secrets import source_of
from console.profile.table_diff import with_value, without
from console.profile.tables import Table, as_list, as_table
from console.profile.toml_lines import KeyPath
from console.vocabulary.safe_text import safe_line
from widgets.tree_nodes import TreeNode


def key_id(provider: str, key: str) -> str:
    """Return the id of a key among the leaves of the tree."""
    return f"key\0{provider}\0{key}"


def deployment_id(provider: str, deployment: str) -> str:
    """Return the id of a deployment among the leaves of the tree."""
    return f"deployment\0{provider}\0{deployment}"


def switch_nodes(now: Table, saved: Table) -> tuple[TreeNode, ...]:
    """Return a root for each provider: its keys, then its models with their deployments."""
    before, after = switched_on(saved), switched_on(now)
    moved = before ^ after
    nodes: list[TreeNode] = []
    for name, value in as_table(now.get("providers")).items():
        provider = as_table(value)
        keys = tuple(
            TreeNode(
                key_id(name, key),
                safe_line(key, 64),
                _with_mark(_source(provider, key), key_id(name, key), moved, before),
            )
            for key in _keys(provider)
        )
        models = tuple(_model(now, name, model, moved, before) for model in _models_at(now, name))
        note = f"{provider.get('api', '')} {_url(provider)}".strip()
        nodes.append(
            TreeNode(f"provider\0{name}", safe_line(name, 64), safe_line(note, 120), children=keys + models)
        )
    return tuple(nodes)


def switched_on(raw: Table) -> frozenset[str]:
    """Return the ids of what is on. A deployment whose model is off is not."""
    return frozenset(_on(raw))


def with_switches(raw: Table, on: AbstractSet[str]) -> Table:
    """Return the tables with just these keys and deployments on. A model of which nothing is on is off itself."""
    for name, value in as_table(raw.get("providers")).items():
        keys = _keys(as_table(value))
        off = [key for key in keys if key_id(name, key) not in on]
        raw = _with_list(raw, ("providers", name, "keys_off"), off, keys)
    wanted_off: dict[str, list[str]] = {}
    known: dict[str, list[str]] = {}
    for model, value in as_table(raw.get("models")).items():
        places = [(provider, name) for _, provider, name in deployments_of(model, as_table(value))]
        live = [place for place in places if deployment_id(*place) in on]
        path: KeyPath = ("models", model, "off")
        is_off = as_table(value).get("off") is True
        if places and not live:
            raw = raw if is_off or not _any_on(raw, places) else with_value(raw, path, True)
        elif is_off:
            raw = without(raw, path)
        for provider, name in places:
            known.setdefault(provider, []).append(name)
            goes_off = (provider, name) not in live if live else name in _off(raw, provider)
            if goes_off:
                wanted_off.setdefault(provider, []).append(name)
    for provider, names in known.items():
        raw = _with_list(raw, ("providers", provider, "deployments_off"), wanted_off.get(provider, []), names)
    return raw


def _on(raw: Table) -> Iterator[str]:
    for name, value in as_table(raw.get("providers")).items():
        off = as_list(as_table(value).get("keys_off"))
        yield from (key_id(name, key) for key in _keys(as_table(value)) if key not in off)
    for model, value in as_table(raw.get("models")).items():
        if as_table(value).get("off") is True:
            continue
        for _, provider, name in deployments_of(model, as_table(value)):
            if name not in _off(raw, provider):
                yield deployment_id(provider, name)


def _any_on(raw: Table, places: list[tuple[str, str]]) -> bool:
    return any(name not in _off(raw, provider) for provider, name in places)


def _off(raw: Table, provider: str) -> list[object]:
    return as_list(as_table(as_table(raw.get("providers")).get(provider)).get("deployments_off"))


def _with_list(raw: Table, path: KeyPath, off: list[str], known: list[str]) -> Table:
    """Put a list of what is off, in the order it has; names that nothing bears are left for the reader to complain of."""
    table = as_table(as_table(raw.get("providers")).get(str(path[1])))
    before = as_list(table.get(str(path[2])))
    after = [name for name in before if name in off or name not in known]
    after += [name for name in off if name not in before]
    if after == before:
        return raw
    return with_value(raw, path, after) if after else without(raw, path)


def _keys(provider: Table) -> list[str]:
    keys = provider.get("keys")
    return [str(name) for name in (as_list(keys) or as_table(keys))]


def _source(provider: Table, key: str) -> str:
    """Say where a key is found; never what it is."""
    if provider.get("api") == "sim":
        return "simulated"
    entry: object = as_table(provider.get("keys")).get(key)
    secret = entry if isinstance(entry, str) else as_table(entry).get("secret")
    if not isinstance(secret, str) or secret.partition(":")[0] not in ("env", "file", "cmd", "keyring"):
        return "no reference"
    own_url = _url(as_table(entry))
    return safe_line(source_of(secret) + (f" at {own_url}" if own_url else ""), 120)


def _url(table: Table) -> str:
    """Return a base URL; one that is none is not shown, as it may hold a credential."""
    url = table.get("base_url")
    shown = isinstance(url, str) and (url.startswith("env:") or url_fault(url) is None)
    return str(url) if shown else ""


def _models_at(raw: Table, provider: str) -> list[str]:
    return [
        name
        for name, model in as_table(raw.get("models")).items()
        if as_table(model).get("provider") == provider
    ]


def _model(raw: Table, home: str, name: str, moved: AbstractSet[str], before: AbstractSet[str]) -> TreeNode:
    spec = as_table(as_table(raw.get("models")).get(name))
    note = safe_line(str(spec.get("class", "")), 20)
    places = [(provider, deployment) for _, provider, deployment in deployments_of(name, spec)]
    leaves = tuple(
        TreeNode(
            deployment_id(provider, deployment),
            safe_line(deployment, 100),
            _with_mark(
                "" if provider == home else f"at {safe_line(provider, 64)}",
                deployment_id(provider, deployment),
                moved,
                before,
            ),
        )
        for provider, deployment in places
    )
    if len(leaves) == 1:
        one = leaves[0]
        label = safe_line(name, 100)
        also = f"{note} {one.note}" if one.label == label else f"{note} {one.label} {one.note}"
        return TreeNode(one.id, label, also.strip())
    return TreeNode(f"model\0{name}", safe_line(name, 100), note, children=leaves)


def _with_mark(note: str, leaf: str, moved: AbstractSet[str], before: AbstractSet[str]) -> str:
    if leaf not in moved:
        return note
    return f"{note} *saved: {'on' if leaf in before else 'off'}".strip()
