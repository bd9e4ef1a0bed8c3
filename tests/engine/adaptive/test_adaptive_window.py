"""The guarded window: latency, caps, overload."""

import pytest

from console.engine.adaptive.hypothesis import Hypothesis
from console.engine.adaptive.latency import Cohorts, latency_s
from console.engine.adaptive.window import Window
from console.vocabulary.chat import ChatResult, Stamps
from console.vocabulary.outcome import Outcome

S = 1_000_000_000


class Play:
    """A window before a server: full windows, each answered after `latency_s`."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.now_ns = 0
        self.why: list[str] = []

    def cohort(self, latency_s: float, *, used: bool = True, frozen: bool = False) -> None:
        """Send one after another until a cohort is whole."""
        window = self.window
        for _ in range(1000):
            self.now_ns += S
            sent_ns = self.now_ns
            window.occupied(window.value if used else 1)
            window.cohorts.sent(sent_ns)
            end_ns = sent_ns + int(latency_s * S)
            if window.cohorts.ended(end_ns, sent_ns, latency_s):
                self.why.append(window.cohort(end_ns, 1.0, frozen=frozen))
                return
        raise AssertionError("no cohort became whole")


def test_doubles_in_slow_start_while_latency_stays() -> None:
    play = Play(Window(20, None))
    play.cohort(2.0)
    play.cohort(2.0)
    assert play.window.value == 80


def test_does_not_grow_unused_or_frozen() -> None:
    play = Play(Window(20, None))
    play.cohort(2.0, used=False)
    play.cohort(2.0, frozen=True)
    assert play.window.value == 20


def test_never_passes_its_ceiling() -> None:
    play = Play(Window(20, 50))
    for _ in range(4):
        play.cohort(2.0)
    assert play.window.value == 50
    play.window.limit_to(7)
    assert play.window.value == 7


def test_one_slow_cohort_in_slow_start_is_confirmed_before_it_shrinks() -> None:
    play = Play(Window(20, None))
    play.cohort(2.0)
    assert play.window.value == 40
    play.cohort(5.0)
    assert play.window.value == 40
    play.cohort(5.0)
    assert play.window.value < 40


def test_a_server_slow_by_itself_gets_its_window_back() -> None:
    play = Play(Window(20, None))
    play.cohort(2.0)
    for _ in range(6):
        play.cohort(6.0)
    assert play.window.value >= 40
    assert any("slower by itself" in why for why in play.why)


def test_a_cap_is_held_probed_and_found_again() -> None:
    window = Window(40, None)
    assert "16 in flight" in window.refused(100 * S, 99 * S, 16, 3.0)
    assert window.value == 28
    window.refused(101 * S, 100 * S, 16, 3.0)
    assert window.value == 19
    window.refused(102 * S, 101 * S, 16, 3.0)
    assert window.value == 16
    assert window.tick(103 * S, 3.0) == ""
    assert "admitted" in window.tick(180 * S, 3.0)
    assert window.value == 17
    window.refused(181 * S, 180 * S, 16, 3.0)
    assert window.value == 16


def test_a_raised_cap_is_followed_ever_faster() -> None:
    window = Window(16, None, slow_start=False)
    window.refused(S, S, 16, 3.0)
    values: list[int] = []
    for second in range(2, 200):
        window.tick(second * S, 3.0)
        window.occupied(window.value)
        values.append(window.value)
    assert values[-1] > 100
    assert values == sorted(values)


def test_refusals_sent_before_the_cut_are_old_news() -> None:
    window = Window(40, None)
    window.refused(100 * S, 99 * S, 30, 3.0)
    assert window.refused(101 * S, 99 * S, 5, 3.0) == ""
    assert window.value == 30


def test_overload_shrinks_what_is_in_use_once_a_while() -> None:
    window = Window(100, None)
    window.occupied(50)
    assert window.shrink(S, 0.7, 10.0)
    assert window.value == 35
    assert not window.shrink(2 * S, 0.7, 10.0)
    assert window.shrink(12 * S, 0.7, 10.0)


def test_a_median_does_not_favour_the_quick() -> None:
    """When six of ten are back, the slow four count as slower than all of them."""
    cohorts = Cohorts()
    cohorts.aim(10)
    for number in range(10):
        cohorts.sent(number * S)
    whole = [cohorts.ended(20 * S, number * S, 1.0 + number) for number in range(6)]
    assert whole == [False] * 5 + [True]
    assert cohorts.latest_s == 6.0


def test_cancelled_members_leave_their_cohort() -> None:
    cohorts = Cohorts()
    cohorts.aim(4)
    for number in range(4):
        cohorts.sent(number * S)
    assert not cohorts.ended(9 * S, 0 * S, None)
    assert not cohorts.ended(9 * S, 1 * S, None)
    assert not cohorts.ended(9 * S, 2 * S, 1.0)
    assert cohorts.ended(9 * S, 3 * S, 3.0)
    assert cohorts.latest_s == 3.0


@pytest.mark.parametrize(
    ("first_s", "last_s", "tokens", "expected"),
    [
        (0.5, 4.0, 500, 0.5),
        (4.0, 4.0, None, 4.0),
        (4.0, 4.0, 64, 4.0),
        (8.0, 8.0, 192, 4.0),
    ],
)
def test_latency_leaves_the_length_of_the_answer_out(
    first_s: float, last_s: float, tokens: int | None, expected: float
) -> None:
    stamps = Stamps(sent_ns=S, first_content_ns=S + int(first_s * S), last_content_ns=S + int(last_s * S))
    result = ChatResult(outcome=Outcome.OK, stamps=stamps, completion_tokens=tokens)
    assert latency_s(result) == pytest.approx(expected)


def test_refusals_at_one_height_only_are_taken_for_a_cap() -> None:
    hypothesis = Hypothesis()
    for second in range(3):
        hypothesis.admitted(second * S, 16)
        hypothesis.refused(16, waits_for_window=False)
    assert hypothesis.capped
    for _ in range(3):
        hypothesis.refused(9, waits_for_window=False)
    assert not hypothesis.capped


@pytest.mark.parametrize("waits", [False, True])
def test_refusals_at_all_heights_or_with_a_long_hint_are_not(waits: bool) -> None:
    hypothesis = Hypothesis()
    for number in range(60):
        hypothesis.admitted(number * S, 40)
        hypothesis.refused(40 if waits else 20 + number % 21, waits_for_window=waits)
        assert not hypothesis.capped
