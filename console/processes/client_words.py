"""What an engine and its client processes say to each other: one JSON line each over a socket pair.

As with engine processes, only parent and child hold the two ends, so a credential may pass here.
"""

from __future__ import annotations

import msgspec

from console.processes.messages import PartEndpoint
from console.vocabulary.chat import ChatRequest, ChatResult, Timeouts
from console.vocabulary.client_health import ClientMeasure


class Serve(msgspec.Struct, frozen=True, tag="serve"):
    """First line: how requests are sent."""

    timeouts: Timeouts


class Know(msgspec.Struct, frozen=True, tag="know"):
    """An endpoint, and what it is called from now on."""

    name: int
    endpoint: PartEndpoint


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Send a request."""

    number: int
    endpoint: int
    request: ChatRequest


class Warm(msgspec.Struct, frozen=True, tag="warm"):
    """See to it that a request can be sent without connecting first."""

    number: int
    endpoint: int


class GiveUp(msgspec.Struct, frozen=True, tag="give_up"):
    """Nobody waits for an answer any more."""

    number: int


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """What came of a request; None: a connection is there, or is not."""

    number: int
    result: ChatResult | None


class Measured(msgspec.Struct, frozen=True, tag="measured"):
    """What the process measured of itself in the last second."""

    measure: ClientMeasure


ToClient = Serve | Know | Ask | Warm | GiveUp
FromClient = Answered | Measured
_encoder = msgspec.json.Encoder()
_to_client: msgspec.json.Decoder[ToClient] = msgspec.json.Decoder(ToClient)
_from_client: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)


def line_of(message: ToClient | FromClient) -> bytes:
    """Return a message as a line.

    Raises:
        UnicodeEncodeError: if a text in it has a surrogate without its other half.
    """
    return _encoder.encode(message) + b"\n"


def read_to_client(line: bytes) -> ToClient:
    """Read what the engine said."""
    return _to_client.decode(line)


def read_from_client(line: bytes) -> FromClient:
    """Read what a client process said."""
    return _from_client.decode(line)
