"""Tool calls, put together from the pieces in which they are streamed."""

from __future__ import annotations

from typing import Final

from console.llm.chunks import ToolDelta
from console.vocabulary.chat import ToolCall

MAX_CALLS: Final = 256
"""Calls that one answer may hold. More are no use to anybody, and no model writes them."""


class ToolAssembly:
    """Takes pieces as they come and gives the calls in the order in which they began."""

    __slots__ = ("_latest", "_open")

    def __init__(self) -> None:
        self._open: list[_OpenCall] = []
        self._latest: dict[int, _OpenCall] = {}
        """The call that began last under each index."""

    def add(self, piece: ToolDelta) -> bool:
        """Put a piece where it belongs: by index; some servers number every call 0 but give each its own id.

        Returns False, with the piece not taken, where it would begin one call more than `MAX_CALLS`.
        """
        call = self._known(piece)
        if call is None:
            if len(self._open) >= MAX_CALLS:
                return False
            call = _OpenCall()
            self._open.append(call)
            if piece.index is not None:
                self._latest[piece.index] = call
        call.add(piece)
        return True

    def calls(self) -> tuple[ToolCall, ...]:
        """Return what has come so far."""
        return tuple(call.closed() for call in self._open)

    def _known(self, piece: ToolDelta) -> _OpenCall | None:
        if piece.index is None:
            last = self._open[-1] if self._open else None
            return last if last is not None and piece.id in (None, "", last.id) else None
        call = self._latest.get(piece.index)
        if call is None or not piece.id or not call.id or piece.id == call.id:
            return call
        return None


class _OpenCall:
    """A tool call while its pieces come."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def add(self, piece: ToolDelta) -> None:
        if piece.id:
            self.id = piece.id
        if piece.function is not None:
            if piece.function.name and not self.name:
                self.name = piece.function.name
            if piece.function.arguments:
                self.arguments.append(piece.function.arguments)

    def closed(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.arguments))
