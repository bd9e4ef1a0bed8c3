"""The capacity screen's pure parts: fields and their steps, the command line, the forecast, lines, rows and the curve."""

from __future__ import annotations

import shlex
from dataclasses import replace

import msgspec
import pytest
from fakes.capacity import LEVELS, level, rule, search

from console.cli.capacity_search import qps_target, ramp
from console.screens.capacity.command_line import arguments, command_line
from console.screens.capacity.copied import copied_text
from console.screens.capacity.curve_values import curve_data
from console.screens.capacity.fields import (
    HINTS,
    LABELS,
    entered,
    entry_of,
    fault_at,
    faults_of,
    fields_of,
    stepped,
)
from console.screens.capacity.forecast import forecast
from console.screens.capacity.level_detail import level_lines
from console.screens.capacity.level_rows import level_rows
from console.screens.capacity.needs import Prospect, SearchAsked
from console.screens.capacity.reasons import why_not
from console.screens.capacity.search_lines import (
    bracket_line,
    level_line,
    rule_lines,
    rules_of,
    spent_line,
    stage_line,
)
from console.vocabulary.errors import ConsoleError
from console.vocabulary.level import Estimate
from widgets.line_paint import text_of, width_of

ASKED = SearchAsked(model="gpt-4o-mini")
PROSPECT = Prospect(("a", "b"), (), True, 100, None)


def test_only_what_differs_is_said_and_the_command_takes_it_as_it_was_meant() -> None:
    assert command_line(ASKED) == "ultra-console capacity ramp --profile sim --model gpt-4o-mini"
    asked = replace(
        ASKED, changes=("a.b=1 2",), most=50, input_len=64, max_ttft_ms=0.0, slos=("tpot_p95<50ms",), level_s=10.0,
        budget_requests=500, each=True, lift_workers=True, server_metrics=("http://x/metrics", "http://y/metrics"),
    )  # fmt: skip
    params = ramp.make_context("ramp", arguments(asked)[2:]).params
    told = {
        name: params[name]
        for name in (
            "overrides",
            "most",
            "input_len",
            "max_ttft_ms",
            "slos",
            "level_seconds",
            "budget_requests",
        )
    }
    assert tuple(told.values()) == (("a.b=1 2",), 50, 64, 0.0, ("tpot_p95<50ms",), 10.0, 500)
    assert (params["each"], params["lift_workers"]) == (True, True)
    assert params["server_metrics"] == ("http://x/metrics", "http://y/metrics")
    target = replace(asked, kind="target", qps=12.5, level_s=30.0)
    params = qps_target.make_context("target", arguments(target)[2:]).params
    assert (params["qps"], params["window_s"], params["level_seconds"]) == (12.5, 30.0, 60.0)
    assert shlex.split(command_line(asked))[1:] == arguments(asked)


@pytest.mark.parametrize("level_s", [3, 5, 8, 10, 14.9, 15, 60])
def test_a_short_level_still_holds_its_windows(level_s: float) -> None:
    params = ramp.make_context("ramp", arguments(replace(ASKED, level_s=level_s))[2:]).params
    assert params["window_seconds"] <= params["level_seconds"] / 3 <= params["level_seconds"]


def test_every_field_has_words_that_have_room_on_a_narrow_screen() -> None:
    assert LABELS.keys() == HINTS.keys()
    assert max(map(len, HINTS.values())) <= 31


def test_what_is_looked_for_decides_which_fields_there_are() -> None:
    names = [
        {field.name for field in fields_of(replace(ASKED, kind=kind), {})} for kind in ("ramp", "target")
    ]
    assert names[0] - names[1] == {"max_ttft_ms"}
    assert names[1] - names[0] == {"qps"}


