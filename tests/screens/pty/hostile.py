"""Answers in which every text is hostile, whatever a screen asks."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from console.profile.places import ProfileSource

EVIL = (
    "\x1b]52;c;b3duZWQ=\x07\x1b]0;owned\x07\x1b[31m\x1bP+q6f776e6564\x1b\\\x9b2J\x9d0;owned\x9c\x1b_owned\x1b\\"
    "\u202e\u2066\u200b\ufeff\x07\x08\x00\r[red]世👩\u200d👧e\u0301\u0301\u0301\u0301\u0301\u0301\ud800"
)
LONG = {"text", "note", "notice", "error", "message"}
"""Fields that hold a line of ten kilobytes."""


def quoted(text: str) -> str:
    """Write a text as TOML does, with every character of it that steers escaped."""
    sure = text.encode("utf-8", "ignore").decode()
    return '"' + "".join(c if c.isalnum() or c in " .-_:/" else f"\\U{ord(c):08x}" for c in sure) + '"'


NAME = "[red]世e\u0301\u0301\u0301\u0301\u0301\u0301👍🏽"
HOSTILE_PROFILE = f"""\
name = "sim"
description = {quoted(EVIL)}

[providers.lab]
api = "openai"
base_url = "https://gateway.example.com/v1"
keys = {{ key0 = "env:LAB_KEY_0", key1 = "env:LAB_KEY_1" }}

[models.{quoted(NAME + "世界" * 20)}]
provider = "lab"
class = "open"
deployments = [{quoted(NAME + "a")}, {quoted("😀" * 40)}]

[limits.lab.open]
fixed = {{ workers = 4, qps = 5 }}
"""
"""A profile that can be read, as hostile as that lets it be."""


def poisoned(value: Any, hint: Any = str, name: str = "") -> Any:
    """Return a value of the same kind with every free text in it made hostile; words of a fixed set stay."""
    if isinstance(value, ProfileSource) or not value:
        return value
    if isinstance(value, str):
        return EVIL + value + ("x" * 10_000 if name in LONG else "") if _free_text(hint) else value
    if isinstance(value, msgspec.Struct):
        hints = typing.get_type_hints(type(value), include_extras=True)
        fields = {
            field: poisoned(getattr(value, field), hints[field], field) for field in value.__struct_fields__
        }
        return msgspec.structs.replace(value, **fields)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = typing.get_type_hints(type(value))
        fields = {
            field.name: poisoned(getattr(value, field.name), hints[field.name], field.name)
            for field in dataclasses.fields(value)
            if field.init and not field.name.startswith("_")
        }
        return dataclasses.replace(value, **fields)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        hints = typing.get_type_hints(type(value))
        return type(value)(
            *(poisoned(part, hints[field], field) for field, part in zip(value._fields, value, strict=True))
        )
    inner = next(iter(typing.get_args(hint)), str)
    if isinstance(value, tuple | list):
        return type(value)(poisoned(part, inner, name) for part in value)
    if isinstance(value, Mapping) and not isinstance(value, types.MappingProxyType):
        return {
            key: poisoned(part, (typing.get_args(hint) or (str, str))[-1], name)
            for key, part in value.items()
        }
    return value


def _free_text(hint: Any) -> bool:
    if typing.get_origin(hint) in (typing.Literal,):
        return False
    parts = typing.get_args(hint)
    return (
        hint in (str, Any) or any(_free_text(part) for part in parts) or not (parts or isinstance(hint, type))
    )


def cleaned(value: Any) -> Any:
    """Return what a screen hands back as the fakes know it."""
    if isinstance(value, str):
        return value.replace(EVIL, "").removesuffix("x" * 10_000)
    if isinstance(value, Path):
        return Path(cleaned(str(value)))
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(
            value, **{field: cleaned(getattr(value, field)) for field in value.__struct_fields__}
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value,
            **{
                field.name: cleaned(getattr(value, field.name))
                for field in dataclasses.fields(value)
                if field.init
            },
        )
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(cleaned, value))
    if isinstance(value, tuple | list):
        return type(value)(map(cleaned, value))
    return value


class Poisoned:
    """Answers as `told` does, with every text hostile."""

    def __init__(self, told: Any) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._told, name)
        if not callable(found):
            return poisoned(found)

        def answered(value: Any) -> Any:
            plain = isinstance(
                value, str | tuple | list | Mapping | msgspec.Struct
            ) or dataclasses.is_dataclass(value)
            if plain and type(value).__module__.startswith(("builtins", "console.")):
                return poisoned(value, str)
            return Poisoned(value) if type(value).__module__.startswith(("fakes", "scenes")) else value

        if inspect.iscoroutinefunction(found):

            async def asked_later(*args: Any, **options: Any) -> Any:
                return answered(await found(*map(cleaned, args), **options))

            return asked_later

        def asked(*args: Any, **options: Any) -> Any:
            return answered(found(*map(cleaned, args), **options))

        return asked
