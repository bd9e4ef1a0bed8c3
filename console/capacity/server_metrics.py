"""Watches what the server says of itself beside our curve: every second, and window by window.

A scrape that fails is trouble to be told and no figure: windows are made of what was seen. Nothing here knows how a
page is fetched or what the time is; `metrics_page` is how it is done for real.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from statistics import fmean
from typing import Final

import anyio
import httpx

from console.capacity.metrics_text import ServerSample, parse_metrics, together
from console.llm.transport import Transport
from console.records.intervals import student_quantile
from console.vocabulary.errors import ConsoleError
from console.vocabulary.safe_text import safe_line

__all__ = ["Fetch", "ServerSample", "ServerWatch", "metrics_page", "parse_metrics"]

Fetch = Callable[[], Awaitable[str]]
"""Returns a page of metrics; raises OSError or httpx.HTTPError where it cannot be had."""

INTERVAL_S: Final = 1.0
_PATIENCE_S: Final = 2.0
"""After which a scrape counts as failed: a server that is full may answer late, and the next look is due."""
_LARGEST_PAGE: Final = 16 << 20
_FEWEST_FOR_SLOPE: Final = 8
_GROWTH_SHARE: Final = 0.1
"""Of all requests there: a queue that grows by less over a window is one that varies."""
_GROWTH_LEAST: Final = 2.0


ServerIn = Callable[[int, int], dict[str, float]]
"""What a server said of itself between two times."""


class ServerWatch:
    """Looks at a server's metrics until it is cancelled, and says what they were in any window."""

    def __init__(self, *fetches: Fetch, now_ns: Callable[[], int], interval_s: float = INTERVAL_S) -> None:
        """Watch pages that belong together: those of one server, of several replicas, of their GPUs."""
        self._fetches = fetches
        self._now_ns = now_ns
        self._interval_s = interval_s
        self._times: list[int] = []
        self._samples: list[ServerSample] = []
        self.trouble = ""
        """Why the last look saw nothing, or not everything; empty: it did."""

    async def run(self) -> None:
        """Look once every interval, at times that do not drift."""
        due_ns = self._now_ns()
        while True:
            await self.look()
            due_ns += int(self._interval_s * 1e9)
            wait_ns = due_ns - self._now_ns()
            if wait_ns <= 0:
                due_ns -= wait_ns
            await anyio.sleep(max(wait_ns, 0) / 1e9)

    async def look(self) -> ServerSample | None:
        """Look once; None: nothing could be seen."""
        pages: list[ServerSample | str] = [""] * len(self._fetches)

        async def one(index: int, fetch: Fetch) -> None:
            pages[index] = await _page(fetch)

        async with anyio.create_task_group() as group:
            for index, fetch in enumerate(self._fetches):
                group.start_soon(one, index, fetch)
        seen = [page for page in pages if isinstance(page, ServerSample)]
        self.trouble = "; ".join(page for page in pages if isinstance(page, str))
        if not seen or self.trouble:
            return None  # a part of the replicas would look like a queue that is gone
        sample = together(seen)
        self._times.append(self._now_ns())
        self._samples.append(sample)
        return sample

    def since(self, start_ns: int) -> ServerIn:
        """Return the same by times that count from `start_ns`."""
        return lambda from_ns, to_ns: self.window(start_ns + from_ns, start_ns + to_ns)

    @property
    def last(self) -> ServerSample | None:
        """What was seen last."""
        return self._samples[-1] if self._samples else None

    def window(self, from_ns: int, to_ns: int) -> dict[str, float]:
        """Return the figures of a window; what was never shown in it is not there.

        `samples` (looks), `running_mean`, `running_max`, `waiting_mean`, `waiting_max`, `waiting_slope_per_s`,
        `waiting_grows` (0 or 1), `kv_cache_mean`, `kv_cache_max`, `preemptions` (in it), `gpu_util_mean`,
        `gpu_memory_max`.
        """
        first, end = bisect_left(self._times, from_ns), bisect_right(self._times, to_ns)
        samples = self._samples[first:end]
        figures: dict[str, float] = {"samples": float(len(samples))}
        for name, key in _MEANS:
            if values := _known(samples, name):
                figures[f"{key}_mean"] = fmean(values)
        for name, key in _PEAKS:
            if values := _known(samples, name):
                figures[f"{key}_max"] = max(values)
        before = self._samples[max(0, first - 1) : end]
        if len(counts := _known(before, "preemptions")) > 1:
            figures["preemptions"] = sum(max(0.0, later - earlier) for earlier, later in pairwise(counts))
        figures.update(growth(self._times[first:end], samples))
        return figures


