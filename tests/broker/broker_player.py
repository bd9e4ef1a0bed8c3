"""A process of its own that plays one part in a test: `python broker_player.py PART FOLDER …`.

It says `ready` when it is where the test wants it, and prints its result as JSON at its end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.broker.place import Place
from console.broker.share import Share
from console.broker.shared_pacer import SharedPassage

NAME = "the key"


def ready() -> None:
    print("ready", flush=True)


def until_told() -> None:
    sys.stdin.read()


def hammer(share: Share, rate: str, burst: str, passes: str) -> list[int]:
    """Pass so many times through two pacers, and return when; begin when all are there."""
    pacers = [share.pacer(NAME, float(rate), float(burst)), share.pacer("a looser one", 1e6)]
    passage = SharedPassage(pacers)
    ready()
    sys.stdin.readline()
    passed: list[int] = []
    while len(passed) < int(passes):
        now_ns = time.perf_counter_ns()
        wait_ns = passage.try_pass(now_ns, (1.0, 1.0))
        if not wait_ns:
            passed.append(now_ns)
        elif wait_ns > 500_000:  # else all try at the same moment, again and again
            time.sleep(wait_ns / 1e9)
    return passed


def hold_lock(share: Share) -> None:
    """Take a pacer's lock, and stay in the critical section."""
    pacer = share.pacer(NAME, 10.0)
    assert pacer.lock(time.perf_counter_ns())
    ready()
    until_told()


def hold_slots(share: Share, count: str, limit: str) -> None:
    assert share.slots(NAME, int(limit)).take(int(count))
    ready()
    until_told()


def hold_lease(share: Share) -> None:
    lease = share.lease(NAME, run="theirs", holder="m", job="their job")
    assert lease.request(time.perf_counter_ns())
    ready()
    until_told()


PARTS = {part.__name__: part for part in (hammer, hold_lock, hold_slots, hold_lease)}


@contextmanager
def playing(place: Place, part: str, *arguments: object) -> Generator[subprocess.Popen[str]]:
    """Run a player until the end of the block, from when it is ready."""
    command = [sys.executable, __file__, part, str(place.folder), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as player:
        try:
            assert player.stdout is not None
            assert player.stdout.readline() == "ready\n"
            yield player
        finally:
            player.kill()


def result_of(player: subprocess.Popen[str]) -> Any:
    output, _ = player.communicate(timeout=60)
    return json.loads(output)


if __name__ == "__main__":
    os.umask(0o077)
    print(json.dumps(PARTS[sys.argv[1]](Share(Place(Path(sys.argv[2]))), *sys.argv[3:])))
