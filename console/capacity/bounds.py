"""Bounds that a level is judged by: of a share, of a percentile and of a mean. Plain formulas with their sources.

A rule asks one question at a time ("is it below the limit?"), so its bounds are one-sided: `ONE_SIDED` is left out on
the side that is asked about. A figure that is shown has an interval of 95 %, with `TWO_SIDED` left out on each side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import mul
from statistics import NormalDist
from typing import Final

import msgspec

from console.records.intervals import Interval

ONE_SIDED: Final = 0.05
TWO_SIDED: Final = 0.025
FEWEST: Final = 10
"""Below so many samples a mean has no bounds: they rest on the mean being about normal."""
_BATCHES: Final = 10
_CHANCE: Final = 1.88
"""What the variance of 10 batches exceeds its mean by in one of 20 cases (chi squared with 9 degrees, over 9)."""
_LEAST_IN_BATCH: Final = 10
_LEANS_BELOW: Final = 5000
"""From so many samples on their mean is no longer skew."""
_Z_ONE_SIDED: Final = 1.6448536
_TINY: Final = 1e-300
Bounds = tuple[float | None, float | None]
"""Lower and upper; None: there is none."""


@lru_cache(maxsize=1024)
def share_bounds(successes: int, n: int, *, tail: float = ONE_SIDED) -> Interval:
    """Return the exact bounds of a share (Clopper and Pearson 1934, Biometrika 26:404), each of confidence 1 - tail.

    They are quantiles of beta distributions, and hold their level whatever the share; of nothing they are 0 and 1.
    """
    low = 0.0 if successes == 0 else beta_quantile(successes, n - successes + 1, tail)
    high = 1.0 if successes == n else 1 - beta_quantile(n - successes, successes + 1, tail)
    return low, high


def about_share(share: float, n: int) -> Interval:
    """Return about what `share_bounds` would be of a share of `n`, in closed form (Wilson 1927), to plan by."""
    z2 = _Z_ONE_SIDED * _Z_ONE_SIDED
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_ONE_SIDED / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return middle - half, middle + half


def fewest_for_share(limit: float, *, tail: float = ONE_SIDED) -> int:
    """Return how many successes without a failure put the lower bound of a share at `limit`: tail^(1/n) >= limit."""
    return math.ceil(math.log(tail) / math.log(limit) - 1e-9)


def beta_quantile(a: float, b: float, p: float) -> float:
    """Return the `p`-quantile of the beta distribution: Newton's steps, halving where one leaves the bracket."""
    low, high = 0.0, 1.0
    x = a / (a + b)
    for _ in range(200):
        off = incomplete_beta(a, b, x) - p
        if off > 0:
            high = x
        else:
            low = x
        slope = math.exp(_log_front(a, b, x)) / max(x * (1 - x), _TINY)
        step = off / slope if slope > 0 else math.inf
        following = x - step if low < x - step < high else (low + high) / 2
        if abs(following - x) <= 1e-14 * x or high - low <= 1e-15:
            return following
        x = following
    return x


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(_log_front(a, b, x))
    if x < (a + 1) / (a + b + 2):
        return front * _continued(a, b, x) / a
    return 1 - front * _continued(b, a, 1 - x) / b


def _log_front(a: float, b: float, x: float) -> float:
    return (
        a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        if 0 < x < 1
        else -math.inf
    )


def _continued(a: float, b: float, x: float) -> float:
    """Evaluate the fraction from its top (Lentz's method): it needs about the square root of a or b of steps."""
    c, d = 1.0, 1 / _kept_off_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _kept_off_zero(1 + term * d)
            c = _kept_off_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _kept_off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Return the probability of at most `k` successes in `n` (DLMF 8.17.5)."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else incomplete_beta(n - k, k + 1, 1 - p)


@lru_cache(maxsize=512)
def percentile_ranks(n: int, q: float, tail: float = ONE_SIDED) -> tuple[int | None, int | None]:
    """Return the ranks (from 1) of the samples that bound the `q`-th percentile, each with confidence 1 - tail.

    Of `n` independent samples a binomial number lies below it, whatever the distribution (David and Nagaraja,
    Order Statistics, 7.1): the largest r with P(Bin(n, q) < r) <= tail, the smallest with P(Bin(n, q) < r) >= 1 - tail.

    Returns:
        None in place of a rank that no sample has: p95 has an upper bound from 59 samples on.
    """
    share = q / 100

    def below(rank: int) -> float:
        return binomial_cdf(rank, n, share)

    low = _first(lambda rank: below(rank) > tail, _normal_guess(n, share, tail), n)
    high = _first(lambda rank: below(rank) >= 1 - tail, _normal_guess(n, share, 1 - tail), n) + 1
    return (low if low >= 1 else None), (high if high <= n else None)


def _normal_guess(n: int, share: float, p: float) -> int:
    return round(n * share + NormalDist().inv_cdf(p) * math.sqrt(n * share * (1 - share)))


def _first(holds: Callable[[int], bool], guess: int, n: int) -> int:
    """Return the smallest number up to `n` from which on it holds, which is near `guess`."""
    found = min(max(guess, 0), n)
    if holds(found):
        while found > 0 and holds(found - 1):
            found -= 1
        return found
    while found < n and not holds(found):
        found += 1
    return found


def fewest_for_percentile(q: float, *, tail: float = ONE_SIDED) -> int:
    """Return from how many samples on the percentile has an upper bound: (q/100)^n <= tail."""
    return math.ceil(math.log(tail) / math.log(q / 100) - 1e-9)


