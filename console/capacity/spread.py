"""How much of what lasted fell into each slice of time: requests in flight, tokens as they were made."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int, float]
"""From, to, and how much came evenly in that time; all at once where they are equal."""


def spread(spans: Iterable[Span], from_ns: int, to_ns: int, count: int) -> list[float]:
    """Return how much of `spans` fell into each of `count` equal slices of a time.

    What had come up to an edge is a sum of straight lines, so that a span costs the same however many slices it
    covers: it is noted where its line begins to count and where it ceases to rise.
    """
    width = (to_ns - from_ns) / count
    rises = [0.0] * (count + 1)
    shifts = [0.0] * (count + 1)
    slices = [0.0] * count
    for begin_ns, end_ns, amount in spans:
        if end_ns <= begin_ns:
            if from_ns <= begin_ns < to_ns:
                slices[min(count - 1, int((begin_ns - from_ns) / width))] += amount
            continue
        if end_ns <= from_ns or begin_ns >= to_ns:
            continue
        rate = amount / (end_ns - begin_ns)
        begin = begin_ns - from_ns
        if begin <= 0:
            place, begin = 0, max(begin, 0)
        else:
            place = int(begin / width) + 1
        rises[place] += rate
        shifts[place] += rate * begin
        if end_ns < to_ns:
            end = end_ns - from_ns
            place = int(end / width) + 1
            rises[place] -= rate
            shifts[place] -= rate * end
    rise = shift = before = 0.0
    for edge in range(count + 1):
        rise += rises[edge]
        shift += shifts[edge]
        so_far = rise * edge * width - shift
        if edge:
            slices[edge - 1] += max(0.0, so_far - before)
        before = so_far
    return slices


def in_flight(stays: Iterable[tuple[int, int]], from_ns: int, to_ns: int, count: int) -> list[float]:
    """Return the mean number of requests in flight in each slice, from when each was sent and ended."""
    width = (to_ns - from_ns) / count
    return [
        busy / width
        for busy in spread(((begin, end, end - begin) for begin, end in stays), from_ns, to_ns, count)
    ]
