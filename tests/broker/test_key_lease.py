"""A key serves one holder at a time: first come, first served, and nobody keeps it who is gone."""

from __future__ import annotations

import os
import signal
import time

import msgspec
import pytest
from broker_player import NAME, playing
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.broker.key_lease import KeyLease
from console.broker.lease_table import (
    LeaseTable,
    Ticket,
    ahead,
    may_have,
    with_ticket,
    without_ticket,
    without_void,
)
from console.broker.place import Place
from console.broker.share import Share

S = 1_000_000_000


def lease(place: Place, run: str, holder: str = "m", most: int = 1) -> KeyLease:
    """Return a lease of a run in a process of its own, as far as the files can tell."""
    return Share(place).lease(NAME, run=run, holder=holder, job=f"{run}'s job", most=most)


def test_first_come_first_served_and_every_grant_has_a_higher_token(place):
    one, two, three = (lease(place, run) for run in ("one", "two", "three"))
    assert one.request(S)
    assert not two.request(S)
    assert not three.request(S)
    assert [ticket.run for ticket in one.waiting(S)] == ["two", "three"]
    assert (two.before_us, three.before_us) == (0, 1)
    tokens = [one.token]
    assert one.release(2 * S)
    assert not three.poll(2 * S), "two was before it"
    assert two.poll(2 * S)
    tokens.append(two.token)
    assert not one.request(2 * S), "at the end again"
    assert two.release(3 * S)
    assert not one.poll(3 * S)
    assert three.poll(3 * S)
    tokens.append(three.token)
    assert tokens == sorted(set(tokens))


def test_holders_say_who_has_the_key_and_since_when(place):
    one, two = lease(place, "one"), lease(place, "two")
    assert one.request(5 * S)
    (holder,) = two.holders(7 * S)
    assert (holder.run, holder.holder, holder.job, holder.pid) == ("one", "m", "one's job", os.getpid())
    assert (holder.since_ns, holder.expires_ns, holder.token) == (5 * S, 35 * S, one.token)


def test_jobs_of_one_model_in_one_run_share_but_wait_behind_who_came_before(place):
    first, second, other, third = (
        lease(place, "one", "x"),
        lease(place, "one", "x"),
        lease(place, "one", "y"),
        lease(place, "one", "x"),
    )
    assert first.request(S)
    assert second.request(S)
    assert not other.request(S)
    assert not third.request(S), "else the model with ever new jobs would keep the key"
    first.release(2 * S)
    assert not other.poll(2 * S), "the second still works"
    second.release(2 * S)
    assert other.poll(2 * S)
    other.release(3 * S)
    assert third.poll(3 * S)


def test_the_same_model_of_another_run_does_not_share(place):
    assert lease(place, "one", "x").request(S)
    assert not lease(place, "two", "x").request(S)


def test_as_many_holders_as_are_allowed(place):
    leases = [lease(place, run, most=2) for run in "abc"]
    assert [each.request(S) for each in leases] == [True, True, False]
    leases[0].release(S)
    assert leases[2].poll(S)


def test_a_holder_that_renews_keeps_the_key_and_one_that_does_not_loses_it_and_notices(place):
    one, two = lease(place, "one"), lease(place, "two")
    assert one.request(S)
    assert not two.request(S)
    for second in range(2, 100):
        assert one.renew(second * S)
        assert one.is_ours(second * S)
        assert not two.poll(second * S)
    # It is stopped for a minute, from second 99 on; it had renewed at 91.
    assert one.is_ours(118 * S)
    assert not one.is_ours(119 * S), "two seconds before the others take it"
    assert not two.poll(120 * S)
    assert two.poll(121 * S)
    assert not one.renew(149 * S)
    assert one.token is None
    assert not one.request(149 * S)
    assert [ticket.run for ticket in one.holders(150 * S)] == ["two"]


def test_a_late_holder_keeps_a_key_that_nobody_took_meanwhile(place):
    one = lease(place, "one")
    assert one.request(S)
    assert not one.is_ours(100 * S)
    assert one.renew(100 * S)
    assert one.is_ours(100 * S)


def test_who_waits_and_does_not_ask_is_passed_over_and_keeps_its_place_for_a_while(place):
    one, stopped, three = (lease(place, run) for run in ("one", "stopped", "three"))
    assert one.request(S)
    assert not stopped.request(S)
    assert not three.request(S)
    for second in range(2, 8):
        assert not three.poll(second * S)
    one.release(8 * S)
    assert three.poll(8 * S), "the stopped one was first, but does not come"
    assert not stopped.poll(9 * S)
    assert not one.request(9 * S)
    three.release(10 * S)
    assert not one.poll(10 * S), "the stopped one comes again, and still is first"
    assert stopped.poll(10 * S)


