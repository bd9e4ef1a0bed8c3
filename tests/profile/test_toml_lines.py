"""The scanner knows the line of every key that tomllib knows."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.profile.toml_lines import dotted, key_lines, line_near, parse_dotted

BARE = re.compile(r"[A-Za-z0-9_-]+")
KEY_TEXT = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(alphabet="ab.# =[]{},'\"\\é\tß0", max_size=5),
)
SCALARS = st.sampled_from(
    [
        "1",
        "-0.5e3",
        "true",
        "inf",
        "1979-05-27 07:32:00Z",
        '"a # no comment, ] } = \\" "',
        "'c:\\dir # ] '",
        '"""\nkey = 1\n[table]\n"quoted" \\""" ""\\\n   end"""',
        "'''\nkey = 1 # no\n[[array]]\n'''",
        '""""two quotes at each end"""""',
        "''''a'''''",
        '""',
        "''",
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(KEY_TEXT, inner, max_size=3),
    ),
    max_leaves=8,
)
TABLES: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(KEY_TEXT, VALUES, max_size=4),
    lambda inner: st.dictionaries(
        KEY_TEXT,
        st.one_of(
            VALUES,
            inner.map(lambda table: ("table", table)),
            st.lists(inner, min_size=1, max_size=3).map(lambda rows: ("rows", rows)),
        ),
        max_size=4,
    ),
    max_leaves=6,
)


class Writer:
    """Writes tables in any of the ways TOML allows, as hypothesis chooses."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.out: list[str] = []

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def key(self, key: str) -> str:
        forms = [json.dumps(key, ensure_ascii=False), json.dumps(key)]
        if BARE.fullmatch(key):
            forms.append(key)
        if "'" not in key:
            forms.append(f"'{key}'")
        return self.pick(*forms)

    def value(self, value: Any) -> str:
        if isinstance(value, dict):
            return (
                "{"
                + self.pick("", " ")
                + ", ".join(self.pair((key,), inner) for key, inner in value.items())
                + " }"
            )
        if isinstance(value, list):
            gap = self.pick("", "\n", " # comment, ] = \n  ")
            end = "," if value and self.pick(True, False) else ""
            return "[" + gap + f",{gap}".join(map(self.value, value)) + gap + end + gap + "]"
        return value

    def pair(self, path: tuple[str, ...], value: Any) -> str:
        return self.pick(".", " . ").join(map(self.key, path)) + self.pick("=", " = ") + self.value(value)

    def blank(self) -> None:
        for line in self.pick([], [""], ["# [no] table = 1", "", "  \t"]):
            self.out.append(line)

    def body(self, table: dict[str, Any], path: tuple[str, ...]) -> None:
        later: list[tuple[str, Any]] = []
        for key, value in table.items():
            if isinstance(value, tuple):
                later.append((key, value))
                continue
            self.blank()
            if isinstance(value, dict) and value and self.pick(True, False):
                for inner, leaf in value.items():
                    self.out.append(self.pair((key, inner), leaf))
            else:
                self.out.append(self.pick("", "  ") + self.pair((key,), value) + self.pick("", " # end"))
        for key, (kind, value) in later:
            self.blank()
            name = ".".join(map(self.key, (*path, key)))
            if kind == "table":
                only_tables = value and all(isinstance(inner, tuple) for inner in value.values())
                if not only_tables or self.pick(True, False):
                    self.out.append(f"[ {name} ]" + self.pick("", " # x"))
                self.body(value, (*path, key))
                continue
            for row in value:
                self.out.append(f"[[{name}]]")
                self.body(row, (*path, key))


def paths(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in [(*at, key), *paths(inner, (*at, key))]]


@settings(max_examples=examples(50), deadline=None)
@given(st.data(), TABLES, st.sampled_from(["\n", "\r\n"]))
def test_every_path_that_tomllib_knows_has_a_line_that_holds_its_key(
    data: Any, table: Any, newline: str
) -> None:
    writer = Writer(data.draw)
    writer.body(table, ())
    text = "\n".join(writer.out).replace("\n", newline)
    known = paths(tomllib.loads(text))
    lines = key_lines(text)
    assert set(known) == set(lines)
    rows = text.replace("\r\n", "\n").split("\n")
    for path in known:
        row = rows[lines[path] - 1]
        key = path[-1]
        if isinstance(key, str):
            forms = (key, f"'{key}'", json.dumps(key), json.dumps(key, ensure_ascii=False))
            assert any(form in row for form in forms), (path, row)


@given(st.lists(KEY_TEXT, min_size=1, max_size=4))
def test_a_path_written_with_dots_reads_back(path: list[str]) -> None:
    assert parse_dotted(dotted(tuple(path))) == path


def test_lines_of_a_profile_like_text() -> None:
    text = """
# a comment
name = "x"
[models."a.b"]
deployments = [
  "one",   # first
  { name = "two", provider = "p" },
]
[[list]]
x.y = 1
[[list]]
x.y = 2
[list.sub]
z = '''
x.y = 3
'''
[limits.p.open]
fixed = { workers = 1 }
[limits]
"""
    lines = key_lines(text)
    assert lines["name",] == 3
    assert lines["models",] == 4
    assert lines["models", "a.b", "deployments", 0] == 6
    assert lines["models", "a.b", "deployments", 1, "provider"] == 7
    assert lines["list", 0, "x", "y"] == 10
    assert lines["list", 1] == 11
    assert lines["list", 1, "x", "y"] == 12
    assert lines["list", 1, "sub", "z"] == 14
    assert lines["limits", "p", "open", "fixed", "workers"] == 18
    assert lines["limits",] == 19
    assert line_near(lines, ("limits", "p", "open", "adaptive", "workers")) == 17
    assert line_near(lines, ("providers",)) is None
