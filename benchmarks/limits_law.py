"""What a limit allows, held against times: no window is left out, and nothing is rounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from console.engine.gates import NS_PER_S


def worst_excess(times_ns: Iterable[int], per_second: float) -> float:
    """Return by how much the fullest of all windows w, of whatever length, is over rate × w + 1.

    Not over 0: the limit held. With the times sorted, the window from the i-th to the j-th holds j - i + 1, so that
    its excess is (j - rate × t_j) - (i - rate × t_i): one pass finds the greatest.
    """
    rate = Fraction(per_second) / NS_PER_S
    worst: Fraction | None = None
    least: Fraction | None = None
    for index, time_ns in enumerate(sorted(times_ns)):
        ahead = index - rate * time_ns
        if least is not None:
            worst = ahead - least if worst is None else max(worst, ahead - least)
        least = ahead if least is None else min(least, ahead)
    return -1.0 if worst is None else float(worst)


def most_in(times_ns: Iterable[int], window_s: float) -> int:
    """Return how many of `times_ns` lie in the fullest window of that length, its end not included."""
    window_ns = int(window_s * NS_PER_S)
    times = sorted(times_ns)
    first = most = 0
    for index, time_ns in enumerate(times):
        while times[first] <= time_ns - window_ns:
            first += 1
        most = max(most, index - first + 1)
    return most


def peak(spans_ns: Iterable[tuple[int, int]]) -> int:
    """Return how many of these spans there were at once; one that ends when another begins is over."""
    edges = sorted(edge for begin_ns, end_ns in spans_ns for edge in ((begin_ns, 1), (end_ns, -1)))
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def mean_at_once(spans_ns: Iterable[tuple[int, int]], begin_ns: int, end_ns: int) -> float:
    """Return how many of these spans there were on average between two times."""
    inside = sum(max(0, min(end, end_ns) - max(begin, begin_ns)) for begin, end in spans_ns)
    return inside / (end_ns - begin_ns)


def pace(times_ns: Sequence[int]) -> float:
    """Return the rate from the first to the last of `times_ns`, per second."""
    return (len(times_ns) - 1) * NS_PER_S / (max(times_ns) - min(times_ns))
