"""Chunks read by their shape say what the JSON reader would have said, whatever comes and however it is cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.llm import chunks, stream
from console.llm.chunks import MalformedError, decode_chunk
from console.llm.stream import AnswerReader
from console.llm.template import learn
from console.vocabulary.chat import Timeouts


def event(delta: dict[str, Any], *, spaced: bool = False, **extra: Any) -> bytes:
    separators = (", ", ": ") if spaced else (",", ":")
    choice = {"index": 0, "delta": delta, "finish_reason": None} | extra.pop("choice", {})
    body = {"id": "a", "model": "m", "choices": [choice], **extra}
    return b"data: " + json.dumps(body, separators=separators, ensure_ascii=False).encode() + b"\n\n"


def text_event(text: str, kind: str = "content") -> bytes:
    return event({kind: text})


def seen_in(pieces: list[bytes], *, keep: bool) -> tuple[object, ...]:
    """What a reader makes of `pieces`, one a read, each at its own time."""
    reader = AnswerReader(Timeouts(), start_ns=0, stream=True, keep_content=keep)
    reader.sent(0)
    reader.head(200, [(b"content-type", b"text/event-stream")], 1)
    failed = ""
    deadlines: list[int] = []
    try:
        for number, piece in enumerate(pieces, 2):
            deadlines.append(reader.body(piece, number))
        reader.complete(len(pieces) + 2)
        reader.settle()
    except MalformedError as error:
        failed = str(error)
    return (
        failed, deadlines, reader.content, reader.reasoning, reader.tool_calls, reader.chunks, reader.gaps_ns,
        reader.stamps, reader.finish_reason, reader.done, reader.usage, reader.model, reader.answered,
    )  # fmt: skip


ODD = st.sampled_from(
    [
        text_event(""),
        event({"role": "assistant", "content": "x"}),
        event({"content": "x", "reasoning_content": "y"}),
        event({"content": "x"}, spaced=True),
        event({"content": "x"}, usage={"prompt_tokens": 1, "completion_tokens": 2}),
        event({"content": "x"}, choice={"finish_reason": "stop"}),
        event({"content": "x"}, choice={"index": 1}),
        event({"content": "x"}, obfuscation="abc"),
        event({"content": "x"}, content="y"),
        event({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}),
        text_event("x").replace(b"x", b"\xff"),
        text_event("x").replace(b"x", b"a\x01b"),
        text_event("x").replace(b"x", b"a\nb"),
        text_event("x").replace(b'"x"', b'"x","content":"z"'),
        text_event("x").replace(b'"x"', b'"x"}'),
        b": ping\n\n",
        b"event: note\n" + text_event("x"),
        b"data: [DONE]\n\n",
        text_event("x").replace(b"\n\n", b"\r\n\r\n"),
        text_event("é")[:-12] + b"\n\n" + text_event("é")[-12:],
    ]
)
TEXTS = st.one_of(
    st.sampled_from(
        [" tok", "a", "é", "漢字", "🎉", "\u200b", "\u00a0", 'say "x"', "back\\slash", "line\n", "\t"]
    ),
    st.text(max_size=5),
)
EVENTS = st.one_of(
    TEXTS.map(text_event),
    TEXTS.map(text_event),
    TEXTS.map(lambda text: text_event(text, "reasoning_content")),
    TEXTS.map(lambda text: text_event(text, "reasoning")),
    ODD,
)


@settings(max_examples=examples(250), deadline=None)
@given(
    events=st.lists(EVENTS, max_size=14),
    cuts=st.lists(st.integers(0, 1500), max_size=6),
    a_read_each=st.booleans(),
    keep=st.booleans(),
)
def test_reading_by_shape_and_reading_json_agree(
    events: list[bytes], cuts: list[int], a_read_each: bool, keep: bool
) -> None:
    whole = b"".join(events)
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    pieces = events if a_read_each else [whole[a:b] for a, b in pairwise(edges)]
    by_shape = seen_in(pieces, keep=keep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_TEMPLATE_TRIES", 0)
        by_json = seen_in(pieces, keep=keep)
    assert by_shape == by_json


@pytest.mark.parametrize("kind", ["content", "reasoning_content", "reasoning"])
@pytest.mark.parametrize("spaced", [False, True])
def test_the_usual_chunk_is_read_without_json(
    kind: str, spaced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []

    def counting(payload: bytes) -> Any:
        decoded.append(payload)
        return decode_chunk(payload)

    monkeypatch.setattr(chunks, "decode_chunk", counting)
    pieces = [event({kind: f" {number}"}, spaced=spaced) for number in range(30)]
    found = seen_in([*pieces[:20], b"".join(pieces[20:])], keep=True)
    assert "".join(f" {number}" for number in range(30)) in (found[2], found[3])
    assert (found[5], found[6]) == (30, [1] * 20 + [0] * 9)
    assert len(decoded) == 2
    assert seen_in([b"".join(pieces)], keep=True)[5] == 30
    assert len(decoded) == 2 + 3  # a first read of many: as many as it takes to learn


@pytest.mark.parametrize(
    "payload",
    [
        b'{"choices":[{"delta":{"content":"a\\"b"}}]}',
        b'{"choices":[{"delta":{"content" : "tok"}}],"x":{"content":"tok"}}',
        b'{"choices":[{"delta":{"content":"tok"}}],"content":"tok"}',
        b'{"choices":[{"delta":{"content":"tok"}},{"index":1,"delta":{}}]}',
        b'{"choices":[{"message":{"content":"tok"}}]}',
    ],
    ids=["escaped", "another place", "outside", "two choices", "no delta"],
)
def test_a_place_that_is_not_proven_to_hold_the_text_teaches_nothing(payload: bytes) -> None:
    assert learn(payload, decode_chunk(payload)) is None


def test_of_a_text_given_twice_the_one_that_counts_is_learnt() -> None:
    payload = b'{"choices":[{"delta":{"content":"tok","content":"tok"}}]}'
    template = learn(payload, decode_chunk(payload))
    assert template is not None
    changed = payload.replace(b'"tok"}', b'"new"}')
    assert template.read_one(b"data: " + changed + b"\n\n") == "new"
    assert decode_chunk(changed).choices[0].delta.content == "new"
