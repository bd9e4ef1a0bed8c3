"""One queue for many processes: every test is played once, whoever asks, leaves or dies, and in whatever order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from console.processes.dealer import Dealer


def names(count: int) -> list[str]:
    return [f"t{number}" for number in range(count)]


class Player:
    """A process as the dealer knows it: asks as its workers are free, finishes, leaves, or dies."""

    def __init__(self, number: int, workers: int, own: list[str]) -> None:
        self.number, self.workers = number, workers
        self.hand = list(own)
        self.received = 0
        self.left = False

    def asks(self) -> tuple[int, int]:
        now = self.received + max(0, self.workers - len(self.hand))
        return now, now + max(1, self.workers // 8)


@given(
    tests=st.integers(0, 60),
    workers=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    own=st.integers(0, 8),
    seed=st.integers(0, 10_000),
    unrest=st.floats(0, 0.3),
)
def test_every_test_is_played_exactly_once(
    tests: int, workers: list[int], own: int, seed: int, unrest: float
) -> None:
    dice = random.Random(seed)
    everything = names(tests)
    players = {number: Player(number, count, []) for number, count in enumerate(workers, 1)}
    players[1].hand = [f"own{number}" for number in range(own)]
    dealer = Dealer(everything, {1: players[1].hand}, players)
    played: list[str] = []
    for _ in range(2000):
        if dealer.over:
            break
        for player in players.values():
            if not player.left:
                dealer.want(player.number, *player.asks(), dealer.stint(player.number))
        for number, dealt in dealer.deal().items():
            player = players[number]
            assert not player.left
            player.received += len(dealt)
            player.hand += dealt
            assert player.received <= player.asks()[1] + len(player.hand)
        player = dice.choice(list(players.values()))
        if player.hand and dice.random() > unrest:
            test = player.hand.pop(dice.randrange(len(player.hand)))
            played.append(test)
            dealer.finish(player.number, [test], [dice.random() < 0.5])
        elif dice.random() < unrest and not player.left:
            if dice.random() < 0.5 and len([one for one in players.values() if not one.left]) > 1:
                player.left = True  # all its lanes are off
                dealer.leave(
                    player.number,
                    player.hand,
                    dict.fromkeys(player.hand, 1),
                    dealer.stint(player.number),
                )
                player.hand = []
            else:  # it dies, and another takes its place
                done = player.hand[: len(player.hand) // 2]
                played += done
                dealer.lose(player.number, dict.fromkeys(done, True), {})
                player.hand, player.received = [], 0
                dealer.join(player.number)
    assert dealer.over
    assert sorted(played) == sorted([*everything, *(f"own{number}" for number in range(own))])
    assert dealer.done == len(played)


def test_few_tests_spread_over_all_who_ask() -> None:
    dealer = Dealer(names(5), {}, [1, 2])
    dealer.want(1, 50, 56)
    dealer.want(2, 50, 56)
    assert {process: len(tests) for process, tests in dealer.deal().items()} == {1: 3, 2: 2}


def test_towards_the_end_nobody_holds_tests_in_store() -> None:
    dealer = Dealer(names(100), {}, [1, 2])
    dealer.want(1, 48, 54)
    dealer.want(2, 48, 54)
    assert sum(map(len, dealer.deal().values())) == 96, "100 - 96 are too few to store 12"
    assert len(dealer.left) == 4


def test_asking_twice_for_the_same_gives_it_once() -> None:
    dealer = Dealer(names(100), {}, [1])
    for _ in range(2):
        dealer.want(1, 4, 5)
        dealt = dealer.deal()
    assert dealt == {}
    assert len(dealer.left) == 95


def test_what_is_on_its_way_to_one_who_leaves_is_waited_for() -> None:
    dealer = Dealer(names(3), {}, [1])
    dealer.want(1, 3, 3)
    dealer.deal()
    dealer.leave(1, ["t0"], {})  # it left before t1 and t2 had come
    assert not dealer.over
    dealer.leave(1, ["t1", "t2"], {"t2": 1})
    assert dealer.over
    assert sorted(dealer.left) == names(3)
    assert dealer.attempts == {"t2": 1}


def test_what_is_written_off_is_done_by_nobody() -> None:
    dealer = Dealer(names(6), {}, [1, 2])
    dealer.want(1, 4, 4)
    dealer.deal()
    dealer.write_off(1)
    assert (dealer.waiting, dealer.done, dealer.answered) == (2, 4, 0)
    dealer.want(2, 9, 9)
    assert dealer.deal() == {2: ["t4", "t5"]}
