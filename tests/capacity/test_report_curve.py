"""The picture of a search: every level is in it, with its verdict in its shape, and so is the rule that stopped it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import msgspec
import pytest
from searches import HOSTILE, searched

from console.capacity.report_curve import SHAPES, CurveAsked, curve_svg, first_fail
from console.capacity.report_words import answer_level, headline, limit_ms, verdict_key

SVG = "{http://www.w3.org/2000/svg}"


def drawn(result):
    asked = CurveAsked(model=result.model, run_id=result.run_id, simulated=result.simulated)
    return curve_svg(result.answers[-1], result.levels, asked)


def words(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("kind", ["slots", "refuses", "unlimited", "cliff", "quota", "drift", "slow"])
def test_every_search_has_a_picture_that_says_its_answer(kind):
    result = searched(kind)
    svg = drawn(result)
    said = words(svg)
    assert headline(result.answers[-1]) in said[0]
    assert result.answers[-1].line == ElementTree.fromstring(svg).find(f"{SVG}desc").text
    assert "SIMULATED" in said, "across the curves"
    assert {"requests in flight (log)", "tokens/s", "tokens/s for each in flight", "95 % interval"} <= set(
        said
    )
    assert not re.search(r"[\s\"MLHV,](nan|-?inf)[\s\",LZ]", svg), "every place is a number"
    assert len(svg) < 100_000


def test_verdicts_are_told_by_shape_and_the_legend_names_those_that_are_there():
    result = searched("refuses")
    svg = drawn(result)
    there = {verdict_key(level) for level in result.levels}
    assert {"pass", "fail"} <= there
    fails = sum(verdict_key(level) == "fail" for level in result.levels)
    root = ElementTree.fromstring(svg)
    crosses = [
        path for path in root.iter(f"{SVG}path")
        if path.attrib["class"] == "l-fail" and path.attrib.get("stroke-width") == "3"
    ]  # fmt: skip
    # Two panels of throughput, two of latency, and one in the legend.
    assert 2 * fails + 1 <= len(crosses) <= 4 * fails + 1
    assert "FAIL" in words(svg)
    assert "QUOTA" not in words(svg)
    assert len({shape for shape, _ in SHAPES.values()}) == len(SHAPES)


def test_the_stop_rule_is_drawn_where_it_passes_and_fails():
    knee = searched("slots")
    answer = knee.answers[-1]
    said = words(drawn(knee))
    assert f"the answer: {answer.capacity}" in said
    assert f"throughput stops growing: knee at {answer.knee:.3g}" in said
    assert any(text.startswith(f"passes to {answer.within_slo}, fails at ") for text in said)
    assert any("production, half of the limit" in text for text in said)
    assert "limit 1000 ms: mean TTFT and TTFT p95" in said
    refuses = searched("refuses")
    low, high = refuses.answers[-1].low, refuses.answers[-1].high
    assert f"passes to {low}, fails at {high}: success" in words(drawn(refuses))
    assert first_fail(refuses.answers[-1], refuses.levels) == high
    unlimited = words(drawn(searched("unlimited")))
    assert "passes to 1000" in unlimited
    assert not any(text.startswith("the answer") for text in unlimited)


def test_a_search_of_an_invalid_answer_has_that_written_across():
    result = searched("slots")
    answer = msgspec.structs.replace(result.answers[-1], state="client_bound", capacity=None)
    invalid = msgspec.structs.replace(result, answers=(answer,), simulated=False)
    said = words(drawn(invalid))
    assert "INVALID" in said
    assert "SIMULATED" not in said
    assert headline(answer) == "INVALID: client-bound"


def test_hostile_names_stay_texts():
    result = searched("quota")
    answer = msgspec.structs.replace(result.answers[-1], line=HOSTILE)
    hostile = msgspec.structs.replace(result, model=HOSTILE, run_id=HOSTILE, answers=(answer,))
    svg = drawn(hostile)
    names = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "text", "path", "circle", "polygon", "g"}
    assert "<script" not in svg
    assert "\x1b" not in svg


def test_levels_of_other_subjects_and_levels_without_figures_do_no_harm():
    result = searched("slots")
    bare = [
        msgspec.structs.replace(
            level, metrics={}, tokens_per_s=None, work_unit="requests", work_per_s=level.requests_per_s
        )
        for level in result.levels
    ]
    other = msgspec.structs.replace(bare[0], subject="a lane", concurrency=9999)
    svg = drawn(msgspec.structs.replace(result, levels=(*bare, other)))
    assert "9,999" not in words(svg)
    assert "requests/s" in words(svg)
    empty = msgspec.structs.replace(
        result.answers[-1], state="invalid", capacity=None, knee=None, margins=(), low=None, high=None
    )
    assert "requests in flight (log)" in words(
        drawn(msgspec.structs.replace(result, levels=(), answers=(empty,)))
    )


def test_the_level_at_the_answer_is_the_nearest_measured_one():
    result = searched("slots")
    level = answer_level(result.answers[-1], result.levels)
    assert abs(level.concurrency - result.answers[-1].capacity) <= 1
    most = max(one.ended for one in result.levels if one.concurrency == level.concurrency)
    assert level.ended == most
    assert answer_level(searched("unlimited").answers[-1], searched("unlimited").levels).concurrency == 1000
    assert answer_level(result.answers[-1], ()) is None


@pytest.mark.parametrize(
    ("text", "ms"),
    [("≤ 1000 ms", 1000), ("≤ 1,000 ms", 1000), ("< 0.5 s", 500), ("≥ 95 %", None), ("< 800 ms", 800)],
)
def test_limits_are_read_from_their_words(text, ms):
    assert limit_ms(text) == ms