def test_a_dead_holder_frees_the_key_at_once_and_a_stopped_one_with_its_time(place):
    mine = lease(place, "mine")
    with playing(place, "hold_lease") as other:
        began_ns = time.perf_counter_ns()
        assert not mine.request(began_ns)
        os.kill(other.pid, signal.SIGSTOP)
        assert not mine.poll(began_ns + S)
        assert mine.poll(began_ns + 31 * S), "thirty seconds without a renewal"
        mine.release(began_ns + 31 * S)
    with playing(place, "hold_lease") as other:
        now_ns = time.perf_counter_ns()
        assert not mine.request(now_ns)
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        assert mine.poll(now_ns)


def test_a_spoilt_file_gives_the_key_to_nobody_until_every_lease_in_it_is_over(place):
    one, two = lease(place, "one"), lease(place, "two")
    assert one.request(S)
    token = one.token
    (path,) = place.folder.glob("lease-*")
    with path.open("r+b") as file:
        file.seek(128)
        file.write(b"\xff" * (path.stat().st_size - 128))
    assert not two.request(2 * S)
    assert not one.renew(11 * S)
    for second in range(3, 32):
        assert not two.poll(second * S)
    assert two.poll(32 * S)
    assert two.token > token


def test_a_removed_file_is_noticed_and_closed_as_well(place):
    one, two = lease(place, "one"), lease(place, "two")
    assert one.request(S)
    assert not two.request(S)
    (path,) = place.folder.glob("lease-*")
    path.unlink()
    assert not two.poll(3 * S)
    assert not one.renew(11 * S)
    assert not two.poll(32 * S)
    assert two.poll(33 * S)


def test_a_queue_for_which_there_is_no_room_makes_the_last_wait_outside(place):
    share = Share(place)
    first = share.lease(NAME, run="first", holder="m", job="j")
    assert first.request(S)
    crowd = [share.lease(NAME, run=f"{n}", holder="h" * 500, job="j" * 500) for n in range(150)]
    assert [each.request(S) for each in crowd] == [False] * 150
    assert 50 < len(first.waiting(S)) < 150
    for each in crowd[:100]:
        each.release(S)
    assert not crowd[-1].poll(S)
    first.release(S)
    assert [each.poll(S) for each in crowd[100:]].count(True) == 1
    share.close()


def test_a_ticket_is_asked_for_once_and_a_withdrawn_one_blocks_nobody(place):
    one, two = lease(place, "one"), lease(place, "two")
    assert not one.poll(S), "nothing was asked for"
    assert one.release(S)
    assert one.request(S)
    with pytest.raises(RuntimeError, match="already"):
        one.request(S)
    assert not two.request(S)
    assert two.release(S)
    assert one.waiting(S) == []


TICKETS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=8)


@given(asked=TICKETS, most=st.integers(1, 3))
@settings(max_examples=examples(100), deadline=None)
def test_whoever_comes_in_whichever_order_all_are_served_and_never_too_many(asked, most):
    table = LeaseTable(next_token=1)
    for number, (run, holder) in enumerate(asked):
        ticket = Ticket(
            id=number, claimant=1, pid=1, run=f"{run}", holder=f"{holder}", job="", since_ns=0, asked_ns=0
        )
        table = with_ticket(table, ticket)
    served: list[int] = []
    while table.tickets:
        granted = True
        while granted:
            granted = False
            for ticket in reversed(table.tickets):  # whoever asks first, the order of the queue decides
                if ticket.token is None and may_have(table, ticket, most, 1):
                    table = with_ticket(table, msgspec.structs.replace(ticket, token=1))
                    granted = True
        holding = table.granted()
        parties = {ticket.party for ticket in holding}
        assert 1 <= len(parties) <= most
        waiting = [ticket for ticket in table.tickets if ticket.token is None]
        assert all(ahead(table, ticket, 1) or ticket.party not in parties for ticket in waiting)
        assert not waiting or len(parties) == most, "nobody waits while the key is free"
        served.append(holding[0].id)
        table = without_ticket(table, holding[0].id)
    assert sorted(served) == list(range(len(asked)))
    assert without_void(table, 0, lambda _: True) is table
