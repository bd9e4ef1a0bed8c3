"""Throughput against concurrency: where it stops growing, and what simple models make of it. Pure.

The limit of growth is an elasticity e = Δln X / Δln c, 0.26 by default: a fifth more throughput for twice the
concurrency. Where the elasticity of a curve falls through e, X(c) / c^e is greatest; so the knee is looked for as that
maximum, which needs no derivative of measured points. Between two points it is placed where the line through the
points below meets the line through those above: exact for a server with K slots, and near enough for a smooth one,
whose maximum is flat.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from console.vocabulary.level import LevelOutcome

ELASTICITY: Final = math.log(1.2) / math.log(2)
"""The seed's 20 % growth, at twice the concurrency."""
_Z: Final = 1.959964
_LEAST_ERROR: Final = 0.002
"""Nobody knows a throughput better than to 0.2 %."""
_UNKNOWN_ERROR: Final = 0.05
_BASELINE: Final = 1.15
"""Slopes are taken over this ratio of concurrencies at least: over less they are noise."""
_CLEAR: Final = 1.05
"""A point nearer to the knee than this ratio may be on either side of it."""
_REACH_BELOW: Final = 6.0
_REACH_BEYOND: Final = 4.0
"""Points further away say little of the curve at the knee."""
_BEND: Final = 0.3
"""Slopes that differ by less are those of a curve that is smooth there."""
COLLAPSE: Final = 0.10
"""Throughput that falls by more than this below what a lower level had is a collapse."""


class CurvePoint(msgspec.Struct, frozen=True):
    """All measurements at one concurrency together."""

    concurrency: int
    log_work: float
    """ln of work per second."""
    error: float
    """Its standard error."""

    @property
    def work(self) -> float:
        """Work per second."""
        return math.exp(self.log_work)


class Knee(msgspec.Struct, frozen=True):
    """Where growth ends."""

    at: float
    """Concurrency, by interpolation."""
    below: int
    """Measured, and still on the way up."""
    above: int
    """Measured, and beyond."""


def curve_points(levels: Iterable[LevelOutcome]) -> list[CurvePoint]:
    """Return what is known of each concurrency, weighted by how certain each measurement is; invalid ones left out."""
    found: dict[int, list[tuple[float, float]]] = {}
    for level in levels:
        work = level.work_per_s
        if level.verdict in ("invalid", "quota") or work.value <= 0:
            continue
        if work.low is not None and work.high is not None and work.low > 0:
            error = max(_LEAST_ERROR, math.log(work.high / work.low) / 2 / _Z)
        else:
            error = _UNKNOWN_ERROR
        found.setdefault(level.concurrency, []).append((math.log(work.value), error))
    points: list[CurvePoint] = []
    for concurrency, several in sorted(found.items()):
        weights = [1 / error**2 for _, error in several]
        mean = sum(weight * log for weight, (log, _) in zip(weights, several, strict=True)) / sum(weights)
        points.append(CurvePoint(concurrency, mean, max(_LEAST_ERROR, sum(weights) ** -0.5)))
    return points


def elasticity(low: CurvePoint, high: CurvePoint) -> tuple[float, float]:
    """Return the elasticity between two points, and the half width of its 95 % interval."""
    span = math.log(high.concurrency / low.concurrency)
    return (high.log_work - low.log_work) / span, _Z * math.hypot(low.error, high.error) / span


def flat_rungs(points: Sequence[CurvePoint], limit: float) -> int:
    """Return how many points at the top, one after another, brought less than the limit over the one before."""
    count = 0
    for low, high in reversed(list(pairwise(points))):
        if elasticity(low, high)[0] >= limit:
            break
        count += 1
    return count


def collapsed(points: Sequence[CurvePoint]) -> set[int]:
    """Return the concurrencies whose throughput is certainly more than a tenth below that of a lower one."""
    found: set[int] = set()
    best: CurvePoint | None = None
    for point in points:
        if best is not None:
            fall = best.log_work - point.log_work
            if fall - _Z * math.hypot(best.error, point.error) > -math.log(1 - COLLAPSE):
                found.add(point.concurrency)
        if best is None or point.log_work > best.log_work:
            best = point
    return found


def knee(points: Sequence[CurvePoint], limit: float) -> Knee | None:
    """Return where growth falls below the limit; None while it has not done so for certain."""
    if len(points) < 2:
        return None
    gains = [point.log_work - limit * math.log(point.concurrency) for point in points]
    best = max(range(len(points)), key=lambda index: gains[index])
    beyond = [
        index
        for index in range(best + 1, len(points))
        if gains[best] - gains[index] > _Z * math.hypot(points[best].error, points[index].error)
    ]
    if not beyond:
        return None
    at = _of_lines(points, _of_lines(points, _meeting(points, best)))
    below = max(
        (point.concurrency for point in points if point.concurrency <= at), default=points[0].concurrency
    )
    beyond_it = (point.concurrency for point in points if point.concurrency > round(at))
    above = min(beyond_it, default=points[-1].concurrency)
    return Knee(at, below, above)


