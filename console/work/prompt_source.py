"""Where the prompts of capacity levels come from: endless or finite, and prompt number i is always the same one.

A level may be broken off and resumed, dealt to several processes, or go on until its rules are decided: so
nothing here is drawn in sequence. `at(i)` depends on what the source was made with and on i alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, overload

from console.vocabulary.chat import ChatRequest

_WORD: Final = (1 << 64) - 1


class PromptSource(Protocol):
    """Prompts by their number."""

    @property
    def size(self) -> int | None:
        """How many differ: number i and i + size are the same one. None: all do."""
        ...

    def at(self, index: int) -> ChatRequest:
        """Return prompt `index`, counted from 0; there is one for every number."""
        ...


class Taken(Sequence[ChatRequest]):
    """The first prompts of a source, each made when it is asked for, and before them those that warm up.

    These are the ones that follow in the source, so that what is measured is the same with and without them, and
    nothing of it is in a cache.
    """

    def __init__(self, source: PromptSource, count: int, *, warm_ups: int = 0) -> None:
        self._source = source
        self._count = count
        self._warm_ups = warm_ups

    def __len__(self) -> int:
        return self._warm_ups + self._count

    def _at(self, place: int) -> ChatRequest:
        return self._source.at(place - self._warm_ups if place >= self._warm_ups else self._count + place)

    @overload
    def __getitem__(self, index: int) -> ChatRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[ChatRequest]: ...
    def __getitem__(self, index: int | slice) -> ChatRequest | list[ChatRequest]:
        places = range(len(self))[index]
        return [self._at(place) for place in places] if isinstance(places, range) else self._at(places)

    def __iter__(self) -> Iterator[ChatRequest]:
        return map(self._at, range(len(self)))


def mixed(seed: int, index: int, what: int) -> int:
    """Return 64 bits that look random and follow from the three numbers alone (splitmix64's finaliser).

    A generator seeded for every prompt would cost ten times as much, while others wait to be sent.
    """
    bits = (seed * 0xD1342543DE82EF95 + index * 0x9E3779B97F4A7C15 + what * 0xA24BAED4963EE407 + 1) & _WORD
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _WORD
    return bits ^ (bits >> 31)


def drawn(seed: int, index: int, what: int) -> float:
    """Return the same as a number above 0 and below 1."""
    return ((mixed(seed, index, what) >> 11) + 0.5) / (1 << 53)
