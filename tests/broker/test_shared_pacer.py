"""The sum of what runs send through one pacer holds in every window, whoever of them dies, stops or starts anew."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import ExitStack
from math import ceil
from pathlib import Path

import pytest
from broker_player import NAME, playing, result_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from seeds import examples

from console.broker.place import Place
from console.broker.shared_pacer import SharedDepartures, SharedPacer, SharedPassage
from console.engine.gates import Pacer

S = 1_000_000_000
RUNS = 3


def assert_in_every_window(passed: list[int], interval_ns: float, burst: float = 0.0) -> None:
    """At most rate × w + burst + 1 in every window w: from the i-th to the j-th, (j - i - burst) intervals."""
    latest_start = float("-inf")
    for index, time_ns in enumerate(sorted(passed)):
        start = time_ns - index * interval_ns
        assert start + burst * interval_ns >= latest_start - 1e-3
        latest_start = max(latest_start, start)


class PacerMachine(RuleBasedStateMachine):
    """Runs that share a pacer against one pacer in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Place(Path(self.folder.name) / "share")
        self.now_ns = 1_000 * S
        self.rates = [10.0, 10.0, 4.0]
        self.burst = 2.0
        self.pacers = [SharedPacer(self.place, NAME, rate, self.burst) for rate in self.rates]
        self.tat_ns = 0

    def teardown(self) -> None:
        for pacer in self.pacers:
            pacer.close()
        self.folder.cleanup()

    def cost_ns(self, run: int, units: float) -> int:
        return ceil(units * (S / self.rates[run]))

    @rule(gap_ns=st.integers(0, S))
    def time_goes_on(self, gap_ns: int) -> None:
        self.now_ns += gap_ns

    @rule(
        run=st.integers(0, RUNS - 1),
        units=st.sampled_from([1.0, 1.0, 0.5, 7.25]),
        late_ns=st.integers(0, 1000),
    )
    def try_to_pass(self, run: int, units: float, late_ns: int) -> None:
        now_ns = self.now_ns - late_ns
        ready_ns = self.tat_ns - int(self.burst * (S / self.rates[run]))
        wait_ns = SharedPassage([self.pacers[run]]).try_pass(now_ns, [units])
        assert wait_ns == max(0, ready_ns - now_ns)
        if wait_ns == 0:
            self.tat_ns = max(self.tat_ns, now_ns) + self.cost_ns(run, units)

    @rule(run=st.integers(0, RUNS - 1), units=st.floats(0, 5))
    def charge(self, run: int, units: float) -> None:
        self.pacers[run].charge(self.now_ns, units)
        self.tat_ns = max(self.tat_ns, self.now_ns) + self.cost_ns(run, units)

    @rule(run=st.integers(0, RUNS - 1), units=st.floats(-5, -0.01))
    def give_back(self, run: int, units: float) -> None:
        self.pacers[run].correct(self.now_ns, units)
        self.tat_ns = max(0, self.tat_ns + self.cost_ns(run, units))

    @rule(run=st.integers(0, RUNS - 1), rate=st.sampled_from([1.0, 4.0, 10.0, 33.0]))
    def change_a_rate(self, run: int, rate: float) -> None:
        self.rates[run] = rate
        self.pacers[run].set_rate(rate, self.burst)

    @rule(run=st.integers(0, RUNS - 1))
    def a_run_ends_and_begins_again(self, run: int) -> None:
        self.pacers[run].close()
        self.pacers[run] = SharedPacer(self.place, NAME, self.rates[run], self.burst)

    @invariant()
    def all_see_one_time(self) -> None:
        for pacer, rate in zip(self.pacers, self.rates, strict=True):
            assert pacer.ready_ns() == self.tat_ns - int(self.burst * (S / rate))


TestPacerMachine = PacerMachine.TestCase
TestPacerMachine.settings = settings(max_examples=examples(40), stateful_step_count=30, deadline=None)