def test_numbers_step_through_round_figures_and_stop_at_their_ends() -> None:
    assert stepped(replace(ASKED, most=70), "most", 1, ()).most == 100
    assert stepped(replace(ASKED, most=70), "most", -1, ()).most == 50
    assert stepped(replace(ASKED, most=1), "most", -1, ()).most == 1
    assert stepped(ASKED, "budget_s", -1, ()).budget_s is None
    assert stepped(stepped(ASKED, "budget_s", 1, ()), "budget_s", -1, ()).budget_s is None
    assert stepped(ASKED, "model", 1, ("gpt-4o-mini", "o3")).model == "o3"
    assert stepped(ASKED, "model", -1, ("gpt-4o-mini", "o3")).model == "o3"
    assert stepped(ASKED, "each", 1, ()).each is True


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("most", "0", "whole number"),
        ("most", "ten", "whole number"),
        ("qps", "nan", "requests per second"),
        ("level_s", "1", "3 or more"),
        ("slos", "ttft_p95<800", "ms or s"),
        ("slos", "ttfb<1s", "no such figure"),
        ("server_metrics", "localhost", "http://"),
    ],
)
def test_what_is_wrong_with_a_typed_field_is_said_in_words(name, text, wrong) -> None:
    found = entered(ASKED, name, text)
    assert isinstance(found, str)
    assert wrong in found


def test_a_typed_field_is_taken_and_shown_for_the_next_time() -> None:
    taken = entered(ASKED, "slos", " ttft_p99<2s, tpot_p95<50ms ")
    assert taken == replace(ASKED, slos=("ttft_p99<2s", "tpot_p95<50ms"))
    assert entry_of(taken, "slos").text == "ttft_p99<2s tpot_p95<50ms"
    assert entered(ASKED, "budget_tokens", "1,000,000") == replace(ASKED, budget_tokens=1_000_000)
    assert entered(replace(ASKED, budget_tokens=5), "budget_tokens", "") == ASKED
    assert entry_of(ASKED, "each") is None


def test_a_fault_stands_at_its_field() -> None:
    assert "qps" in faults_of(replace(ASKED, kind="target"), ("m",))
    assert faults_of(ASKED, ("m",)) == {}
    assert fault_at(ConsoleError("is no limit", where="--slo x"))[0] == "slos"
    assert fault_at(ConsoleError("no", where="--level-seconds 1"))[0] == "level_s"
    assert fault_at(ConsoleError("the profile has an error"))[0] is None


def test_a_forecast_is_bounded_by_profile_rate_and_budgets() -> None:
    made = forecast(ASKED, PROSPECT)
    assert made.levels == 7 + 8
    assert made.about_s < made.most_s
    assert made.most_requests == round((188 + 800) * 60 / 3.06)
    assert forecast(replace(ASKED, each=True), PROSPECT).most_requests == pytest.approx(
        3 * made.most_requests, abs=3
    )
    slow = forecast(ASKED, replace(PROSPECT, qps_bound=1.0))
    assert slow.most_requests == round(made.most_s)
    cut = forecast(replace(ASKED, budget_requests=100, budget_s=1e9), PROSPECT)
    assert (cut.cut_by, cut.most_requests, cut.most_tokens) == ("requests", 100, 100 * 1152)
    target = forecast(replace(ASKED, kind="target", qps=2.0), PROSPECT)
    assert target.most_requests == round(target.most_s * 2)


def texts(lines) -> list[str]:
    return [text_of(line) for line in lines]


def test_both_ends_say_what_they_are_by_word_and_glyph() -> None:
    whole = text_of(bracket_line(search(7), 37, ascii_only=True))
    assert whole == " O 50 passes -------- x 71 fails   42 % apart   throughput grows up to 37"
    assert "nothing fails yet" in text_of(bracket_line(search(2), ascii_only=False))
    assert "nothing is known" in text_of(bracket_line(search(0), ascii_only=False))
    target = msgspec.structs.replace(search(7), kind="target", passes=10, fails=20)
    assert text_of(bracket_line(target, ascii_only=True)).startswith(" x 10 misses -------- O 20 reaches")


def test_an_end_that_is_no_measurement_is_not_said_to_fail() -> None:
    broken = (level(1, 5), level(2, 10, validity="invalid", reasons=("client-bound",)))
    view = msgspec.structs.replace(search(1), levels=broken, passes=5, fails=10)
    assert "? 10 is open" in text_of(bracket_line(view, ascii_only=False))


