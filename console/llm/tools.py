"""Tool calls, put together from the pieces in which they are streamed."""

from __future__ import annotations

from console.llm.chunks import ToolDelta
from console.vocabulary.chat import ToolCall


class ToolAssembly:
    """Takes pieces as they come and gives the calls in the order in which they began."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[_OpenCall] = []

    def add(self, piece: ToolDelta) -> None:
        """Put a piece where it belongs: by index; some servers number every call 0 but give each its own id."""
        call = self._known(piece)
        if call is None:
            call = _OpenCall(piece.index)
            self._open.append(call)
        call.add(piece)

    def calls(self) -> tuple[ToolCall, ...]:
        """Return what has come so far."""
        return tuple(call.closed() for call in self._open)

    def _known(self, piece: ToolDelta) -> _OpenCall | None:
        if piece.index is None:
            last = self._open[-1] if self._open else None
            return last if last is not None and piece.id in (None, "", last.id) else None
        for call in reversed(self._open):
            if call.index == piece.index:
                return call if not piece.id or not call.id or piece.id == call.id else None
        return None


class _OpenCall:
    """A tool call while its pieces come."""

    __slots__ = ("arguments", "id", "index", "name")

    def __init__(self, index: int | None) -> None:
        self.index = index
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
