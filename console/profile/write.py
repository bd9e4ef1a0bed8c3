"""Profiles written: as TOML for people, as a record for `run.toml`, and as a file that is never overwritten."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any, Final, Literal

import tomli_w

from console.profile.form import Profile
from console.profile.load import check_profile, load_source, parse_toml
from console.profile.places import ProfileSource, builtin_names, find_profile, user_profiles_dir
from console.profile.tables import Table, as_table
from console.profile.toml_lines import KeyPath, dotted
from console.vocabulary.errors import ConsoleError, Problem, Problems

AD_HOC_FLAGS: Final[dict[KeyPath, str]] = {
    ("providers", "server", "base_url"): "--base-url",
    ("providers", "server", "api_version"): "--api-version",
    ("providers", "server", "api"): "--api",
    ("providers", "server", "keys"): "--key",
    ("models",): "--model",
    ("limits",): "--max-concurrency",
}
"""Which flag stands for which part of an ad-hoc profile: `LoadedProfile.flags`."""


def dump_toml(profile: Profile) -> str:
    """Return the profile as TOML that loads to an equal one; what was not set is not written."""
    return tomli_w.dumps(
        _short(profile.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True))
    )


def profile_record(profile: Profile) -> dict[str, Any]:
    """Return the whole profile, defaults included, for `run.toml`. It holds references, never a key."""
    return _short(profile.model_dump(mode="json", by_alias=True, exclude_none=True))


def profile_from_record(record: dict[str, Any], origin: str = "run.toml") -> Profile:
    """Return the profile that `profile_record` wrote.

    Raises:
        Problems: if somebody has changed it into something else.
    """
    profile, found = check_profile(record)
    if profile is None or found:
        raise Problems([Problem(origin, None, dotted(one.path), one.message, one.hint) for one in found])
    return profile


def ad_hoc_profile(
    *,
    base_url: str,
    model: str,
    api: Literal["openai", "azure"] = "openai",
    key_ref: str | None = None,
    api_version: str | None = None,
    workers: int = 1,
) -> Profile:
    """Return a profile of one lane, for `capacity --base-url` without any file.

    Raises:
        Problems: if a flag is wrong, located at the flag.
    """
    provider: Table = {"api": api, "base_url": base_url}
    if key_ref is not None:
        provider["keys"] = {"key0": key_ref}
    if api_version is not None:
        provider["api_version"] = api_version
    limits = {"workers": workers}
    raw: Table = {
        "name": "ad-hoc",
        "providers": {"server": provider},
        "models": {model: {"provider": "server", "class": "open"}},
        "limits": {"server": {"open": {"fixed": limits, "adaptive": dict(limits)}}},
    }
    profile, found = check_profile(raw)
    if profile is None or found:
        located = {(_flag_of(one.path), one.message): one for one in found}
        raise Problems([Problem(flag, None, "", said, one.hint) for (flag, said), one in located.items()])
    return profile


def _flag_of(path: KeyPath) -> str:
    return next((flag for start, flag in AD_HOC_FLAGS.items() if path[: len(start)] == start), dotted(path))


def new_profile(name: str, source_ref: str) -> Path:
    """Copy a profile, comments and all, into the user's directory under a new name; return where.

    Raises:
        ConsoleError: if it is a built-in one's name or the user has one of that name, or the place cannot be
            written.
    """
    refuse_builtin(name)
    source = find_profile(source_ref)
    load_source(source, environ={})  # a broken one is not spread
    return create_profile(name, _renamed(source, name))


def create_profile(name: str, text: str) -> Path:
    """Write a new profile into the user's directory; return where.

    Raises:
        ConsoleError: if it is a built-in one's name or the user has one of that name, the text is no profile, or
            the place cannot be written.
    """
    refuse_builtin(name)
    load_source(ProfileSource(name=name, origin=name, path=None, text=text), environ={})
    path = user_profiles_dir() / f"{name}.toml"
    try:
        path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror}", where=str(path.parent)) from None
    try:
        write_new(path, text)
    except FileExistsError:
        raise ConsoleError("is there already; nothing was written", where=str(path)) from None
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror}", where=str(path)) from None
    return path


def refuse_builtin(name: str) -> None:
    """Refuse a name that a built-in profile has.

    Raises:
        ConsoleError: if it is one.
    """
    if name in builtin_names():
        hint = f"take another name, such as my-{name}"
        raise ConsoleError(
            f"'{name}' is built in, and a profile of yours would hide it everywhere", hint=hint
        )


def write_new(path: Path, text: str) -> None:
    """Write a file of mode 0600, whole or not at all.

    Raises:
        FileExistsError: if there is one; it is left as it is.
    """
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)


def _renamed(source: ProfileSource, name: str) -> str:
    """Return the text with `name` in place of its own, leaving every other line as it is."""
    line = f'name = "{name}"'
    raw, lines = parse_toml(source.text, source.origin)
    rows = source.text.splitlines(keepends=True)
    at = lines.get(("name",))
    if at is None:
        return f"{line}\n{source.text}"
    before, after = "".join(rows[: at - 1]), "".join(rows[at:])
    row = rows[at - 1]
    ending = row[len(row.rstrip("\r\n")) :]
    text = f"{before}{line}{ending}{after}"
    changed, _ = parse_toml(text, source.origin)
    if changed == {**raw, "name": name}:
        return text
    raise ConsoleError("`name` does not stand on a line of its own", where=f"{source.origin}:{at}")


def _short(record: Table) -> Table:
    """Write tables in their short form: a key as its reference, a deployment as its name."""
    for provider in as_table(record.get("providers")).values():
        keys = {name: _key(entry) for name, entry in as_table(as_table(provider).get("keys")).items()}
        if keys:
            provider["keys"] = list(keys) if all(entry == {} for entry in keys.values()) else keys
    for model in as_table(record.get("models")).values():
        if "deployments" in model:
            model["deployments"] = [
                entry["name"] if list(entry) == ["name"] else entry for entry in model["deployments"]
            ]
    return record


def _key(entry: Table) -> Any:
    return entry["secret"] if list(entry) == ["secret"] else entry