def test_stage_level_and_spent_lines() -> None:
    view = search(7)
    assert (
        text_of(stage_line(view)) == " looks where throughput stops growing, about 36   about 5 levels left"
    )
    many = msgspec.structs.replace(view, subjects=("a", "b", ""), subject="b")
    assert text_of(stage_line(many)).startswith(" b (2 of 3): looks")
    assert (
        text_of(level_line(view.now, 80))
        == " level 8: 32 in flight  sampling 3 s of at most 8 s  128 answers"
    )
    assert (
        text_of(level_line(search(7, "waiting").now, 80))
        == " level 8: 32 in flight  waits for quotas to refill 3 s"
    )
    assert "spent 55.5 s   2,848 of 10,000 requests" in text_of(spent_line(view))


def test_rules_come_by_urgency_in_exactly_the_room_there_is() -> None:
    rules = (
        rule("calm", "pass", "≤ 1", "0.1", 0.9),
        rule("near", "pass", "≤ 1", "0.9", 0.1),
        rule("share", "pass", "≥ 95 %", "100 %", 0.0526),
        rule("open", "undecided", "≤ 1", "?", 0.5, "needs 9"),
        rule("broken", "fail", "≤ 1", "1.2", -0.2),
        rule("other", "pass", "x", "y", None),
    )
    lines = texts(rule_lines(4, rules, 100, 4, ascii_only=True))
    assert [line.split()[1] for line in lines] == ["broken", "open", "near", "calm"]
    assert "20 % BEYOND" in lines[0]
    assert "#" not in lines[0]
    assert lines[0].endswith("level 4, 2 more")
    assert texts(rule_lines(4, rules, 100, 8, ascii_only=True))[-2:] == ["", ""]
    assert rules_of(search(7, "warm-up"))[0] == 7, "before the level has rules, those of the last one"
    assert rules_of(search(7))[0] == 8


def test_levels_of_one_concurrency_stand_together() -> None:
    rows = level_rows(LEVELS, ascii_only=True)
    assert [row.cells[0] for row in rows] == [
        "2",
        "2",
        "10",
        "20",
        "32",
        "35",
        "37",
        "37",
        "39",
        "50",
        "71",
        "100",
    ]
    assert [row.cells[1] for row in rows][-2:] == ["x FAIL", "x FAIL"]
    assert rows[0].cells[1] == "o so far"
    assert rows[1].cells[-1] == "drift"
    assert rows[-1].cells[-1].startswith("ttft_mean 1,686 ms not ≤ 1000 ms")
    assert copied_text(LEVELS, ["an answer"]).splitlines()[-1] == "an answer"


def test_the_curve_is_of_tokens_where_they_are_known() -> None:
    made = curve_data(search(7), LEVELS[:7], None)
    assert [series.name for series in made.series] == ["tok/s", "tok/s each"]
    assert (made.span, made.now) == ((50, 71), 32)
    assert {point.mark for point in made.series[0].points} == {"almost", "pass", "fail"}
    unknown = [msgspec.structs.replace(one, tokens_per_s=None) for one in LEVELS[:3]]
    assert curve_data(search(3), unknown, None).series[0].name == "req/s"


def test_all_about_a_level_says_everything_and_breaks_at_the_width() -> None:
    whole = level(
        9, 71, "refine", goodput=Estimate(0.9, 0.8, 0.95, 90), server={"kv_cache_max": 0.91}, validity="suspect",
        reasons=("the client was slow",), rate=2.5, subject="azure/x@key0",
    )  # fmt: skip
    lines = level_lines(whole, 60, ascii_only=True)
    text = "\n".join(texts(lines))
    for wanted in (
        "71 in flight at 2.5/s",
        "x FAIL  SUSPECT",
        "the client was slow",
        "goodput",
        "kv_cache_max",
        "0.91",
        "azure/x@key0",
    ):
        assert wanted in text
    labelled = [line for line in lines if not text_of(line).startswith((" x", " O", " ?"))]
    assert max(map(width_of, labelled)) <= 60


def test_why_a_key_does_nothing() -> None:
    assert why_not("stop_run", "over", state="", standing="ended", going_on=False) == "the search is over"
    assert "stopping" in why_not("pause_run", "live", state="stopping", standing="live", going_on=False)
    assert "answer" in why_not("go_on", "over", state="", standing="ended", going_on=False)
    assert why_not("new", "form", state="", standing="none", going_on=False)
