"""`run.toml`: what was asked of a run, written before anything else is done."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Set
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec
import tomli_w

from console.durable import write_atomic
from console.vocabulary.errors import ConsoleError
from console.vocabulary.trace import Traces

RUN_FILE: Final = "run.toml"
SUMMARY_FILE: Final = "summary.json"
_FIRST_TABLE: Final = re.compile(r"^\[", re.MULTILINE)


class RunHead(msgspec.Struct, frozen=True, kw_only=True):
    """The part of `run.toml` that lists of runs need; it stands before the first table."""

    run_id: str
    title: str
    profile: str
    """Name of the profile."""
    created: str
    """Wall time, ISO 8601 with zone."""
    pid: int
    simulated: bool | None = None
    """None: not known before the first answer."""
    storage: str = "parquet"
    """parquet | json: how tables are written."""

    @property
    def created_at(self) -> datetime:
        """Return `created` as a time; the beginning of time where it is none."""
        try:
            moment = datetime.fromisoformat(self.created)
        except ValueError:
            return datetime.fromisoformat("0001-01-01T00:00:00+00:00")
        return moment if moment.tzinfo is not None else moment.astimezone()


Head = TypeVar("Head", bound=RunHead)


class RunFile(RunHead, frozen=True, kw_only=True):
    """All of `run.toml`. No secret is in it: the profile's record and the arguments hold references."""

    phases: list[str] = []
    seed: int = 0
    args: list[str] = []
    """The command line, without the program's name."""
    control_socket: str = ""
    """Where commands are taken while the run lives."""
    segments: list[str] = []
    """Segments of the journal as far as they were announced."""
    processes: int = 1
    """Engine processes."""
    traces: Traces = "none"
    """What is kept in `traces/` of what was said."""
    selection: dict[str, Any] = {}
    versions: dict[str, str] = {}
    profile_record: dict[str, Any] = {}
    """The profile as it was, changes by `--set` included."""


def simulated_providers(profile_record: Mapping[str, Any]) -> frozenset[str]:
    """Return the providers that a profile's record says are simulated."""
    found: Any = profile_record.get("providers")
    providers = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return frozenset(
        name
        for name, table in providers.items()
        if isinstance(table, dict) and cast("dict[str, Any]", table).get("api") == "sim"
    )


def models_of_providers(profile_record: Mapping[str, Any], providers: Set[str]) -> frozenset[str]:
    """Return the models that a profile's record has at one of `providers`."""
    found: Any = profile_record.get("models")
    models = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return frozenset(
        name
        for name, table in models.items()
        if isinstance(table, dict) and cast("dict[str, Any]", table).get("provider") in providers
    )


def write_run_file(run_dir: Path, run_file: RunFile) -> None:
    """Write `run.toml` in one step: a reader sees the old one or the new one.

    Raises:
        ConsoleError: if it cannot be written.
    """
    path = run_dir / RUN_FILE
    text = tomli_w.dumps(_without_none(msgspec.to_builtins(run_file)))
    try:
        write_atomic(path, text.encode("utf-8", "replace"))  # TOML holds no argument that is not UTF-8
    except OSError as error:
        raise ConsoleError(f"cannot be written: {error.strerror}", where=str(path)) from error


def read_run_file(run_dir: Path) -> RunFile:
    """Read `run.toml`.

    Raises:
        ConsoleError: if it is missing, unreadable or not as we write it.
    """
    return _read(run_dir / RUN_FILE, RunFile)


def read_run_head(run_dir: Path) -> RunHead:
    """Read the head of `run.toml` without parsing its tables, so that long lists of runs stay quick.

    Raises:
        ConsoleError: as `read_run_file`.
    """
    return _read(run_dir / RUN_FILE, RunHead, only_head=True)


def _read(path: Path, kind: type[Head], *, only_head: bool = False) -> Head:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConsoleError("there is no such file, so this is no run", where=str(path)) from None
    except OSError as error:
        raise ConsoleError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConsoleError("is not UTF-8 text", where=str(path)) from error
    if only_head and (table := _FIRST_TABLE.search(text)) is not None:
        text = text[: table.start()]
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConsoleError(f"is not a run file: {error}", where=str(path)) from None


def _without_none(value: Any) -> Any:
    """Return `value` as TOML can hold it: what is absent is not written."""
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return {key: _without_none(item) for key, item in table.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in cast("list[Any]", value) if item is not None]
    return value
