"""Limits that a user sets: `--slo ttft_p95<800ms` of a level, `--goodput ttft:500` of each answer."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from console.vocabulary.errors import ConsoleError
from console.vocabulary.nearest import nearest

SloMetric = Literal["ttft", "tpot", "e2e", "response", "queue", "success", "goodput"]
SloStat = Literal["mean", "p50", "p90", "p95", "p99", ""]
SloOp = Literal["<", "<=", ">", ">="]
_LATENCIES: Final[dict[str, SloMetric]] = {
    "ttft": "ttft", "tpot": "tpot", "e2e": "e2e", "e2el": "e2e", "response": "response", "queue": "queue",
}  # fmt: skip
_SHARES: Final[dict[str, SloMetric]] = {"success": "success", "goodput": "goodput"}
_STATS: Final[dict[str, SloStat]] = {
    "mean": "mean", "avg": "mean", "p50": "p50", "median": "p50", "p90": "p90", "p95": "p95", "p99": "p99",
}  # fmt: skip
_OPS: Final[dict[str, SloOp]] = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
_SIGNS: Final[dict[SloOp, str]] = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_FORM: Final = re.compile(
    r"\s*([a-z0-9_]+)\s*(<=|>=|<|>|≤|≥)\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|%)?\s*", re.IGNORECASE
)
_GOODPUT: Final[dict[str, str]] = {"ttft": "ttft", "tpot": "tpot", "e2el": "e2e", "e2e": "e2e"}
_EXAMPLES: Final = "such as ttft_p95<800ms, tpot_p99<50ms, e2el_p90<=10s, success>=99%, goodput>=95%"


class Slo(msgspec.Struct, frozen=True):
    """A limit on one figure of a level."""

    metric: SloMetric
    stat: SloStat
    """Empty for shares."""
    op: SloOp
    limit: float
    """In ms; of shares 0 … 1."""

    @property
    def name(self) -> str:
        """What its rule is called: `ttft_p95`, `success`."""
        return f"{self.metric}_{self.stat}" if self.stat else self.metric

    @property
    def limit_text(self) -> str:
        """The limit as people read it: `< 800 ms`, `≥ 99 %`."""
        unit = "ms" if self.stat else "%"
        return f"{_SIGNS[self.op]} {self.limit if self.stat else 100 * self.limit:.6g} {unit}"


def parse_slo(text: str) -> Slo:
    """Read what `--slo` was given.

    Raises:
        ConsoleError: located at the option, with what would be right.
    """
    where = f"--slo {text}"
    found = _FORM.fullmatch(text)
    if found is None:
        raise ConsoleError(
            "not a limit: figure, comparison, value with its unit", where=where, hint=_EXAMPLES
        )
    name, op, value, unit = found[1].lower(), _OPS[found[2]], float(found[3]), (found[4] or "").lower()
    if name in _SHARES:
        return _share(where, _SHARES[name], op, value, unit)
    metric, _, stat = name.partition("_")
    if metric not in _LATENCIES or stat not in _STATS:
        raise ConsoleError(f"no such figure: {name}", where=where, hint=_meant(name))
    if op not in ("<", "<="):
        raise ConsoleError(f"{name} is better when it is less", where=where, hint="write < or <=")
    if unit not in ("ms", "s"):
        raise ConsoleError(f"{name} needs ms or s", where=where, hint=f"such as {name}{op}{found[3]}ms")
    if value <= 0:
        raise ConsoleError("a limit of 0 is never met", where=where)
    return Slo(_LATENCIES[metric], _STATS[stat], op, value * 1000 if unit == "s" else value)


def _share(where: str, metric: SloMetric, op: SloOp, value: float, unit: str) -> Slo:
    if op not in (">", ">="):
        raise ConsoleError(f"{metric} is better when it is more", where=where, hint="write > or >=")
    if unit in ("ms", "s"):
        raise ConsoleError(f"{metric} is a share", where=where, hint=f"such as {metric}>=99%")
    share = value / 100 if unit == "%" else value
    if not 0 < share < 1:
        raise ConsoleError(
            "a share of 100 % or more is never certain, one of 0 always met"
            if unit == "%"
            else "a share is a percentage, or a number between 0 and 1",
            where=where,
            hint=f"such as {metric}>=99%",
        )
    return Slo(metric, "", op, share)


def _meant(name: str) -> str:
    known = [f"{metric}_{stat}" for metric in _LATENCIES for stat in _STATS] + list(_SHARES)
    metric = name.partition("_")[0]
    if metric in _LATENCIES:
        return f"of {metric} there are mean, p50, p90, p95 and p99"
    close = nearest(name, known)
    return f"did you mean {close}?" if close else _EXAMPLES


def parse_goodput(text: str) -> tuple[str, float]:
    """Read what `--goodput` was given, in the form of vLLM: name and limit in ms.

    Returns:
        `ttft`, `tpot` or `e2e`, and the limit in ms.

    Raises:
        ConsoleError: located at the option, with what would be right.
    """
    where = f"--goodput {text}"
    name, colon, value = text.strip().partition(":")
    if not colon:
        raise ConsoleError("not a limit: NAME:MILLISECONDS", where=where, hint="such as ttft:500")
    if name.lower() not in _GOODPUT:
        raise ConsoleError(f"no such figure: {name}", where=where, hint="there are ttft, tpot and e2el")
    try:
        limit_ms = float(value)
    except ValueError:
        limit_ms = -1.0
    if not 0 < limit_ms < float("inf"):
        raise ConsoleError(
            "the limit is not a number of milliseconds above 0", where=where, hint=f"such as {name}:500"
        )
    return _GOODPUT[name.lower()], limit_ms
