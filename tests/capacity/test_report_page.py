"""The report of a search: one file that fetches and runs nothing, with the answer, all levels and their rules."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import msgspec
import pytest
from searches import HOSTILE, result_of, searched

from console.capacity.report_asked import ReportAsked, report_asked
from console.capacity.report_page import report_html
from console.capacity.report_words import MEANINGS
from console.capacity.search_result import SearchResult
from console.records.run_file import RunFile, write_run_file

_EMPTY = {"meta", "br", "hr", "circle", "rect", "path", "polygon", "line"}
_TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "div", "figure", "svg", "desc", "rect",
    "text", "path", "circle", "polygon", "g", "table", "thead", "tbody", "tr", "th", "td", "span", "details", "summary",
    "dl", "dt", "dd", "pre", "small",
}  # fmt: skip


class Read(HTMLParser):
    """Reads a page strictly: every tag closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def page(result: SearchResult, **asked) -> tuple[Read, str]:
    html = report_html(result, ReportAsked(**asked))
    read = Read(html)
    return read, " ".join(" ".join(read.words).split())


@pytest.mark.parametrize("kind", ["slots", "refuses", "unlimited", "cliff", "quota", "slow"])
def test_a_page_needs_nothing_from_outside_and_runs_nothing(kind):
    read, said = page(searched(kind))
    assert read.tags <= _TAGS
    assert not any(name.startswith("on") for name, _ in read.attributes)
    assert not any(
        name in ("src", "href", "srcset", "action", "data", "xlink:href") for name, _ in read.attributes
    )
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in [
        value for _, value in read.attributes
    ]
    html = report_html(searched(kind), ReportAsked())
    assert "url(" not in html
    assert "@import" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "SIMULATED: every answer came from the built-in simulator" in said


def test_the_answer_comes_first_then_every_level_with_its_rules():
    result = searched("refuses")
    answer = result.answers[-1]
    _, said = page(result)
    assert said.index("FOUND") < said.index(answer.line) < said.index("Levels") < said.index("What was asked")
    for level in result.levels:
        for rule in level.rules:
            assert rule.measured in said
            assert rule.limit in said
    assert "half of the limit 18 concurrent requests" in said
    assert "drift test no drift" in said
    for word, meaning in MEANINGS:
        assert f"{word} {meaning}" in said


def test_answers_that_are_none_say_what_they_are():
    for kind, words in (("quota", "QUOTA, not capacity"), ("unlimited", "NOT LIMITED as far as it looked")):
        read, said = page(searched(kind))
        assert words in read.words
        assert "concurrent requests largest" not in said
        assert not any(one.startswith("bears") for one in read.words)
    result = searched("slots")
    answer = msgspec.structs.replace(
        result.answers[-1], state="undecided", capacity=None, margins=(), missing=("needs 40 answers more",)
    )
    stopped = msgspec.structs.replace(result, answers=(answer,), state="stopped", simulated=False)
    _, said = page(stopped)
    assert "UNDECIDED" in said
    assert "It would take: needs 40 answers more" in said
    assert "The search stopped" in said
    assert "SIMULATED" not in said


def test_hostile_names_and_reasons_stay_texts():
    result = searched("slots")
    level = result.levels[0]
    lane = msgspec.structs.replace(level.lanes[0], lane=HOSTILE)
    rule = msgspec.structs.replace(
        level.rules[0], rule=HOSTILE, limit=HOSTILE, measured=HOSTILE, missing=HOSTILE, state="fail"
    )
    bad = msgspec.structs.replace(
        level, lanes=(lane, msgspec.structs.replace(lane, lane="b")), rules=(rule,), validity="suspect", reasons=(HOSTILE,),
        server={HOSTILE: 1.0}, subject=HOSTILE,
    )  # fmt: skip
    answer = msgspec.structs.replace(
        result.answers[-1], subject=HOSTILE, line=HOSTILE, notes=(HOSTILE,), missing=(HOSTILE,)
    )
    hostile = result_of((*result.levels, bad), *result.answers, answer, model=HOSTILE, run_id=HOSTILE)
    asked = {
        "created": HOSTILE, "profile": HOSTILE, "args": (HOSTILE,), "versions": {HOSTILE: HOSTILE}, "lanes": (HOSTILE,),
        "settings": ((HOSTILE, HOSTILE),),
    }  # fmt: skip
    read, said = page(hostile, **asked)
    assert read.tags <= _TAGS
    assert not any(name.startswith("on") for name, _ in read.attributes)
    html = report_html(hostile, ReportAsked(**asked), together=(HOSTILE,))
    assert "<script" not in html
    assert "<img" not in html
    assert "\x1b" not in html
    assert 'alert("1")' in said, "it is there to be read"


def test_several_subjects_have_a_section_each_and_all_lanes_come_first():
    result = searched("slots")
    alone = [msgspec.structs.replace(level, subject="azure/a@key0") for level in searched("refuses").levels]
    answer = msgspec.structs.replace(searched("refuses").answers[-1], subject="azure/a@key0")
    both = result_of((*alone, *result.levels), answer, *result.answers)
    html = report_html(both, ReportAsked(), together=("lanes bear 74 one by one",))
    said = " ".join(Read(html).words)
    assert (
        said.index("The answer · all lanes together")
        < said.index("lanes bear 74")
        < said.index("The answer · azure/a@key0")
    )
    assert html.count("<svg xmlns") == 2


def test_what_was_asked_is_read_from_the_run_directory(tmp_path):
    write_run_file(
        tmp_path,
        RunFile(
            run_id="r", title="search", profile="sim", created="2026-11-26T08:00:00+00:00", pid=1, args=["capacity", "ramp", "a b"],
            versions={"ultra-console": "0.1.0"},
        ),
    )  # fmt: skip
    lane = {"provider": "azure", "model": "m", "deployment": "d", "key": "key0"}
    plan = {
        "search": {
            "model": "m",
            "ramp": {"elasticity": 0.5, "most": 100},
            "target": None,
            "goodput": [],
            "rules": {"min_success": 0.95},
        },
        "lanes": [{"lane": lane}, {"lane": 5}],
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    asked = report_asked(tmp_path)
    assert (asked.elasticity, asked.lanes) == (0.5, ("azure/d@key0",))
    assert dict(asked.settings) == {"ramp.elasticity": "0.5", "ramp.most": "100", "rules.min_success": "0.95"}
    said = " ".join(Read(report_html(searched("slots"), asked)).words)
    assert "ultra-console capacity ramp 'a b'" in said
    assert "ultra-console 0.1.0" in said
    (tmp_path / "plan.json").write_text("{")
    assert report_asked(tmp_path).settings == ()
