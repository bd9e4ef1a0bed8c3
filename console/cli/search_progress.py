"""How a capacity search goes on, for the line that tells of a run; apart, as every run is told by it."""

from __future__ import annotations

from console.vocabulary.safe_text import safe_line
from console.vocabulary.search_view import SearchView


def search_progress(search: SearchView) -> list[str]:
    """Return the parts of the progress line of a search that goes on, the most important first."""
    parts: list[str] = []
    now = search.now
    if search.subject:
        parts.append(safe_line(search.subject, 60))
    parts.append(search.stage)
    if now is not None:
        rate = "" if now.rate is None else f" at {now.rate:g}/s"
        parts.append(
            f"level {now.number}: {now.concurrency} in flight{rate}, {now.stage} {now.stage_s:.0f} s"
        )
    low, high = ("misses", "reaches") if search.kind == "target" else ("passes", "fails")
    ends = [f"{search.passes} {low}" if search.passes is not None else "",
            f"{search.fails} {high}" if search.fails is not None else ""]  # fmt: skip
    if any(ends):
        parts.append(", ".join(filter(None, ends)))
    if search.levels_left:
        parts.append(f"about {search.levels_left} level{'' if search.levels_left == 1 else 's'} left")
    parts.append(f"{search.spent_requests:,} requests")
    return parts