@lru_cache(maxsize=512)
def student_quantile(freedom: float, p: float) -> float:
    """Return the `p`-quantile (above 0.5) of Student's t, from the beta distribution (DLMF 8.17, t² / (v + t²))."""
    x = beta_quantile(freedom / 2, 0.5, 2 * (1 - p))
    return math.sqrt(freedom * (1 - x) / x)


class Mean(msgspec.Struct, frozen=True):
    """A mean, and how far it may be from the true one."""

    value: float
    error: float
    """Its standard error, with what neighbours have in common counted once."""
    freedom: float
    """Degrees of freedom of that error."""
    n: int
    lean: float = 0.0
    """Skewness of the mean."""

    def bounds(self, tail: float = ONE_SIDED) -> Bounds:
        """Return bounds, each of confidence 1 - tail; none for fewer than `FEWEST`.

        Student's, turned by Hall's transformation (1992, J. R. Stat. Soc. B 54:221): latencies are skew, so that of few
        samples the mean is more often too small than too large, and its upper bound has to be farther off.
        """
        if self.n < FEWEST:
            return None, None
        if self.error <= 0:
            return self.value, self.value
        t = student_quantile(self.freedom, 1 - tail)
        return self.value - self.error * self._turned(t), self.value - self.error * self._turned(-t)

    def _turned(self, t: float) -> float:
        if abs(self.lean) < 1e-6:
            return t
        return 3 / self.lean * (math.cbrt(1 + self.lean * (t - self.lean / 6)) - 1)


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of samples in the order in which they came, neighbours being alike or not.

    The error is the greater of two: by the effective number of samples (`effective`), which knows what neighbours
    share, and by the means of ten batches (Law, Simulation Modeling and Analysis, 9.5.3), which knows what lasts longer.
    """
    n = len(values)
    if n < 2:
        return Mean(values[0] if values else 0.0, 0.0, 1.0, n)
    mean = sum(values) / n
    off = [value - mean for value in values]
    squares = sum(map(mul, off, off))
    if squares <= 0:
        return Mean(mean, 0.0, n - 1.0, n)
    count = effective(n, sum(map(mul, off, off[1:])) / squares)
    lean = 0.0
    if n < _LEANS_BELOW:
        lean = sum(one * one * one for one in off) / n / (squares / n) ** 1.5 / math.sqrt(count)
    found = Mean(mean, math.sqrt(squares / (n - 1) / count), max(1.0, count - 1), n, lean)
    if n < _BATCHES * _LEAST_IN_BATCH:
        return found
    edges = [n * batch // _BATCHES for batch in range(_BATCHES + 1)]
    batches = [sum(off[low:high]) / (high - low) for low, high in pairwise(edges)]
    error = math.sqrt(sum(map(mul, batches, batches)) / (_BATCHES - 1) / _BATCHES)
    return found if error <= found.error else Mean(mean, error, _BATCHES - 1.0, n, lean)


def effective(n: int, correlation: float) -> float:
    """Return how many independent samples `n` with this lag-1 autocorrelation are worth: n (1 - r) / (1 + r).

    That holds for an autoregression of first order (AIPerf takes it too). What `n` independent samples show by
    chance (2 / √n) is no correlation, and a negative one makes no samples worth more.
    """
    if correlation <= 2 / math.sqrt(n):
        return float(n)
    return max(2.0, n * (1 - min(correlation, 1.0)) / (1 + correlation))


def percentile_bounds(
    ordered: Sequence[float], q: float, worth: float | None = None, *, tail: float = ONE_SIDED
) -> Bounds:
    """Return the samples that bound the `q`-th percentile, each with confidence 1 - tail.

    Args:
        ordered: the samples, sorted.
        q: percentage.
        worth: how many independent samples they are worth; None: all.
        tail: on each side.
    """
    n = len(ordered)
    count = n if worth is None else min(n, int(worth))
    if count == 0:
        return None, None
    low, high = percentile_ranks(count, q, tail)
    if count < n:
        low = None if low is None else max(1, low * n // count)
        high = None if high is None else min(n, -(-high * n // count))
    return (None if low is None else ordered[low - 1]), (None if high is None else ordered[high - 1])


def worth_above(values: Sequence[float], limit: float) -> float:
    """Return how many independent samples these are worth where one asks which are above `limit`.

    Less than `n` by the greater of two measures of what they have in common: the lag-1 autocorrelation of being above
    it, and the variance of the shares of ten batches over that of independent ones (the design effect, Kish 1965),
    where it is more than chance.
    """
    n = len(values)
    above = bytes([value > limit for value in values])  # a byte each, so that counting is not done in Python
    share = above.count(1) / n
    if not 0 < share < 1:
        return float(n)
    bits = int.from_bytes(above, "little")
    pairs = (bits & bits >> 8).bit_count()
    worth = effective(n, (pairs / (n - 1) - share * share) / (share * (1 - share)))
    if n < _BATCHES * _LEAST_IN_BATCH:
        return worth
    edges = [n * batch // _BATCHES for batch in range(_BATCHES + 1)]
    held = [above.count(1, low, high) for low, high in pairwise(edges)]
    expected = share * n / _BATCHES
    variance = sum((many - expected) ** 2 for many in held) / (_BATCHES - 1)
    excess = variance / (expected * (1 - share))
    return min(worth, n / excess) if excess > _CHANCE else worth
