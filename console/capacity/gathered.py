"""The rows of one level as columns, gathered as they come, so that looking at them every second costs little.

What a figure needs of a row is taken from it once. Columns are in the order of the ends of requests, so that those of
a window are a slice; a row that comes late, as from another process, is put in its place.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from console.capacity.grid import Grid
from console.vocabulary.lane import Lane
from console.vocabulary.outcome import Outcome
from console.vocabulary.rows import RequestRow

WorkUnit = Literal["tokens", "chunks", "requests"]
_UNITS: Final[tuple[WorkUnit, ...]] = ("tokens", "chunks", "requests")
"""From what says most to what is always known."""


class Column:
    """Values with the moments that they belong to, in order of these; in one piece of memory each."""

    __slots__ = ("at", "values")

    def __init__(self) -> None:
        """Begin empty."""
        self.at = array("q")
        self.values = array("d")

    def add(self, at_ns: int, value: float) -> None:
        """Put a value in its place, which is nearly always the end."""
        if not self.at or at_ns >= self.at[-1]:
            self.at.append(at_ns)
            self.values.append(value)
            return
        place = bisect_right(self.at, at_ns)
        self.at.insert(place, at_ns)
        self.values.insert(place, value)

    def inside(self, from_ns: float, to_ns: float) -> list[float]:
        """Return the values from one moment on and before another."""
        return self.values[bisect_left(self.at, from_ns) : bisect_left(self.at, to_ns)].tolist()

    def count(self, from_ns: float, to_ns: float) -> int:
        """Return how many there are."""
        return bisect_left(self.at, to_ns) - bisect_left(self.at, from_ns)


class Part:
    """What is gathered of one lane: requests by how they ended, and sums over time."""

    def __init__(self, begun_ns: int) -> None:
        """Begin empty."""
        self.sent: dict[Outcome, list[int]] = {}
        """When requests were sent that ended so, in order."""
        self.answered: list[int] = []
        """When answers ended, in order."""
        self.ttft_ms = Column()
        self.busy = Grid(begun_ns)
        """Nanoseconds of requests in flight."""
        self.work = Grid(begun_ns)


class Gathered:
    """The rows of one level so far."""

    def __init__(
        self,
        begun_ns: int,
        rows: Iterable[RequestRow] = (),
        *,
        goodput: Sequence[tuple[str, float]] = (),
        prompt_tokens: int = 0,
    ) -> None:
        """Gather `rows` of a level that began at `begun_ns`; further ones by `add`.

        `goodput` is as `slo.parse_goodput` returns each; `prompt_tokens` is the estimate of one prompt.
        """
        self._begun_ns = begun_ns
        self._goodput = tuple(goodput)
        self._prompt_tokens = prompt_tokens
        self.unit: WorkUnit = "tokens"
        """What its work is counted in: tokens as long as every answer told how many, chunks if all came as streams."""
        self.parts: dict[Lane, Part] = {}
        self.stays = Column()
        """Of all requests, at their ends, in ns."""
        self.sent = Column()
        """The same, at their sending."""
        self.samples: dict[str, Column] = {
            name: Column() for name in ("ttft", "tpot", "e2e", "response", "queue")
        }
        """Latencies of answers in ms."""
        self.tokens = Column()
        self.cached = Column()
        """Cached prompt tokens, of answers that told them, and their prompt tokens."""
        self.prompts = Column()
        self.good = Column()
        """1 for an answer within all limits of `--goodput`, else 0."""
        self._answered: list[RequestRow] = []
        self.spent_tokens = 0
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.stays.at)

    def busy(self, edges_ns: Sequence[float]) -> list[float]:
        """Return the nanoseconds of requests in flight between each edge and the next."""
        return _summed([part.busy.between(edges_ns) for part in self.parts.values()], len(edges_ns) - 1)

    def work(self, edges_ns: Sequence[float]) -> list[float]:
        """Return the work that was done between each edge and the next, also in answers that go on beyond them."""
        return _summed([part.work.between(edges_ns) for part in self.parts.values()], len(edges_ns) - 1)

    def extend(self, rows: Iterable[RequestRow]) -> None:
        """Take further rows."""
        for row in rows:
            self.add(row)

    def add(self, row: RequestRow) -> None:
        """Take one row."""
        stay_ns = row.total_ns or 0
        end_ns = row.at_ns + stay_ns
        part = self.parts.get(row.lane)
        if part is None:
            part = self.parts[row.lane] = Part(self._begun_ns)
        self.stays.add(end_ns, stay_ns)
        self.sent.add(row.at_ns, stay_ns)
        sent = part.sent.get(row.outcome)
        if sent is None:
            sent = part.sent[row.outcome] = []
        insort(sent, row.at_ns)
        if stay_ns:
            part.busy.add(row.at_ns, end_ns, stay_ns)
        self.spent_tokens += self._spent(row)
        if row.outcome is Outcome.OK:
            self._answer(row, end_ns, part)

    def _spent(self, row: RequestRow) -> int:
        """Return prompt and output tokens; a prompt that was refused cost none, a chunk without usage counts as one."""
        output = row.chunks if row.completion_tokens is None else row.completion_tokens
        if row.prompt_tokens is not None:
            return row.prompt_tokens + output
        return output + (self._prompt_tokens if row.outcome is Outcome.OK or row.chunks else 0)

    def _answer(self, row: RequestRow, end_ns: int, part: Part) -> None:
        insort(part.answered, end_ns)
        samples, ttft_ns, latency_ns = self.samples, row.ttft_ns, row.latency_ns
        if ttft_ns is not None:
            samples["ttft"].add(end_ns, ttft_ns / 1e6)
            part.ttft_ms.add(end_ns, ttft_ns / 1e6)
        tpot = tpot_ms(row)
        if tpot is not None:
            samples["tpot"].add(end_ns, tpot)
        if latency_ns is not None:
            samples["e2e"].add(end_ns, latency_ns / 1e6)
            if row.due_ns is not None:
                samples["queue"].add(end_ns, (row.at_ns - row.due_ns) / 1e6)
                samples["response"].add(end_ns, (row.at_ns - row.due_ns + latency_ns) / 1e6)
        if row.completion_tokens is not None:
            self.tokens.add(end_ns, row.completion_tokens)
        if row.cached_tokens is not None and row.prompt_tokens is not None:
            self.cached.add(end_ns, row.cached_tokens)
            self.prompts.add(end_ns, row.prompt_tokens)
        if self._goodput and (good := is_good(row, self._goodput)) is not None:
            self.good.add(end_ns, good)
        self._answered.append(row)
        if _is_known(row, self.unit):
            self._add_work(row, part)
        else:
            self._count_in_less()

    def _count_in_less(self) -> None:
        """Count all work anew, in the next unit that is known of every answer."""
        later = _UNITS[_UNITS.index(self.unit) + 1 :]
        self.unit = next(unit for unit in later if all(_is_known(row, unit) for row in self._answered))
        for part in self.parts.values():
            part.work = Grid(self._begun_ns)
        for row in self._answered:
            self._add_work(row, self.parts[row.lane])

    def _add_work(self, row: RequestRow, part: Part) -> None:
        begin_ns, end_ns, amount = _work_of(row, self.unit)
        part.work.add(begin_ns, end_ns, amount)


def _is_known(row: RequestRow, unit: WorkUnit) -> bool:
    if unit == "tokens":
        return row.completion_tokens is not None
    return unit == "requests" or (row.stream and row.chunks > 0)


def _work_of(row: RequestRow, unit: WorkUnit) -> tuple[int, int, int]:
    """Return from when to when an answer was made, and how much; one in a single piece was made all the while."""
    last_ns = row.at_ns + (row.latency_ns or row.total_ns or 0)
    if unit == "requests":
        return row.at_ns, last_ns, 1
    first_ns = row.at_ns + (row.ttft_ns or 0) if row.stream else row.at_ns
    amount = row.completion_tokens if unit == "tokens" else row.chunks
    return first_ns, last_ns, amount or 0


def tpot_ms(row: RequestRow) -> float | None:
    """Return (latency - TTFT) / (output tokens - 1); None: there is only one, or nobody told how many."""
    tokens, ttft_ns, latency_ns = row.completion_tokens, row.ttft_ns, row.latency_ns
    if tokens is None or tokens < 2 or ttft_ns is None or latency_ns is None:
        return None
    return (latency_ns - ttft_ns) / (tokens - 1) / 1e6


def is_good(row: RequestRow, limits: Sequence[tuple[str, float]]) -> bool | None:
    """Whether an answer is within every limit; None: a figure is not known. One token meets any TPOT, as in vLLM."""
    good = True
    for name, limit_ms in limits:
        if name == "tpot":
            figure = 0.0 if row.completion_tokens in (0, 1) else tpot_ms(row)
        else:
            figure_ns = row.ttft_ns if name == "ttft" else row.latency_ns
            figure = None if figure_ns is None else figure_ns / 1e6
        if figure is None:
            return None
        good = good and figure <= limit_ms
    return good


def _summed(parts: Sequence[Sequence[float]], count: int) -> list[float]:
    return [sum(slices) for slices in zip(*parts, strict=True)] or [0.0] * count
