"""Drafts: edits and their undoing, the text that is saved, and the same as texts of `--set`."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.profile import builtin_names, find_profile, load_source
from console.profile.draft import Draft, judge
from console.profile.inline import inline
from console.profile.patch import patched, rewritten
from console.profile.places import ProfileSource
from console.profile.set_texts import set_texts
from console.profile.table_diff import differences, with_value, without
from console.profile.tables import at_path

WRITTEN_BY_HAND = """\
# my lab
name = "lab"          # as on the door

[providers.lab]
api = "openai"
base_url = "https://gateway.example.com/v1"
keys = { key0 = "env:A", key1 = { secret = "env:B", base_url = "https://b.example.com/v1" } }
keys_off = [
  "key1",  # broken since May
]
limits.key = { qps = 10 }     # said in the contract

[models."qwen2.5"]
provider = "lab"
class = "open"

[limits.lab.open]
# what the gateway bears
fixed = { workers = 2, qps = 5.5 }
adaptive.workers = 3

[timeouts]
total = 300
"""
SOURCE = ProfileSource(name="lab", origin="lab.toml", path=Path("lab.toml"), text=WRITTEN_BY_HAND)
FIXED = ("limits", "lab", "open", "fixed")

PATHS = [
    (*FIXED, "workers"),
    (*FIXED, "qps"),
    (*FIXED, "tpm"),
    ("limits", "lab", "open", "adaptive", "workers"),
    ("limits", "lab", "open", "adaptive", "rpm"),
    ("limits", "lab", "open", "adaptive"),
    ("limits", "lab", "open", "per"),
    ("limits", "lab", "open", "prompt_multiplier"),
    ("limits", "other", "closed", "fixed", "workers"),
    ("providers", "lab", "keys_off"),
    ("providers", "lab", "limits", "key", "qps"),
    ("providers", "lab", "limits", "model", "workers"),
    ("models", "qwen2.5", "off"),
    ("timeouts", "total"),
    ("retries", "attempts"),
    ("description",),
    ("rate_mode",),
]
VALUES = st.one_of(
    st.integers(1, 10**6),
    st.floats(0.001, 1e6),
    st.booleans(),
    st.text(max_size=12),
    st.sampled_from(["none", "5", "true", "adaptive", "'", '"', "a=b"]),
    st.lists(st.text(max_size=6), max_size=3),
)
EDITS = st.lists(st.tuples(st.sampled_from(PATHS), st.none() | VALUES), max_size=12)


def edited(draft: Draft, edits: list[tuple[Any, Any]]) -> Draft:
    for path, value in edits:
        table = without(draft.now, path) if value is None else with_value(draft.now, path, value)
        draft = draft.edited(table)
    return draft


@given(EDITS)
def test_undoing_everything_gives_what_was_read_and_redoing_what_was_wanted(edits) -> None:
    draft = edited(Draft.of(SOURCE), edits)
    back = draft
    while back.past:
        back = back.undone()
    assert back.now == tomllib.loads(WRITTEN_BY_HAND)
    assert not back.changed
    while back.future:
        back = back.redone()
    assert back.now == draft.now
    assert back.past == draft.past


@given(EDITS)
@settings(max_examples=examples(60))
def test_a_draft_is_saved_as_a_text_that_reads_as_what_was_wanted(edits) -> None:
    draft = edited(Draft.of(SOURCE), edits)
    written = draft.rewritten()
    assert not differences(tomllib.loads(written.text), draft.now)
    again = Draft.of(ProfileSource(name="lab", origin="", path=None, text=written.text))
    assert again.judge() == draft.judge()
    if not draft.changed:
        assert written.text == WRITTEN_BY_HAND


@given(EDITS)
@settings(max_examples=examples(60))
def test_texts_of_set_on_the_saved_file_are_the_draft(edits) -> None:
    draft = edited(Draft.of(SOURCE), edits)
    texts = draft.texts()
    profile = draft.judge().profile
    if texts is None:
        assert '"' in str(draft.changes) or "''" in str(draft.changes), draft.changes
        return
    assert len(texts) == len(draft.changes)
    if profile is not None:
        assert load_source(SOURCE, texts, environ={}).profile == profile


@pytest.mark.parametrize("name", builtin_names())
def test_every_built_in_profile_can_be_edited_in_place(name: str) -> None:
    draft = Draft.of(find_profile(name))
    for table, classes in draft.now["limits"].items():
        for model_class in classes:
            path = ("limits", table, model_class)
            draft = draft.edited(with_value(draft.now, (*path, "fixed", "workers"), 7))
            draft = draft.edited(with_value(draft.now, (*path, "adaptive", "rpm"), 70))
            draft = draft.edited(with_value(draft.now, (*path, "per"), "job"))
    for provider in draft.now["providers"]:
        draft = draft.edited(with_value(draft.now, ("providers", provider, "limits", "key", "qps"), 3))
    written = draft.rewritten("mine")
    assert (written.lost_comments, written.anew) == (0, False)
    profile = draft.judge().profile
    assert profile is not None
    texts = draft.texts()
    assert texts is not None
    assert load_source(draft.source, texts, environ={}).profile == profile
    source = ProfileSource(name="mine", origin="", path=None, text=written.text)
    assert load_source(source, environ={}).profile == profile.model_copy(update={"name": "mine"})


def test_a_change_leaves_every_other_line_as_it_is() -> None:
    draft = Draft.of(SOURCE)
    for path, value in (
        ((*FIXED, "workers"), 4),
        ((*FIXED, "rpm"), 60),
        (("models", "qwen2.5", "off"), True),
    ):
        draft = draft.edited(with_value(draft.now, path, value))
    draft = draft.edited(without(draft.now, ("limits", "lab", "open", "adaptive")))
    draft = draft.edited(with_value(draft.now, ("start", "job_delay"), 15))
    written = draft.rewritten()
    before, after = WRITTEN_BY_HAND.splitlines(), written.text.splitlines()
    assert [line for line in after if line not in before] == [
        "off = true",
        "fixed = { workers = 4, qps = 5.5, rpm = 60 }",
        "[start]",
        "job_delay = 15",
    ]
    assert [line for line in before if line not in after] == [
        "fixed = { workers = 2, qps = 5.5 }",
        "adaptive.workers = 3",
    ]
    assert (written.lost_comments, written.anew) == (0, False)


def test_comments_inside_a_list_that_changes_are_lost_and_counted() -> None:
    draft = Draft.of(SOURCE)
    draft = draft.edited(with_value(draft.now, ("providers", "lab", "keys_off"), ["key0"]))
    assert draft.rewritten().lost_comments == 1


def test_windows_line_ends_stay() -> None:
    text = WRITTEN_BY_HAND.replace("\n", "\r\n")
    wanted = with_value(tomllib.loads(text), (*FIXED, "workers"), 9)
    made = patched(text, wanted)
    assert made == text.replace("workers = 2", "workers = 9")


def test_a_table_that_goes_as_a_whole_leaves_the_rest() -> None:
    text = "# why\n[a]\nx = 1\n[a.b]\ny = 2\nz.q = 3\n[c]\n"
    assert rewritten(text, {"a": {"x": 1}, "c": {}}) == ("# why\n[a]\nx = 1\n[c]\n", 0, False)


def test_an_array_of_tables_is_written_anew() -> None:
    written = rewritten("# why\n[[a]]\nx = 1\n", {"a": [{"x": 2}]})
    assert tomllib.loads(written.text) == {"a": [{"x": 2}]}
    assert (written.lost_comments, written.anew) == (1, True)


@given(
    st.recursive(
        VALUES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_a_value_on_one_line_reads_as_the_same(value) -> None:
    line = inline(value)
    assert "\n" not in line
    assert differences(tomllib.loads(f"v = {line}"), {"v": value}) == []


@given(EDITS)
def test_edits_make_new_tables_and_change_none(edits) -> None:
    raw = tomllib.loads(WRITTEN_BY_HAND)
    kept = deepcopy(raw)
    edited(Draft(SOURCE, raw, raw), edits)
    assert raw == kept


def test_what_is_taken_out_takes_empty_tables_along() -> None:
    table = without({"a": {"b": {"c": 1}}, "d": 2}, ("a", "b", "c"))
    assert table == {"d": 2}
    assert without(table, ("x", "y")) == {"d": 2}


def test_a_draft_that_is_wrong_says_what_a_file_would() -> None:
    draft = Draft.of(SOURCE)
    draft = draft.edited(without(draft.now, (*FIXED, "workers")))
    judged = judge(draft.now, SOURCE)
    assert judged.profile is None
    assert [one.path for one in judged.complaints] == [(*FIXED, "workers")]
    assert at_path(draft.now, FIXED) == {"qps": 5.5}


def test_set_texts_are_short_where_they_can_be() -> None:
    raw = tomllib.loads(WRITTEN_BY_HAND)
    wanted = with_value(without(raw, (*FIXED, "qps")), ("rate_mode",), "adaptive")
    assert set_texts(raw, wanted) == ("limits.lab.open.fixed.qps=", "rate_mode=adaptive")


def test_an_edit_of_a_file_that_has_changed_can_keep_mine_or_take_theirs() -> None:
    mine = edited(Draft.of(SOURCE), [((*FIXED, "workers"), 8)])
    theirs = ProfileSource(
        name="lab", origin="lab.toml", path=SOURCE.path, text=WRITTEN_BY_HAND.replace("= 5.5", "= 6.0")
    )
    kept = mine.rebased(theirs, keep_mine=True)
    assert at_path(kept.now, FIXED) == {"workers": 8, "qps": 5.5}
    assert len(kept.changes) == 2
    taken = mine.rebased(theirs, keep_mine=False)
    assert not taken.changed
    assert taken.undone().now == mine.now
