"""The CUBIC rate: cuts, episodes, windows of the server."""

from itertools import pairwise

import pytest

from console.engine.adaptive.admissions import Admissions
from console.engine.adaptive.rate import BETA, NS_PER_S, CubicRate

S = NS_PER_S


def fed(rate_per_s: float, since_s: float, until_s: float, tokens: float = 100.0) -> Admissions:
    """Admit requests at an even rate."""
    admissions = Admissions()
    count = int((until_s - since_s) * rate_per_s)
    for number in range(count):
        admissions.sent(int((since_s + number / rate_per_s) * S), tokens)
    return admissions


def test_slow_start_doubles_every_two_seconds_up_to_the_ceiling() -> None:
    rate = CubicRate(2.0, 9.0)
    rate.grow(2.0)
    assert rate.value == pytest.approx(4.0)
    rate.grow(4.0)
    assert rate.value == 9.0


def test_the_first_refusal_ends_slow_start_at_what_was_admitted() -> None:
    rate = CubicRate(16.0, None)
    admissions = fed(10.0, 0.0, 10.0)

    why = rate.refused(10 * S, int(9.95 * S), 1.0, admissions.requests, 16.0)

    assert "admitted 10/s" in why
    assert rate.estimate == pytest.approx(10.0)
    assert rate.value == pytest.approx(BETA * 10.0)
    assert not rate.slow_start


def test_refusals_of_requests_sent_before_the_cut_are_old_news() -> None:
    rate = CubicRate(16.0, None)
    admissions = fed(10.0, 0.0, 10.0)
    rate.refused(10 * S, int(9.95 * S), 1.0, admissions.requests, 16.0)
    before = rate.value

    for late_s in (9.96, 9.97, 9.99):
        assert rate.refused(11 * S, int(late_s * S), 1.0, admissions.requests, 16.0) == ""

    assert rate.value == before


def test_a_refusal_in_the_same_exhausted_window_pauses_and_does_not_cut_again() -> None:
    rate = CubicRate(16.0, None)
    admissions = fed(10.0, 0.0, 10.0)
    rate.refused(10 * S, int(9.95 * S), 1.0, admissions.requests, 16.0)
    before = rate.value

    assert rate.refused(int(10.3 * S), int(10.2 * S), 1.0, admissions.requests, 16.0) == ""

    assert rate.value == before
    assert rate.paused_until_ns == int(11.3 * S)


def test_a_long_hint_is_anchored_to_the_servers_window() -> None:
    """100 requests went in the first two seconds of a window of ten, so the limit is 10 and not 50 per second."""
    rate = CubicRate(64.0, None)
    admissions = fed(50.0, 100.0, 102.0)

    rate.refused(102 * S, 102 * S - 1, 8.0, admissions.requests, 64.0)

    assert rate.estimate == pytest.approx(10.0)
    assert rate.paused_until_ns == 110 * S


def test_tokens_are_anchored_to_the_minute() -> None:
    rate = CubicRate(50_000.0, None)
    admissions = fed(40.0, 100.0, 110.0, tokens=1500.0)

    rate.refused(110 * S, 110 * S - 1, 50.0, admissions.tokens, 40.0)

    assert rate.estimate == pytest.approx(10_000.0)


def test_without_hints_a_window_shows_by_how_long_it_stays_closed() -> None:
    rate = CubicRate(32.0, None)
    admissions = fed(25.0, 100.0, 104.0)
    counted = admissions.requests
    assert rate.refused(104 * S, 104 * S - 1, None, counted, 32.0)
    for refused_s in (104.5, 105.0, 106.0, 108.0):
        assert rate.refused(int((refused_s + 0.06) * S), int(refused_s * S), None, counted, 32.0) == ""
    assert rate.paused_until_ns > 110 * S
    admissions.sent(int(110.1 * S), 100.0)

    why = rate.settle(int(111 * S), admissions, counted, 0.06)

    assert "window of 10 s" in why
    assert rate.estimate == pytest.approx(10.0, rel=0.02)


def test_a_refusal_of_the_very_first_requests_is_no_estimate() -> None:
    """Somebody else had used the limit up; the search goes on."""
    rate = CubicRate(2.0, None)
    admissions = fed(2.0, 0.0, 0.5)

    rate.refused(S // 2, S // 2 - 1, None, admissions.requests, 2.0)

    assert rate.slow_start
    assert rate.paused_until_ns > S // 2
    assert rate.value == 1.0


def test_grows_to_its_estimate_slowly_and_beyond_it_ever_faster() -> None:
    rate = CubicRate(9.5, None, estimate=10.0)
    values = [rate.value]
    while values[-1] < 20.0:
        rate.grow(1.0)
        values.append(rate.value)

    steps = [after - before for before, after in pairwise(values)]
    at_estimate = int(rate.k_s)
    assert values[at_estimate] == pytest.approx(10.0, rel=0.001)
    assert min(steps) >= 0.0
    assert steps[at_estimate] < steps[0]
    assert steps[-1] > 5 * steps[at_estimate + 3]


def test_nothing_grows_while_an_exhausted_window_refuses() -> None:
    rate = CubicRate(32.0, None)
    admissions = fed(25.0, 100.0, 104.0)
    rate.refused(104 * S, 104 * S - 1, None, admissions.requests, 32.0)
    before = rate.value

    rate.grow(5.0)

    assert rate.value == before


def test_a_lowered_ceiling_holds_at_once() -> None:
    rate = CubicRate(50.0, None, estimate=50.0)
    rate.limit_to(3.0)
    assert rate.value == 3.0


def test_admissions_forget_refused_requests() -> None:
    admissions = fed(20.0, 0.0, 100.0)
    assert admissions.requests(90 * S, 100 * S) == 200
    admissions.refused(95 * S)
    assert admissions.requests(90 * S, 100 * S) == 199
    assert admissions.tokens(90 * S, 100 * S) == pytest.approx(19_900.0)
    admissions.refused(95 * S + 1)
    assert admissions.requests(90 * S, 100 * S) == 199


def test_admissions_keep_little_more_than_the_longest_window() -> None:
    admissions = fed(20.0, 0.0, 1000.0)
    assert admissions.requests(940 * S, 1000 * S) == 1200
    assert admissions.requests(0, 1000 * S) < 4000