def _meeting(points: Sequence[CurvePoint], best: int) -> float:
    """Return where the way up meets the way beyond, by the points round the best one.

    One of the two segments round it holds the bend: the one whose slope differs more from that of its outer
    neighbour. A curve begins with slope 1 at most, and ends with 0 where nothing further up is known.
    """
    middle = points[best]
    left = _at_distance(points, best, -1)
    right = _at_distance(points, best, 1)
    if left is None:
        if right is None:
            return float(middle.concurrency)
        before, rise, into = 1.0, 1.0, elasticity(middle, points[right])[0]
    else:
        outer = _at_distance(points, left, -1)
        before = 1.0 if outer is None else elasticity(points[outer], points[left])[0]
        rise = elasticity(points[left], middle)[0]
        into = 0.0 if right is None else elasticity(middle, points[right])[0]
    outer = None if right is None else _at_distance(points, right, 1)
    after = 0.0 if right is None or outer is None else elasticity(points[right], points[outer])[0]
    if left is not None and abs(rise - before) > abs(into - after):
        return _crossing(points[left], before, middle, into)
    if right is None:
        return float(middle.concurrency)
    return _crossing(middle, rise, points[right], after)


def _of_lines(points: Sequence[CurvePoint], at: float) -> float:
    """Place the knee anew, where a line through all points some way below it meets one through those beyond.

    Points at the knee itself are in neither, as they would bend both. A curve without a clear bend, or with too few
    points, leaves it where it was.
    """
    below = [point for point in points if at / _REACH_BELOW <= point.concurrency <= at / _CLEAR]
    beyond = [point for point in points if _CLEAR * at <= point.concurrency <= _REACH_BEYOND * at]
    rise, after = _line(below), _line(beyond)
    if rise is None or after is None or rise[1] - after[1] < _BEND:
        return at
    met = math.exp((after[0] - rise[0]) / (rise[1] - after[1]))
    return min(float(beyond[0].concurrency), max(float(below[-1].concurrency), met))


def _line(points: Sequence[CurvePoint]) -> tuple[float, float] | None:
    """Return intercept and slope of ln work over ln concurrency, by weighted least squares; None: too few points."""
    if len(points) < 2 or points[-1].concurrency < _BASELINE * points[0].concurrency:
        return None
    weights = [point.error**-2 for point in points]
    xs = [math.log(point.concurrency) for point in points]
    ys = [point.log_work for point in points]
    whole = sum(weights)
    x_mean = sum(weight * x for weight, x in zip(weights, xs, strict=True)) / whole
    y_mean = sum(weight * y for weight, y in zip(weights, ys, strict=True)) / whole
    spread = sum(weight * (x - x_mean) ** 2 for weight, x in zip(weights, xs, strict=True))
    slope = (
        sum(weight * (x - x_mean) * (y - y_mean) for weight, x, y in zip(weights, xs, ys, strict=True))
        / spread
    )
    return y_mean - slope * x_mean, slope


def _at_distance(points: Sequence[CurvePoint], index: int, step: int) -> int | None:
    """Return the next point up or down that is far enough for a slope; None: there is none."""
    other = index + step
    while 0 <= other < len(points):
        low, high = sorted((points[index].concurrency, points[other].concurrency))
        if high >= _BASELINE * low:
            return other
        other += step
    return None


def _crossing(low: CurvePoint, rise: float, high: CurvePoint, after: float) -> float:
    """Return the concurrency between two points where a line of each slope, through each of them, meet."""
    x_low, x_high = math.log(low.concurrency), math.log(high.concurrency)
    if rise - after < 0.1:
        return math.exp((x_low + x_high) / 2)
    x = (high.log_work - low.log_work + rise * x_low - after * x_high) / (rise - after)
    return math.exp(min(x_high, max(x_low, x)))


def most_power(levels: Iterable[LevelOutcome]) -> int | None:
    """Return the measured concurrency with the greatest throughput / time in the system (Kleinrock's power).

    By Little's law the time is c / X, so power is X² / c.
    """
    points = curve_points(levels)
    if len(points) < 3:
        return None
    return max(points, key=lambda point: 2 * point.log_work - math.log(point.concurrency)).concurrency