@given(
    gaps=st.lists(st.integers(0, S // 2), min_size=2, max_size=40),
    runs=st.lists(st.integers(0, RUNS - 1), min_size=40, max_size=40),
    spoilt=st.sets(st.integers(0, 39), max_size=4),
    burst=st.integers(0, 3),
)
@settings(max_examples=examples(40), deadline=None)
def test_a_spoilt_file_lets_nothing_through_too_early(gaps, runs, spoilt, burst):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "share")
        pacers = [SharedPacer(place, NAME, 10.0, burst) for _ in range(RUNS)]
        passages = [SharedPassage([pacer]) for pacer in pacers]
        now_ns, passed = S, []
        for step, (gap_ns, run) in enumerate(zip(gaps, runs, strict=False)):
            now_ns += gap_ns
            if step in spoilt:
                with (place.folder / place.file_name("pace", NAME)).open("r+b") as file:
                    file.write(b"\x07 not ours " * 8)
            while wait_ns := passages[run].try_pass(now_ns, [1.0]):
                now_ns += wait_ns
            passed.append(now_ns)
        for pacer in pacers:
            pacer.close()
    assert_in_every_window(passed, S / 10, burst)


def test_it_means_what_the_pacer_of_a_single_run_means(place):
    shared, alone = SharedPacer(place, NAME, 7.0, 1.5), Pacer(7.0, 1.5)
    now_ns = 5 * S
    for units in (1.0, 2.5, -1.0, 0.0, 30.0, -12.5, 1.0):
        for pacer in (shared, alone):
            pacer.correct(now_ns, units)
        assert abs(shared.ready_ns() - alone.ready_ns()) <= 10
        now_ns += S // 3


def test_different_rates_cost_each_sender_its_own_interval(place):
    fast, slow = SharedPacer(place, NAME, 10.0), SharedPacer(place, NAME, 5.0)
    now_ns, sent = S, {fast: 0, slow: 0}
    for turn in range(60):
        pacer = (fast, slow)[turn % 2]
        passage = SharedPassage([pacer])
        while wait_ns := passage.try_pass(now_ns, [1.0]):
            now_ns += wait_ns
        sent[pacer] += 1
    # Of each second, what the fast one sent takes a tenth apiece and what the slow one sent a fifth.
    assert sent[fast] / 10 + sent[slow] / 5 == pytest.approx((now_ns - S) / S + 1 / 5)


def test_several_pacers_are_passed_all_at_once_or_not_at_all(place):
    key, provider = SharedPacer(place, "key", 10.0), SharedPacer(place, "provider", 2.0)
    both = SharedPassage([key, provider])
    assert both.try_pass(S, (1.0, 1.0)) == 0
    assert both.try_pass(S + S // 10, (1.0, 1.0)) == S // 2 - S // 10
    assert key.ready_ns() == S + S // 10, "the refused request did not pay the key"
    with pytest.raises(ValueError, match="once"):
        SharedPassage([key, SharedPacer(place, "key", 1.0)])


def test_no_debt_blocks_for_more_than_a_day(place):
    pacer = SharedPacer(place, NAME, 0.01)
    pacer.charge(S, 2_000_000)
    assert pacer.ready_ns() == S + 24 * 3600 * S


@pytest.mark.parametrize(("rate", "burst", "passes"), [(250, 0, 50), (250, 3, 50), (10_000, 0, 1500)])
def test_four_processes_keep_one_rate_in_every_window(place, rate, burst, passes):
    with ExitStack() as stack:
        *players, stopped, killed = (
            stack.enter_context(playing(place, "hammer", rate, burst, passes)) for _ in range(5)
        )
        players.append(stopped)
        for player in (*players, killed):
            player.stdin.write("go\n")
            player.stdin.flush()
        for _ in range(20):
            time.sleep(0.01)
            os.kill(stopped.pid, signal.SIGSTOP)
            time.sleep(0.01)
            os.kill(stopped.pid, signal.SIGCONT)
        killed.kill()
        passed = [time_ns for player in players for time_ns in result_of(player)]
    assert len(passed) == 4 * passes
    assert_in_every_window(passed, S / rate, burst)


def test_who_is_stopped_in_the_critical_section_lets_nothing_through_and_blocks_nobody_and_death_frees(place):
    passage = SharedPassage([mine := SharedPacer(place, NAME, 10.0)])
    now_ns = S
    with playing(place, "hold_lock") as holder:
        os.kill(holder.pid, signal.SIGSTOP)
        waits = []
        for _ in range(9):
            waits.append(passage.try_pass(now_ns, [1.0]))
            now_ns += waits[-1]
        assert waits == [ms * 1_000_000 for ms in (1, 2, 4, 8, 16, 32, 50, 50, 50)]
        assert mine.file.holder_pid == holder.pid
        mine.charge(now_ns, 2.0)  # of an answer that came meanwhile: not to be written down, and not lost
        assert mine.ready_ns() == now_ns + S // 5
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    assert passage.try_pass(now_ns, [1.0]) == S // 5
    assert SharedPacer(place, NAME, 10.0).ready_ns() == now_ns + S // 5, "the others see it too"
    assert passage.try_pass(now_ns + S // 5, [1.0]) == 0


def test_a_file_that_was_removed_is_noticed_and_what_was_charged_stays_charged(place):
    mine = SharedPacer(place, NAME, 1.0)
    passage = SharedPassage([mine])
    assert passage.try_pass(S, [1.0]) == 0
    (place.folder / place.file_name("pace", NAME)).unlink()
    later_ns = S + 2 * S
    assert passage.try_pass(later_ns, [1.0]) == 0
    theirs = SharedPassage([SharedPacer(place, NAME, 1.0)])
    assert theirs.try_pass(later_ns, [1.0]) == S


def test_another_boot_begins_anew(place):
    SharedPacer(place, NAME, 1.0).charge(500 * S)
    rebooted = Place(place.folder, boot="another")
    assert SharedPassage([SharedPacer(rebooted, NAME, 1.0)]).try_pass(3 * S, [1.0]) == 0


def test_a_file_of_another_boot_under_our_name_is_replaced(place):
    SharedPacer(place, NAME, 1.0).charge(500 * S)
    rebooted = Place(place.folder, boot="another")
    old, new = (folder.folder / folder.file_name("pace", NAME) for folder in (place, rebooted))
    new.write_bytes(old.read_bytes())
    passage = SharedPassage([SharedPacer(rebooted, NAME, 1.0)])
    assert passage.try_pass(3 * S, [1.0]) == S, "one interval, as if one had passed just before"


@given(
    waits=st.lists(st.tuples(st.integers(0, RUNS - 1), st.integers(0, S // 8)), min_size=2, max_size=40),
    burst=st.integers(0, 2),
    claims=st.booleans(),
)
@settings(max_examples=examples(40), deadline=None)
def test_what_is_sent_late_keeps_its_distance_over_all_runs(waits, burst, claims):
    """Passing, claiming and sending lie apart, as on a busy machine; the law is asked of what was sent."""
    sent: list[int] = []
    now_ns = S
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Place(Path(folder) / "share")
        pacers = [SharedPacer(place, NAME, 10.0, burst) for _ in range(RUNS)]
        for pacer in pacers:
            stack.callback(pacer.close)
        departures = [SharedDepartures([pacer]) for pacer in pacers]
        for run, late_ns in waits:
            while wait_ns := departures[run].try_pass(now_ns, [1.0], ahead_ns=S // 50):
                now_ns += wait_ns
            pacers[run].expect()
            now_ns += late_ns
            while wait_ns := departures[run].claim(now_ns):
                now_ns += wait_ns
            if claims:
                # Kept from its CPU between the yes and the first byte: nobody else gets a yes meanwhile.
                other = departures[(run + 1) % RUNS]
                assert other.claim(now_ns + S) > 0
                now_ns += late_ns
            sent.append(now_ns)
            departures[run].sent(now_ns, again=False)
        assert_in_every_window(sent, S / 10, burst)


def test_one_that_passed_and_is_not_sent_lets_go_of_nothing_it_does_not_hold(place):
    pacer = SharedPacer(place, NAME, 10.0)
    departures = SharedDepartures([pacer])
    assert departures.try_pass(S, [1.0]) == 0
    pacer.expect()
    departures.unsent()
    departures.release()
    assert departures.departs_ns() <= S
    assert departures.claim(S) == 0
    assert SharedDepartures([SharedPacer(place, NAME, 10.0)]).claim(S) > 0
    departures.release()
    assert SharedDepartures([SharedPacer(place, NAME, 10.0)]).claim(2 * S) == 0
