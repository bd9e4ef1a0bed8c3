"""Retries are a tenth of what is sent, and an empty budget makes them wait."""

from hypothesis import given
from hypothesis import strategies as st

from console.engine.adaptive.retry_budget import FLOOR_PER_S, SHARE, RetryBudget

S = 1_000_000_000


def test_a_tenth_of_the_first_tries_may_be_retried() -> None:
    budget = RetryBudget(0)
    while budget.take(0):
        pass
    for _ in range(100):
        budget.sent()
    assert sum(budget.take(0) for _ in range(100)) == 10


def test_an_empty_budget_says_for_how_long_to_wait_and_then_gives() -> None:
    budget = RetryBudget(0)
    while budget.take(0):
        pass
    wait_s = budget.wait_s(0)
    assert 0 < wait_s <= 1 / FLOOR_PER_S
    assert budget.take(int(wait_s * S) + 1)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3 * S)), max_size=300))
def test_never_gives_more_than_its_share_its_floor_and_what_it_began_with(
    steps: list[tuple[bool, int]],
) -> None:
    budget = RetryBudget(0)
    now_ns = sent = taken = 0
    for send, later_ns in steps:
        now_ns += later_ns
        if send:
            budget.sent()
            sent += 1
        taken += budget.take(now_ns)
    assert taken <= 10 + SHARE * sent + FLOOR_PER_S * now_ns / S + 1e-6
