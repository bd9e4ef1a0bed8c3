"""The Universal Scalability Law, fitted to measured throughput: X(c) = λc / (1 + σ(c-1) + κc(c-1)).

Source: N. J. Gunther, Guerrilla Capacity Planning (2007), ch. 5-6. σ is contention, κ coherency. Written as
c / X = α + β(c-1) + γc(c-1) it is linear, with λ = 1/α, σ = β/α, κ = γ/α; the fit is by least squares of
relative errors, and a coefficient that comes out negative is set to 0 and the rest fitted anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from console.capacity.curve import CurvePoint

_FEWEST: Final = 4
"""Points for three coefficients, and one to tell how well they fit."""


class UslFit(msgspec.Struct, frozen=True, kw_only=True):
    """What the law makes of a curve."""

    per_one: float
    """λ: work per second at concurrency 1."""
    contention: float
    """σ: the part that is done one after another."""
    coherency: float
    """κ: what each adds to the work of every other."""
    peak_at: float | None = None
    """Concurrency of the greatest throughput, √((1-σ)/κ); None: it has no end, κ is 0."""
    worst_share: float
    """Largest relative distance of a point from the fit: above a tenth or so the law is no description."""

    def work(self, concurrency: float) -> float:
        """Return the throughput that the law gives."""
        c = concurrency
        return self.per_one * c / (1 + self.contention * (c - 1) + self.coherency * c * (c - 1))


def fit_usl(points: Sequence[CurvePoint]) -> UslFit | None:
    """Fit the law; None: there are fewer than four concurrencies, or they are no such curve."""
    if len(points) < _FEWEST:
        return None
    kept = [0, 1, 2]
    while True:
        found = _least_squares(points, kept)
        if found is None or found[0] <= 0:
            return None
        negative = [(found[index], index) for index in kept if index and found[index] < 0]
        if not negative:
            break
        kept.remove(min(negative)[1])
    alpha, beta, gamma = found
    sigma, kappa = beta / alpha, gamma / alpha
    fit = UslFit(
        per_one=1 / alpha,
        contention=sigma,
        coherency=kappa,
        peak_at=math.sqrt((1 - sigma) / kappa) if kappa > 0 and sigma < 1 else None,
        worst_share=0.0,
    )
    worst = max(abs(fit.work(point.concurrency) / point.work - 1) for point in points)
    return msgspec.structs.replace(fit, worst_share=worst)


def _least_squares(points: Sequence[CurvePoint], kept: Sequence[int]) -> list[float] | None:
    """Solve the normal equations of relative errors for the coefficients that are kept; the others are 0."""
    rows: list[tuple[list[float], float]] = []
    for point in points:
        c, y = point.concurrency, point.concurrency / point.work
        terms = (1.0, c - 1.0, c * (c - 1.0))
        rows.append(([terms[index] / y for index in kept], 1.0))
    size = len(kept)
    matrix = [
        [sum(terms[i] * terms[j] for terms, _ in rows) for j in range(size)]
        + [sum(terms[i] * one for terms, one in rows)]
        for i in range(size)
    ]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(matrix[row][column]))
        if abs(matrix[pivot][column]) < 1e-12:
            return None
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        for row in range(size):
            if row != column:
                factor = matrix[row][column] / matrix[column][column]
                matrix[row] = [a - factor * b for a, b in zip(matrix[row], matrix[column], strict=True)]
    found = [0.0, 0.0, 0.0]
    for place, index in enumerate(kept):
        found[index] = matrix[place][size] / matrix[place][place]
    return found
