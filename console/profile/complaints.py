"""What pydantic found wrong, said in the words of the file: path, what stands there, what was expected."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from console.profile.form import Profile
from console.profile.tables import Table, at_path
from console.profile.toml_lines import KeyPath
from console.vocabulary.nearest import nearest
from console.vocabulary.safe_text import safe_line

_CONSTRAINTS = {
    "greater_than": ("gt", "a number > {:g}"),
    "greater_than_equal": ("ge", "a number ≥ {:g}"),
    "less_than": ("lt", "a number < {:g}"),
    "less_than_equal": ("le", "a number ≤ {:g}"),
}
_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "dataclass_type": "a table",
    "dataclass_exact_type": "a table",
}
KEY_SLOTS = (("key",), ("keys",), ("keys_off",))
"""Where people write keys by mistake: what stands there is not repeated."""
_KEY_WORDS = ("api_key", "apikey", "api-key", "key", "secret", "token")


@dataclasses.dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong at a path, not yet located in a file."""

    path: KeyPath
    message: str
    hint: str | None = None


def complaints(error: ValidationError, raw: Table, form: type[BaseModel] = Profile) -> list[Complaint]:
    """Return every error of `error` in a file of this `form`, a misspelt key once (not also as a missing one)."""
    found = [
        _complaint(details, raw, form)
        for details in error.errors(include_url=False)
        # pydantic counts only the elements that are right
        if not (details["type"] == "too_short" and at_path(raw, details["loc"]))
    ]
    meant = {(*one.path[:-1], name) for one, name in found if name is not None}
    missing = {id(one) for one, _ in found if one.message.startswith("is missing") and one.path in meant}
    return [one for one, _ in found if id(one) not in missing]


def meant_hint(name: str, known: list[str], *, what: str = "known") -> str:
    """Return `did you mean …?`, or the list of what is known where nothing is near."""
    close = nearest(name, known)
    if close is not None:
        return f"did you mean {safe_line(close, 80)}?"
    return f"{what}: {safe_line(', '.join(known), 300)}" if known else f"{what}: none"


def shown(value: object, path: KeyPath) -> str:
    """Return a value as an error may quote it. What stands where a key or URL belongs is never quoted."""
    if path[2:3] in KEY_SLOTS or path[-1:] == ("base_url",):
        return "the value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{safe_line(value, 60)}'"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return safe_line(str(value), 60)


def _complaint(details: ErrorDetails, raw: Table, form: type[BaseModel]) -> tuple[Complaint, str | None]:
    """Return the complaint, and the name that was meant where the key itself is unknown."""
    path: KeyPath = details["loc"]
    if path[-1] == "[key]":
        path = path[:-1]
        return Complaint(path, f"the key is not {details.get('ctx', {}).get('expected', 'a name')}"), None
    kind = details["type"]
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        name = str(path[-1])
        known = known_names(path[:-1], form)
        if path[0] == "providers" and name.lower() in _KEY_WORDS:
            return Complaint(path, "unknown key", 'keys = { key0 = "env:NAME" }'), None
        return Complaint(path, "unknown key", meant_hint(name, known)), nearest(name, known)
    if kind == "missing":
        return Complaint(path, "is missing"), None
    if not isinstance(at_path(raw, path[:-1]), dict | list):
        path = path[:-1]  # a short form such as key0 = "env:A", which stands for a table
    return Complaint(path, _message(details, path, raw), details.get("ctx", {}).get("hint")), None


def _message(details: ErrorDetails, path: KeyPath, raw: Table) -> str:
    kind, context = details["type"], details.get("ctx", {})
    value = shown(at_path(raw, path), path)
    if kind == "said":
        return f"{value} {details['msg']}"
    if kind == "too_short":
        return "is empty; at least one is needed"
    if kind in _CONSTRAINTS:
        name, text = _CONSTRAINTS[kind]
        return f"{value} is not {text.format(context[name])}"
    if kind in ("expected", "literal_error"):
        return f"{value} is not {context['expected']}"
    return f"{value} is not {_KINDS.get(kind, 'what belongs here')}"


def known_names(path: KeyPath, form: type[BaseModel] = Profile) -> list[str]:
    """Return the keys that the table at `path` of a `form` may have, empty where it takes any."""
    kind: Any = form
    for part in path:
        kind = _plain(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
            kind = fields.get(str(part))
        else:
            inner = [one for one in typing.get_args(kind) if one is not Ellipsis]
            kind = inner[-1] if inner else None
    kind = _plain(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.alias or name for name, field in kind.model_fields.items()]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    return []


def _plain(kind: Any) -> Any:
    """Take `Annotated` and `| None` off a type."""
    while True:
        if typing.get_origin(kind) is typing.Annotated:
            kind = typing.get_args(kind)[0]
        elif typing.get_origin(kind) in (types.UnionType, typing.Union):
            kind = next(one for one in typing.get_args(kind) if one is not types.NoneType)
        else:
            return kind
