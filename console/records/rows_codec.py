r"""A row of the journal, or of the traces, as one line of bytes, and back: JSON that ends in a checksum of itself.

    {"type":"request", … ,"crc":"1a2b3c4d"}\n

The checksum is the CRC-32 (zlib) of all bytes before the comma in front of `"crc"`, so a reader that does not
know of it still reads valid JSON, and a line cut anywhere, or changed in a single bit, is found out.
"""

from __future__ import annotations

import zlib
from typing import Final, get_args

import msgspec

from console.vocabulary.rows import Row
from console.vocabulary.trace import TraceRow

_MARK: Final = b',"crc":"'
_SUFFIX_LENGTH: Final = len(_MARK) + 8 + len(b'"}')
_KNOWN: Final = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Row))

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Row] = msgspec.json.Decoder(Row)
_trace_decoder = msgspec.json.Decoder(TraceRow)


class _Tagged(msgspec.Struct):
    type: str


_tag_decoder = msgspec.json.Decoder(_Tagged)


class DamagedLine(Exception):  # noqa: N818 - it names what was found
    """A line that is not a row as it was written; the text says why."""


class UnknownRow(Exception):  # noqa: N818 - it names what was found
    """A whole row of a kind that this version does not know; the text is the kind."""


def encode_line(row: Row | TraceRow) -> bytes:
    """Return `row` as one line with its checksum and the newline.

    Raises:
        UnicodeEncodeError: if a text in it has a surrogate without its other half.
    """
    body = _encoder.encode(row)[:-1]
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def decode_line(line: bytes) -> Row:
    """Return the row of one line, with or without its newline.

    Raises:
        DamagedLine: if the checksum is absent or wrong, or the row is not valid.
        UnknownRow: if it is whole, but of a kind that only a newer version knows.
    """
    line = _whole(line)
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError as error:
        kind = _tag_of(line)
        if kind is not None and kind not in _KNOWN:
            raise UnknownRow(kind) from None
        raise DamagedLine(f"not a valid row: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedLine(f"not valid JSON: {error}") from None


def decode_trace(line: bytes) -> TraceRow:
    """Return the trace of one line, with or without its newline.

    Raises:
        DamagedLine: if the checksum is absent or wrong, or it is no trace.
    """
    try:
        return _trace_decoder.decode(_whole(line))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedLine(f"not a valid trace: {error}") from None


def _whole(line: bytes) -> bytes:
    """Return a line without its newline, if its checksum is that of the rest.

    Raises:
        DamagedLine: if it is not.
    """
    if line.endswith(b"\n"):
        line = line[:-1]
    body, suffix = line[:-_SUFFIX_LENGTH], line[-_SUFFIX_LENGTH:]
    if not suffix.startswith(_MARK) or not suffix.endswith(b'"}'):
        raise DamagedLine("no checksum at its end")
    if suffix[len(_MARK) : -2] != b"%08x" % zlib.crc32(body):
        raise DamagedLine("its checksum does not match")
    return line


def _tag_of(line: bytes) -> str | None:
    try:
        return _tag_decoder.decode(line).type
    except msgspec.DecodeError:
        return None
