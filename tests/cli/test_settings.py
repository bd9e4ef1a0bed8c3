"""Settings of `set` are read from their right end, whatever is in the names; what is none is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from console.cli.settings import Figure, Finding, Setting, command_of, needs_lanes, read_setting
from console.vocabulary.command import Adapt, Change, Switch, Tune
from console.vocabulary.errors import ConsoleError
from console.vocabulary.lane import Lane, Scope

LANES = [
    Lane("azure", "gpt-4.1", "gpt-4.1", "key0"),
    Lane("azure", "gpt-4.1", "gpt-4.1[eu]", "key0"),
    Lane("lab", "qwen2.5-7b-instruct", "qwen2.5-7b-instruct", "key0"),
    Lane("lab", "qwen2.5-7b-instruct", "qwen2.5-7b-instruct", "key1"),
    Lane("local", "org/m", "org/m", "-"),
]


@pytest.mark.parametrize(
    ("word", "setting"),
    [
        ("key:lab/key2=off", Switch("key", "lab/key2", on=False)),
        ("lane:local/org/m@-=on", Switch("lane", "local/org/m@-", on=True)),
        (
            "lane:lab/qwen2.5-7b-instruct@key0.workers=40",
            Figure("lane", "lab/qwen2.5-7b-instruct@key0", "workers", Change("=", 40)),
        ),
        ("lane:local/org/m@-.workers-=5", Figure("lane", "local/org/m@-", "workers", Change("-", 5))),
        ("model:gpt-4.1.qps+=0.5", Figure("model", "gpt-4.1", "qps", Change("+", 0.5))),
        ("provider:azure.workers=none", Figure("provider", "azure", "workers", Change("=", None))),
        ("deployment:azure/gpt-4.1.qps=reset", Figure("deployment", "azure/gpt-4.1", "qps", Change("reset"))),
        ("lanes.workers=20", Figure("lane", "*", "workers", Change("=", 20))),
        ("lane.qps=none", Figure("lane", "*", "qps", Change("=", None))),
        ("lane:azure/*.adaptive=on", Finding("azure/*", on=True)),
        ("lanes.adaptive=off", Finding("*", on=False)),
    ],
)
def test_what_is_written_is_what_is_meant(word: str, setting: Setting):
    assert read_setting(word) == setting


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("", "is no setting"),
        ("=", "is no setting"),
        ("workers=3", "is no setting"),
        ("lanes=off", "is no setting"),
        ("lane:.workers=3", "is no setting"),
        ("cell:a.workers=3", "is no setting"),
        ("lane:a/b@c.tests=3", "is no setting"),
        ("lane:a/b@c.workers", "is no setting"),
        ("lane:a/b@c.workers=", "'' is not a number, none or reset"),
        ("lane:a/b@c.workers=many", "'many' is not a number, none or reset"),
        ("lane:a/b@c.workers+=none", "'none' is not a number"),
        ("lane:a/b@c.workers=nan", "'nan' is not"),
        ("lane:a/b@c.qps=1e999", "'1e999' is not"),
        ("lane:a/b@c.workers*=3", "is no setting"),
        ("key:a/b.adaptive=on", "lanes have limits that are found"),
        ("provider:azure=off", "is no setting"),
        ("lane:\x1b[2J.workers=3x", "'3x' is not"),
    ],
)
def test_what_is_none_is_refused_in_words(word: str, text: str):
    with pytest.raises(ConsoleError) as refused:
        read_setting(word)
    assert text in refused.value.message
    assert "\x1b" not in "".join(refused.value.lines())
    assert refused.value.hint


names = st.text("ab1./@-_:=+*", min_size=1, max_size=20)
numbers = st.one_of(st.integers(1, 10**6).map(float), st.floats(0.001, 1e6))
changes = st.one_of(
    st.tuples(st.just("="), st.just("none")),
    st.tuples(st.just("="), st.just("reset")),
    st.tuples(st.sampled_from(["=", "+=", "-="]), numbers),
)


@given(
    kind=st.sampled_from(["lane", "key", "deployment", "model", "provider"]),
    name=names | names.map(lambda name: f"{name}.workers") | names.map(lambda name: f"{name}.qps-"),
    what=st.sampled_from(["workers", "qps"]),
    change=changes,
)
def test_a_figure_is_read_back_from_any_name(kind, name, what, change):
    op, value = change
    wanted = {"none": Change("=", None), "reset": Change("reset")}.get(value) or Change(op[0], value)
    assert read_setting(f"{kind}:{name}.{what}{op}{value!r}".replace("'", "")) == Figure(
        kind, name, what, wanted
    )


@given(kind=st.sampled_from(["key", "deployment", "lane"]), name=names, on=st.booleans())
def test_a_switch_and_a_finding_are_read_back_from_any_name(kind, name, on):
    assume(not name.endswith(".adaptive"))
    word = "on" if on else "off"
    assert read_setting(f"{kind}:{name}={word}") == Switch(kind, name, on=on)
    assert read_setting(f"lane:{name}.adaptive={word}") == Finding(name, on=on)


@given(st.text(max_size=40) | st.text("lane:s.workqp+-=1*", max_size=25))
def test_whatever_is_typed_is_a_setting_or_is_refused(word):
    try:
        setting = read_setting(word)
    except ConsoleError:
        return
    assert isinstance(setting, Switch | Figure | Finding)
    assert setting.name


def tuned(word: str) -> list[str]:
    command = command_of(read_setting(word), LANES)
    assert isinstance(command, Tune)
    return [scope.name for scope in command.scopes]


def test_a_pattern_is_all_that_it_names_and_a_name_is_itself_even_if_it_looks_like_one():
    assert tuned("lanes.workers=3") == [lane.id for lane in LANES]
    assert tuned("lane:lab/*.workers=3") == ["lab/qwen2.5-7b-instruct@key0", "lab/qwen2.5-7b-instruct@key1"]
    assert tuned("lane:*@key1.qps=3") == ["lab/qwen2.5-7b-instruct@key1"]
    assert tuned("lane:azure/gpt-4.1[eu]@key0.qps=3") == ["azure/gpt-4.1[eu]@key0"]
    assert tuned("key:lab/key?.workers=3") == ["lab/key0", "lab/key1"]
    assert tuned("lane:not/there@key0.workers=3") == ["not/there@key0"]  # for the engine to refuse
    assert command_of(read_setting("lane:lab/*.adaptive=on"), LANES) == Adapt(
        ("lab/qwen2.5-7b-instruct@key0", "lab/qwen2.5-7b-instruct@key1"), on=True
    )
    assert command_of(read_setting("model:org/m.qps+=2"), []) == Tune(
        scopes=(Scope("model", "org/m"),), qps=Change("+", 2)
    )
    assert not needs_lanes(read_setting("key:lab/*=off"))
    assert needs_lanes(read_setting("lanes.qps=1"))
    with pytest.raises(ConsoleError, match="no lane of this run is like nowhere") as refused:
        tuned("lane:nowhere/*.workers=3")
    assert "azure/gpt-4.1@key0" in (refused.value.hint or "")
