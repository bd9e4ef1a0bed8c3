"""The cells of the limits: what they show, and what their texts make of a profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.profile import builtin_names, find_profile
from console.profile.draft import Draft
from console.profile.places import ProfileSource
from console.profile.tables import at_path
from console.screens.profiles.limits import (
    MULTIPLIER,
    PER,
    columns,
    complaint,
    path_of,
    rows,
    toggled,
    typed,
)
from console.screens.profiles.switches import switch_nodes, switched_on, with_switches
from console.screens.profiles.totals import total_lines
from console.vocabulary.safe_text import safe_line
from widgets.tree_nodes import TreeIndex, TreeNode

SIM = Draft.of(find_profile("sim"))


def cell(draft: Draft, row: str, column: str):
    at = [one.id for one in columns()].index(column)
    mode = draft.now["rate_mode"]
    return next(one for one in rows(draft, draft.judge(), mode) if one.id == row).cells[at]


def after(draft: Draft, row: str, column: str, text: str) -> Draft:
    return draft.edited(typed(draft, row, column, text))


def test_two_rows_for_each_class_and_one_for_each_gate() -> None:
    made = rows(SIM, SIM.judge(), "fixed")
    assert [row.label for row in made[:4]] == [
        "azure/open      FIXED",
        "                adaptive",
        "azure/closed    FIXED",
        "                adaptive",
    ]
    assert [row.label for row in made[8:13]] == [
        "gates: azure",
        " each key",
        " each deployment",
        " each model",
        " all of it",
    ]
    assert [one.text for one in made[0].cells] == ["50", "", "", "", "no", "lane"]
    assert [one.text for one in made[1].cells] == ["100", "", "", "", "no", "lane"]
    assert columns()[1].none_text == "none"
    assert "m changes it" in made[1].cells[0].note


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "0 is not a whole number ≥ 1 (a model is switched off by off = true)"),
        ("-1", "-1 is not a whole number ≥ 1"),
        ("abc", "'abc' is not a whole number ≥ 1"),
        ("1000000000", "1000000000 is not a whole number ≤ 1000000"),
        ("2.5", "2.5 is not a whole number ≥ 1"),
        ("1e3", "1000.0 is not a whole number ≥ 1"),
        ("9" * 6000, "is not a whole number ≥ 1"),
        ("\x1b[31m5", "is not a whole number ≥ 1"),
        ("", "limits.azure.open.fixed: is missing"),
        ("none", "limits.azure.open.fixed: is missing"),
    ],
)
def test_a_wrong_number_of_workers_is_told_what_a_file_would_be(text: str, said: str) -> None:
    found = complaint(SIM, SIM.judge(), "azure/open fixed", "workers", text)
    assert found is not None
    assert said in found
    assert safe_line(found) == found


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("workers", "1,200", 1200),
        ("workers", " 7 ", 7),
        ("qps", "0.5", 0.5),
        ("tpm", "100000", 100000),
        (MULTIPLIER, "yes", True),
        (PER, "JOB", "job"),
    ],
)
def test_a_right_value_is_taken(column: str, text: str, value: object) -> None:
    row = "azure/open adaptive"
    assert complaint(SIM, SIM.judge(), row, column, text) is None
    assert at_path(after(SIM, row, column, text).now, path_of(row, column)) == value


def test_no_limit_is_written_as_none_and_taken_out() -> None:
    draft = after(SIM, "azure/open fixed", "qps", "200")
    assert cell(draft, "azure/open fixed", "qps").text == "200"
    assert cell(draft, "azure/open fixed", "qps").changed
    assert "saved: none" in cell(draft, "azure/open fixed", "qps").note
    assert after(draft, "azure/open fixed", "qps", "none").changes == []


def test_what_is_turned_round_twice_is_no_change() -> None:
    draft = SIM
    for column in (MULTIPLIER, PER):
        for changes in (1, 0):
            table = toggled(draft, "azure/open fixed", column)
            assert table is not None
            draft = draft.edited(table)
            assert len(draft.changes) == changes
    assert toggled(draft, "azure/open fixed", "workers") is None
    assert toggled(draft, "azure:key", PER) is None


def test_a_gate_holds_in_both_modes() -> None:
    draft = after(SIM, "ideallab:key", "qps", "10")
    assert cell(draft, "ideallab:key", "qps").text == "10"
    assert cell(draft, "ideallab:key", PER).read_only
    profile = draft.judge().profile
    assert profile is not None
    assert profile.providers["ideallab"].limits.key is not None
    assert profile.providers["ideallab"].limits.key.qps == 10


def test_a_mode_without_limits_is_complained_of_where_it_has_to_be_mended() -> None:
    draft = after(SIM, "azure/closed adaptive", "workers", "none")
    assert draft.judge().complaints == ()
    draft = draft.edited({**draft.now, "rate_mode": "adaptive"})
    assert "is missing" in cell(draft, "azure/closed adaptive", "workers").complaint
    assert complaint(draft, draft.judge(), "azure/closed adaptive", "workers", "5") is None
    assert after(draft, "azure/closed adaptive", "workers", "5").judge().complaints == ()


def test_totals_say_what_was_saved_where_it_differs() -> None:
    saved = SIM.judge().profile
    profile = after(SIM, "azure/open fixed", "workers", "100").judge().profile
    assert profile is not None
    lines = {line.model: line for line in total_lines(profile, saved)}
    assert lines["DeepSeek-V3-0324"].workers == "100 × 3 = 300"
    assert lines["DeepSeek-V3-0324"].workers_before == "150"
    assert lines["DeepSeek-V3-0324"].row == "azure/open"
    assert [line.model for line in lines.values() if line.changed] == [
        "DeepSeek-V3-0324",
        "DeepSeek-R1-0528",
        "Llama-3.3-70B-Instruct",
    ]
    off = profile.model_copy(
        update={
            "models": {
                **profile.models,
                "o3-0416-global": profile.models["o3-0416-global"].model_copy(update={"off": True}),
            }
        }
    )
    line = next(line for line in total_lines(off, saved) if line.model == "o3-0416-global")
    assert (line.workers, line.workers_before) == ("off", "1")


def test_the_multiplier_shows_in_the_totals_of_several_prompt_types() -> None:
    profile = after(SIM, "azure/closed fixed", MULTIPLIER, "yes").judge().profile
    assert profile is not None
    lines = {line.model: line.workers for line in total_lines(profile, None, prompt_types=3)}
    assert lines["gpt-4o-mini"] == "300 × 1 = 300"
    assert lines["DeepSeek-V3-0324"] == "50 × 3 = 150"


TWO_PLACES = """
[providers.a]
api = "openai"
base_url = "http://127.0.0.1:1/v1"
keys = { key0 = "env:A", key1 = { secret = "cmd:pass show lab", base_url = "http://127.0.0.1:2/v1" } }
keys_off = ["key1"]
deployments_off = ["m-2"]

