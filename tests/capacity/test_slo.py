"""What `--slo` and `--goodput` take, and what they say of what they do not."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.capacity.slo import Slo, parse_goodput, parse_slo
from console.vocabulary.errors import ConsoleError


@pytest.mark.parametrize(
    ("text", "slo"),
    [
        ("ttft_p95<800ms", Slo("ttft", "p95", "<", 800.0)),
        ("tpot_p99<50ms", Slo("tpot", "p99", "<", 50.0)),
        ("e2el_p90<=10s", Slo("e2e", "p90", "<=", 10_000.0)),
        ("e2e_median ≤ 1.5s", Slo("e2e", "p50", "<=", 1500.0)),
        ("ttft_mean<1s", Slo("ttft", "mean", "<", 1000.0)),
        ("TTFT_AVG < 1S", Slo("ttft", "mean", "<", 1000.0)),
        ("queue_p95<100ms", Slo("queue", "p95", "<", 100.0)),
        ("response_p99<2s", Slo("response", "p99", "<", 2000.0)),
        ("success>=99%", Slo("success", "", ">=", 0.99)),
        ("success>0.975", Slo("success", "", ">", 0.975)),
        ("goodput>=95%", Slo("goodput", "", ">=", 0.95)),
    ],
)
def test_limits_are_read_in_ms_and_shares(text, slo):
    assert parse_slo(text) == slo


def test_limits_are_written_as_people_read_them():
    assert (parse_slo("e2el_p90<=10s").name, parse_slo("e2el_p90<=10s").limit_text) == (
        "e2e_p90",
        "≤ 10000 ms",
    )
    assert (parse_slo("success>=99.5%").name, parse_slo("success>=99.5%").limit_text) == (
        "success",
        "≥ 99.5 %",
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("ttft_p95", "not a limit", "such as ttft_p95<800ms"),
        ("ttft_p95=800ms", "not a limit", "such as"),
        ("ttft_p95<800", "needs ms or s", "ttft_p95<800ms"),
        ("ttft_p95<80%", "needs ms or s", "ttft_p95<80ms"),
        ("ttft_p95>800ms", "better when it is less", "< or <="),
        ("ttft_p75<800ms", "no such figure: ttft_p75", "mean, p50, p90, p95 and p99"),
        ("ttft<800ms", "no such figure: ttft", "mean, p50, p90, p95 and p99"),
        ("tftt_p95<800ms", "no such figure", "did you mean ttft_p95?"),
        ("sucess>=99%", "no such figure", "did you mean success?"),
        ("success<99%", "better when it is more", "> or >="),
        ("success>=99ms", "is a share", "success>=99%"),
        ("success>=99", "between 0 and 1", "success>=99%"),
        ("success>=100%", "never certain", "success>=99%"),
        ("ttft_p95<0ms", "never met", None),
    ],
)
def test_what_is_no_limit_is_told_where_and_how_to_mend_it(text, message, hint):
    with pytest.raises(ConsoleError) as caught:
        parse_slo(text)
    assert message in caught.value.message
    assert caught.value.where == f"--slo {text}"
    assert hint is None or hint in (caught.value.hint or "")


@given(st.text(alphabet="acdeflmopqstu_0159.<>=≤≥% ", max_size=20))
def test_any_text_is_a_limit_or_an_error_in_words(text):
    with contextlib.suppress(ConsoleError):
        assert parse_slo(text).limit > 0


def test_goodput_is_read_as_vllm_writes_it():
    assert parse_goodput("ttft:500") == ("ttft", 500.0)
    assert parse_goodput("e2el:2500.5") == ("e2e", 2500.5)


@pytest.mark.parametrize(
    "text", ["ttft", "itl:50", "ttft:", "ttft:0", "ttft:-5", "ttft:nan", "ttft:inf", "ttft:5s"]
)
def test_what_is_no_goodput_is_told_with_what_would_be(text):
    with pytest.raises(ConsoleError) as caught:
        parse_goodput(text)
    assert caught.value.where == f"--goodput {text}"
    assert caught.value.hint
