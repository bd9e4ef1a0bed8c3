"""Raw tables compared and changed value by value. Tables are never changed in place: an edit makes a new one."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final, NamedTuple, cast

from console.profile.tables import Table, as_list, as_table
from console.profile.toml_lines import KeyPath


class Absent(Enum):
    """The kind of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""Stands for what is not there."""


class Difference(NamedTuple):
    """One value that differs between two raw tables."""

    path: KeyPath
    before: Any
    """`ABSENT` where there was none."""
    after: Any
    """`ABSENT` where there is none."""


def differences(before: Table, after: Table) -> list[Difference]:
    """Return what differs, as deep as tables go on both sides; lists are one value each."""
    return list(_differences(before, after, ()))


def _differences(before: Table, after: Table, path: KeyPath) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if (type(old), type(new)) == (dict, dict):
            yield from _differences(
                as_table(cast("object", old)), as_table(cast("object", new)), (*path, key)
            )
        elif not same(old, new):
            yield Difference((*path, key), old, new)


def same(one: object, other: object) -> bool:
    """Whether two values are the same in kind too: 1 is not true, and 1.0 is not 1."""
    if type(one) is not type(other):
        return False
    items, others = as_list(one), as_list(other)
    if items or others:
        return len(items) == len(others) and all(map(same, items, others))
    left, right = as_table(one), as_table(other)
    if left or right:
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return one == other


def with_value(table: Table, path: KeyPath, value: Any) -> Table:
    """Return the table with `value` at `path`; tables on the way are made where they are missing."""
    head, *rest = path
    key = str(head)
    if not rest:
        return {**table, key: value}
    return {**table, key: with_value(as_table(table.get(key)), tuple(rest), value)}


def without(table: Table, path: KeyPath) -> Table:
    """Return the table without what stands at `path`, and without tables that are empty then."""
    head, *rest = path
    key = str(head)
    if key not in table:
        return table
    if rest:
        inner = without(as_table(table[key]), tuple(rest))
        if inner:
            return {**table, key: inner}
    return {name: value for name, value in table.items() if name != key}