[providers.b]
api = "sim"
keys = ["x", "y"]

[models.m]
provider = "a"
class = "open"
deployments = ["m", "m-2", { name = "m-3", provider = "b" }]

[models.n]
provider = "a"
class = "closed"
off = true

[limits.a.open]
fixed = { workers = 1 }
[limits.a.closed]
fixed = { workers = 1 }
[limits.b.open]
fixed = { workers = 1 }
"""
TWO = Draft.of(ProfileSource(name="two", origin="two.toml", path=Path("two.toml"), text=TWO_PLACES))


def labels(nodes: tuple[TreeNode, ...], depth: int = 0) -> list[str]:
    return [
        line
        for node in nodes
        for line in (f"{'  ' * depth}{node.label} | {node.note}", *labels(node.children, depth + 1))
    ]


def test_the_tree_shows_where_keys_are_found_and_never_what_they_are() -> None:
    assert labels(switch_nodes(TWO.now, TWO.saved)) == [
        "a | openai http://127.0.0.1:1/v1",
        "  key0 | env:A",
        "  key1 | cmd:pass … at http://127.0.0.1:2/v1",
        "  m | open",
        "    m | ",
        "    m-2 | ",
        "    m-3 | at b",
        "  n | closed",
        "b | sim",
        "  x | simulated",
        "  y | simulated",
    ]


LEAVES = sorted(TreeIndex(switch_nodes(TWO.now, TWO.saved)).leaves)


@given(st.lists(st.sets(st.sampled_from(LEAVES)), max_size=4))
@settings(max_examples=examples(80))
def test_what_is_switched_on_in_the_tree_is_on_in_the_profile(choices) -> None:
    draft = TWO
    for on in choices:
        draft = draft.edited(with_switches(draft.now, on))
        assert switched_on(draft.now) == on
    for on in reversed([switched_on(TWO.now)]):
        draft = draft.edited(with_switches(draft.now, on))
    assert switched_on(draft.now) == switched_on(TWO.now)


@pytest.mark.parametrize("name", builtin_names())
def test_switching_nothing_changes_nothing(name: str) -> None:
    draft = Draft.of(find_profile(name))
    assert with_switches(draft.now, switched_on(draft.now)) == draft.now
    leaf = min(switched_on(draft.now))
    moved = with_switches(draft.now, switched_on(draft.now) - {leaf})
    assert draft.edited(moved).changed
    assert with_switches(moved, switched_on(draft.now)) == draft.now


@given(
    st.sampled_from([row.id for row in rows(SIM, SIM.judge(), "fixed") if row.cells]),
    st.sampled_from([one.id for one in columns()]),
    st.text(max_size=8) | st.integers(-5, 10**7).map(str) | st.floats(allow_nan=True).map(str),
)
@settings(max_examples=examples(150), deadline=None)
def test_whatever_is_accepted_is_valid_and_whatever_is_not_is_said_in_words(row, column, text) -> None:
    judged = SIM.judge()
    if ":" in row and column in (MULTIPLIER, PER):
        return
    found = complaint(SIM, judged, row, column, text)
    made = after(SIM, row, column, text).judge()
    assert (found is None) == (made.profile is not None)
    assert found is None or (safe_line(found) == found and len(found) <= 300)
