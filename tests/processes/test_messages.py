"""What processes say to each other comes over as it was, credentials included, and shows none in print."""

from __future__ import annotations

from console.engine.link import Prompt
from console.processes.messages import (
    Begin,
    Deal,
    DealPrompts,
    Done,
    JobEnded,
    PartEndpoint,
    Want,
    line_of,
    read_from_part,
    read_to_part,
)
from console.vocabulary.chat import ChatRequest, Endpoint, Timeouts
from console.vocabulary.command import Drain
from console.vocabulary.secret import Secret


def test_a_beginning_brings_the_endpoints_with_their_credentials() -> None:
    endpoint = Endpoint(
        api="openai", base_url="http://x/v1", deployment="m", secret=Secret("sk-canary-123456", "env:KEY")
    )
    begin = Begin(
        process=1, run_id="r", run_dir="/r", wall="w", start_ns=5, timeouts=Timeouts(),
        endpoints={"p/m@k": PartEndpoint.of(endpoint)},
    )  # fmt: skip
    read = read_to_part(line_of(begin))
    assert read == begin
    back = read.endpoints["p/m@k"].endpoint()
    assert back.secret is not None
    assert (back.secret.reveal(), back.secret.source) == ("sk-canary-123456", "env:KEY")
    assert "canary" not in repr(begin)


def test_work_and_words_come_over() -> None:
    prompt = Prompt(3, ChatRequest(messages=({"role": "user", "content": "é\n"},)), 17)
    for to_part in (Deal(2, ("a/b", "c"), {"c": 1}), DealPrompts((prompt,)), Drain()):
        line = line_of(to_part)
        assert line.count(b"\n") == 1
        assert read_to_part(line) == to_part
    for from_part in (Want(0, 5, 9), Done(1, ("a",), (True,), (7,)), JobEnded(0, ("x",), {"x": 2})):
        assert read_from_part(line_of(from_part)) == from_part
