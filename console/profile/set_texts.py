"""The changes of a profile as texts of `--set`, so that a run uses what is not saved."""

from __future__ import annotations

import copy

from console.profile.inline import inline, inline_key
from console.profile.overrides import apply_overrides, plain_value
from console.profile.table_diff import ABSENT, Difference, differences
from console.profile.tables import Table


def set_texts(saved: Table, wanted: Table) -> tuple[str, ...] | None:
    """Return texts that make `wanted` of `saved`; None where `--set` cannot say it."""
    texts = tuple(map(_text, differences(saved, wanted)))
    made = copy.deepcopy(saved)
    _, wrong = apply_overrides(made, texts)
    return None if wrong or differences(made, wanted) else texts


def _text(change: Difference) -> str:
    value = "" if change.after is ABSENT else inline(change.after)
    word = change.after
    if isinstance(word, str) and word == word.strip() and plain_value(word) == word:
        value = word  # a word needs no quotes, which a shell would want quoted in turn
    return f"{inline_key(change.path)}={value}"
