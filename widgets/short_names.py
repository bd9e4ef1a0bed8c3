"""Names made to fit, cut where they are alike and not where they differ.

What was left out is always marked by `~`, and two names that differ are never written alike.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len

CUT: Final = "~"
_TAIL: Final = re.compile(r"-([A-Za-z]+)(?=(?:-\d+)?$)")
"""The last word of a name, a number behind it left aside: `-instruct` in `a-7b-instruct-2`."""


def shortened(names: Iterable[str], width: int) -> dict[str, str]:
    """Return each name in at most `width` columns: first without the tail it shares with others, then cut within.

    A tail is left out of all the names that share it, so that they stay comparable.
    """
    whole = list(dict.fromkeys(names))
    if all(cell_len(name) <= width for name in whole):
        return {name: name for name in whole}
    short = _without_shared_tails(whole, width)
    long = [name for name in whole if cell_len(short[name]) > width]
    if long:
        taken = {short[name] for name in whole if cell_len(short[name]) <= width}
        short.update(_cut_within({name: short[name] for name in long}, taken, max(1, width)))
    return short


def clip(text: str, width: int) -> str:
    """Shorten one text from its middle."""
    if cell_len(text) <= width:
        return text
    if width <= 3:
        return _head(text, max(0, width))
    return _cut_at(text, width - 1 - (width - 1) // 2, width)


def _without_shared_tails(names: Sequence[str], width: int) -> dict[str, str]:
    tails = {name: found.group(1).lower() for name in names if (found := _TAIL.search(name))}
    shared = {tail for tail, count in Counter(tails.values()).items() if count > 1}
    needed = {tails[name] for name in names if cell_len(name) > width and name in tails} & shared
    short = {name: _TAIL.sub(CUT, name) if tails.get(name) in needed else name for name in names}
    alike = Counter(short.values())
    return {name: text if alike[text] == 1 else name for name, text in short.items()}


def _cut_within(texts: dict[str, str], taken: set[str], width: int) -> dict[str, str]:
    """Cut all at the same place, one at which they stay different and no number is cut in two if there is such."""
    best: tuple[int, int, dict[str, str]] | None = None
    for head in range(1, width):
        cut = {name: _cut_at(text, head, width) for name, text in texts.items()}
        if len(set(cut.values())) < len(cut) or taken & set(cut.values()):
            continue
        split = sum(_splits_a_number(text, head, width) for text in texts.values())
        rank = (split, abs(2 * head - width))
        if best is None or rank < best[:2]:
            best = (*rank, cut)
    return best[2] if best is not None else _numbered(texts, taken, width)


def _cut_at(text: str, head: int, width: int) -> str:
    return _head(text, head) + CUT + _head(text[::-1], width - 1 - head)[::-1]


def _head(text: str, width: int) -> str:
    """Return as much of a text as has room in `width` columns."""
    if text.isascii():
        return text[:width]
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:index]
    return text


def _splits_a_number(text: str, head: int, width: int) -> bool:
    if not text.isascii():
        return False  # places in it are not columns
    end = len(text) - (width - 1 - head)
    return text[head - 1 : head + 1].isdigit() or (end < len(text) and text[end - 1 : end + 1].isdigit())


def _numbered(texts: dict[str, str], taken: set[str], width: int) -> dict[str, str]:
    """Number names that cannot be told apart otherwise."""
    made: dict[str, str] = {}
    used = set(taken)
    numbers = itertools.count(1)
    for name, text in texts.items():
        while True:
            mark = f"{CUT}{next(numbers)}"
            candidate = _head(text, max(0, width - len(mark))) + mark
            if candidate not in used:
                break
        used.add(candidate)
        made[name] = candidate
    return made