_MEANS: Final = (
    ("running", "running"),
    ("waiting", "waiting"),
    ("cache_used", "kv_cache"),
    ("gpu_util", "gpu_util"),
)
_PEAKS: Final = (
    ("running", "running"),
    ("waiting", "waiting"),
    ("cache_used", "kv_cache"),
    ("gpu_memory_used", "gpu_memory"),
)


def _known(samples: Sequence[ServerSample], name: str) -> list[float]:
    return [value for sample in samples if (value := getattr(sample, name)) is not None]


async def _page(fetch: Fetch) -> ServerSample | str:
    try:
        with anyio.fail_after(_PATIENCE_S):
            text = await fetch()
    except TimeoutError:
        return f"no metrics within {_PATIENCE_S:g} s"
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        return safe_line(f"no metrics: {error}" if str(error) else f"no metrics: {type(error).__name__}", 200)
    sample = parse_metrics(text)
    return "the page has no metric that is known" if sample.empty else sample


def growth(times: Sequence[int], samples: Sequence[ServerSample]) -> dict[str, float]:
    """Return the slope of the queue, and whether it grew: more than it varies, and by enough to matter."""
    points = [
        ((at_ns - times[0]) / 1e9, sample.waiting)
        for at_ns, sample in zip(times, samples, strict=True)
        if sample.waiting is not None
    ]
    if len(points) < _FEWEST_FOR_SLOPE:
        return {}
    slope, error = slope_of(points)
    rise = slope * (points[-1][0] - points[0][0])
    there = fmean((sample.waiting or 0.0) + (sample.running or 0.0) for sample in samples)
    grows = slope > error and rise >= max(_GROWTH_LEAST, _GROWTH_SHARE * there)
    return {"waiting_slope_per_s": slope, "waiting_grows": float(grows)}


def slope_of(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the slope of a line through points, and half the width of its 95 % interval.

    Looks at a queue a second apart are alike, so what counts is how many independent ones they are worth: the
    number is corrected by the residuals' correlation with the next, n (1 - ρ) / (1 + ρ) (Santer and others 2000,
    J. Geophys. Res. 105:7337).
    """
    n = len(points)
    middle_x, middle_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    if not spread:
        return 0.0, math.inf
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    rest = [y - middle_y - slope * (x - middle_x) for x, y in points]
    squares = sum(one * one for one in rest)
    if squares < 1e-12:
        return slope, 0.0
    correlation = max(0.0, min(0.95, sum(one * later for one, later in pairwise(rest)) / squares))
    worth = max(4.0, n * (1 - correlation) / (1 + correlation))
    deviation = math.sqrt(squares / (worth - 2) / spread)
    return slope, student_quantile(int(worth) - 2) * deviation


@asynccontextmanager
async def server_watch(urls: Sequence[str], now_ns: Callable[[], int]) -> AsyncGenerator[ServerWatch | None]:
    """Yield what watches the pages of `--server-metrics`, which its `run` does; None: there are none.

    Raises:
        ConsoleError: if one is no URL.
    """
    async with AsyncExitStack() as pages:
        fetches = [await pages.enter_async_context(metrics_page(url)) for url in urls]
        yield ServerWatch(*fetches, now_ns=now_ns) if fetches else None


@asynccontextmanager
async def metrics_page(url: str) -> AsyncGenerator[Fetch]:
    """Yield how the page of `--server-metrics URL` is fetched, over a connection of its own; `/metrics` if it names no path.

    Raises:
        ConsoleError: if it is no URL.
    """
    try:
        page = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConsoleError(f"{url!r} is no URL: {error}", where="--server-metrics") from None
    if page.scheme not in ("http", "https") or not page.host:
        raise ConsoleError(f"{url!r} is no http:// or https:// URL", where="--server-metrics")
    if page.path in ("", "/"):
        page = page.copy_with(path="/metrics")
    async with httpx.AsyncClient(transport=Transport(), timeout=_PATIENCE_S) as client:

        async def fetch() -> str:
            async with client.stream("GET", page, headers={"Accept": "text/plain"}) as response:
                if response.status_code != 200:
                    raise httpx.HTTPError(f"{page} answers with status {response.status_code}")
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST_PAGE:
                        raise httpx.HTTPError(f"{page} is larger than {_LARGEST_PAGE >> 20} MiB")
            return body.decode(errors="replace")

        yield fetch
