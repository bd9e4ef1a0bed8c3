r"""The shape that one answer's chunks share, learnt from one of them, so that the others need no JSON reader.

A server writes the chunks of an answer from one form: only the text differs.

    data: {"id":"a1", … "delta":{"content":" tok"}, … }\n\n
    `------------- prefix ---------------´    `--- suffix ---´

Bytes that are prefix + plain text + suffix, and nothing else, decode to what the learnt chunk decoded to, with that
text in its place: plain text holds no quote, no backslash and no control character, so it cannot end the string nor
change it. Whatever is not exactly so is left to the JSON reader.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from console.llm.chunks import Chunk, Delta, decode_chunk

Kind = Literal["content", "reasoning_content", "reasoning"]

_KEYS: Final[dict[Kind, re.Pattern[bytes]]] = {
    "content": re.compile(rb'"content": ?"'),
    "reasoning_content": re.compile(rb'"reasoning_content": ?"'),
    "reasoning": re.compile(rb'"reasoning": ?"'),
}
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
"""What JSON does not allow inside a string."""
_PROBE: Final = b"ultra-console"
"""Put in the place of the text to see that the place is the right one."""
_LINE_START: Final = b"data: "
_EVENT_END: Final = b"\n\n"


class ChunkTemplate:
    """Reads chunks of one shape. Made by `learn`, which proves that it is one."""

    __slots__ = ("_around", "_key", "_opening", "_prefix", "_suffix", "reasoning")

    def __init__(self, kind: Kind, opening: bytes, key: bytes, suffix: bytes) -> None:
        """Take what stands around the text of a chunk: opening and key before it, suffix behind it.

        Args:
            kind: what the text is.
            opening: the beginning of the `data:` of the event.
            key: the end of what is before the text, such as `"content":"`: short, so that it is found quickly.
            suffix: from the quote behind the text on.
        """
        self.reasoning = kind != "content"
        self._key = key
        self._opening = _LINE_START + opening
        self._prefix = self._opening + key
        self._suffix = suffix + _EVENT_END
        self._around = len(self._prefix) + len(self._suffix)

    def read_one(self, data: bytes) -> str | None:
        """Return the text of a read that is exactly one event of this shape, or None if it is anything else."""
        inner = data.removeprefix(self._prefix).removesuffix(
            self._suffix
        )  # cheaper than to ask first and slice then
        if not inner or len(inner) + self._around != len(data):
            return None
        try:
            text = inner.decode()
        except UnicodeDecodeError:
            return None
        return text if _is_plain(text) else None

    def read_many(self, data: bytes) -> tuple[str, int, int] | None:
        """Read the events of this shape at the beginning of `data`.

        Returns:
            Their texts joined, how many they are, and how many bytes they take; None if the JSON reader must look.
        """
        suffix = self._suffix
        end = len(data) if data.endswith(suffix) else data.rfind(suffix) + len(suffix)
        opening, *parts = data[:end].split(self._key)
        if opening != self._opening or not parts:
            return None
        parts[-1] += opening  # as behind all others: text, suffix, opening
        between = suffix + opening
        texts = [part.removesuffix(between) for part in parts]
        joined = b"".join(texts)
        if (
            b"" in texts or len(joined) + len(texts) * self._around != end
        ):  # a part that ends otherwise is too long
            return None
        try:
            text = joined.decode() if joined.isascii() else "".join([part.decode() for part in texts])
        except UnicodeDecodeError:
            return None
        return (text, len(texts), end) if _is_plain(text) else None


def _is_plain(text: str) -> bool:
    """Whether JSON writes `text` as it is, so that what is written is what is meant."""
    return '"' not in text and "\\" not in text and (text.isprintable() or _CONTROL.search(text) is None)


def learn(payload: bytes, chunk: Chunk) -> ChunkTemplate | None:
    """Return the shape of `payload`, the `data:` of an event that decoded to `chunk`, if only text varies in it.

    The place of the text is proven: with another text there, the payload decodes to the same chunk with that text.
    """
    found = _only_text(chunk)
    if found is None:
        return None
    kind, delta = found
    text = getattr(delta, kind).encode()
    *_, key = _KEYS[kind].findall(payload) or (b"",)
    opening, _, rest = payload.rpartition(key or b" ")
    if not key or not rest.startswith(text + b'"'):
        return None
    suffix = rest[len(text) :]
    try:
        probed = decode_chunk(opening + key + _PROBE + suffix)
    except ValueError:
        return None
    probed_text = _only_text(probed)
    if probed_text is None or getattr(probed_text[1], kind) != _PROBE.decode():
        return None
    setattr(probed_text[1], kind, getattr(delta, kind))
    return ChunkTemplate(kind, opening, key, suffix) if probed == chunk else None


def _only_text(chunk: Chunk) -> tuple[Kind, Delta] | None:
    """Return which text a chunk brings, and where, if it brings one text and nothing else."""
    choices = chunk.choices
    if chunk.error is not None or chunk.usage is not None or choices is None or len(choices) != 1:
        return None
    choice = choices[0]
    delta = choice.delta
    if delta is None or choice.index != 0 or choice.finish_reason or delta.refusal or delta.tool_calls:
        return None
    kinds: list[Kind] = [kind for kind in _KEYS if getattr(delta, kind)]
    return (kinds[0], delta) if len(kinds) == 1 else None
