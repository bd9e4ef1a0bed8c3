"""The forms of servers that are out there, read by shape and read as JSON: the same, however they are cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples
from test_template import seen_in

from console.llm import stream

Chunks = list[dict[str, Any]]
TEXTS = [
    "Hel",
    "lo",
    " wörld",
    "!",
    " 漢字",
    "🎉",
    ' "quoted"',
    "\n",
    "\\",
    "",
    " tok",
    "\u2028",
    "</s>",
    "a\u0000b",
]


def chunk(delta: dict[str, Any], finish: str | None = None, **extra: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish} | extra.pop("choice", {})
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "choices": [choice],
    } | extra


def usage(completion: int) -> dict[str, Any]:
    return {"prompt_tokens": 9, "completion_tokens": completion, "total_tokens": 9 + completion}


def openai(texts: list[str]) -> Chunks:
    """`service_tier`, `usage: null` until the end, `obfuscation` of a length that hides the text's."""
    common = {"service_tier": "default", "system_fingerprint": "fp_1", "usage": None}
    return [
        chunk({"role": "assistant", "content": "", "refusal": None}, **common, obfuscation="q"),
        *(chunk({"content": text}, **common, obfuscation="x" * (9 - len(text))) for text in texts),
        chunk({}, "stop", **common, obfuscation="zz"),
        {"id": "c", "model": "m", "choices": [], "usage": usage(len(texts)), "service_tier": "default"},
    ]


def azure(texts: list[str]) -> Chunks:
    """A first chunk of prompt filters without choices, and filter results in every choice."""
    fine = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "violence")}
    return [
        {"choices": [], "created": 0, "id": "", "model": "", "prompt_filter_results": [{"prompt_index": 0}]},
        chunk({"role": "assistant", "content": ""}, choice={"content_filter_results": {}}),
        *(chunk({"content": text}, choice={"content_filter_results": fine}) for text in texts),
        chunk({}, "stop", choice={"content_filter_results": {}}),
    ]


def azure_late(texts: list[str]) -> Chunks:
    """The asynchronous filter: results and offsets in chunks of their own, between those of text."""
    late: Chunks = []
    for at, text in enumerate(texts):
        late.append(chunk({"content": text}))
        if at % 3 == 2:
            late.append(chunk({}, choice={"content_filter_offsets": {"check_offset": at}, "delta": None}))
    return [*late, chunk({}, "stop")]


def vllm(texts: list[str]) -> Chunks:
    """Usage in every chunk, counting up; `stop_reason`, `logprobs` and `token_ids` beside the delta."""
    beside = {"logprobs": None, "stop_reason": None, "token_ids": None}
    return [
        chunk({"role": "assistant", "content": ""}, usage=usage(0), prompt_token_ids=None),
        *(chunk({"content": text}, choice=beside, usage=usage(at)) for at, text in enumerate(texts, 1)),
        chunk({"content": ""}, "stop", choice=beside, usage=usage(len(texts))),
        {"id": "c", "model": "m", "choices": [], "usage": usage(len(texts))},
    ]


def sglang(texts: list[str]) -> Chunks:
    """All fields of a delta, most of them null."""
    empty = {"role": None, "reasoning_content": None, "tool_calls": None}
    return [
        chunk({"role": "assistant", "content": "", "reasoning_content": None, "tool_calls": None}),
        *(
            chunk({**empty, "content": text}, choice={"logprobs": None, "matched_stop": None})
            for text in texts
        ),
        chunk({**empty, "content": None}, "stop", choice={"matched_stop": 151645}),
    ]


def llama_cpp(texts: list[str]) -> Chunks:
    """The time of each chunk, and timings at the end."""
    return [
        *(chunk({"content": text}, created=1_700_000_000 + at) for at, text in enumerate(texts)),
        chunk({}, "stop", timings={"predicted_n": len(texts), "predicted_per_second": 51.3}),
    ]


def ollama(texts: list[str]) -> Chunks:
    """The role in every chunk."""
    return [
        *(chunk({"role": "assistant", "content": text}, system_fingerprint="fp_ollama") for text in texts),
        chunk({"role": "assistant", "content": ""}, "stop"),
    ]


def deepseek(texts: list[str]) -> Chunks:
    """Reasoning with `content: null`, then content with `reasoning_content: null`."""
    half = len(texts) // 2
    return [
        chunk({"role": "assistant", "content": None, "reasoning_content": ""}, usage=None),
        *(chunk({"content": None, "reasoning_content": text}, usage=None) for text in texts[:half]),
        *(chunk({"content": text, "reasoning_content": None}, usage=None) for text in texts[half:]),
        chunk({"content": "", "reasoning_content": None}, "stop", usage=usage(len(texts))),
    ]


def tools(texts: list[str]) -> Chunks:
    """A sentence, then a call whose arguments come in pieces, one of which looks like content."""
    begin = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    pieces = [{"index": 0, "function": {"arguments": text}} for text in [*texts, '"content":"tok"']]
    return [
        *(chunk({"content": text}) for text in texts[:4]),
        chunk({"content": None, "tool_calls": [begin]}),
        *(chunk({"tool_calls": [piece]}) for piece in pieces),
        *(chunk({"content": text}) for text in texts[4:]),
        chunk({}, "tool_calls"),
    ]


def two_choices(texts: list[str]) -> Chunks:
    """Another choice between those that were asked for."""
    both: Chunks = []
    for text in texts:
        both += [chunk({"content": text}), chunk({"content": "other"}, choice={"index": 1})]
    return [*both, chunk({}, "stop")]


FORMS: list[Callable[[list[str]], Chunks]] = [
    openai, azure, azure_late, vllm, sglang, llama_cpp, ollama, deepseek, tools, two_choices,
]  # fmt: skip


def wire(chunks: Chunks, *, spaced: bool, ascii_only: bool, crlf: bool) -> bytes:
    separators = (", ", ": ") if spaced else (",", ":")
    end = b"\r\n\r\n" if crlf else b"\n\n"
    events = [
        b"data: " + json.dumps(one, separators=separators, ensure_ascii=ascii_only).encode() for one in chunks
    ]
    return end.join([*events, b"data: [DONE]", b""])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@settings(max_examples=examples(60), deadline=None)
@given(
    texts=st.lists(st.sampled_from(TEXTS) | st.text(max_size=4), min_size=1, max_size=16),
    cuts=st.lists(st.integers(0, 6000), max_size=8),
    a_read_each=st.booleans(),
    keep=st.booleans(),
    spaced=st.booleans(),
    ascii_only=st.booleans(),
    crlf=st.sampled_from([False, False, False, True]),
)
def test_every_form_is_read_the_same_by_shape_and_as_json(
    form: Callable[[list[str]], Chunks],
    texts: list[str],
    cuts: list[int],
    a_read_each: bool,
    keep: bool,
    spaced: bool,
    ascii_only: bool,
    crlf: bool,
) -> None:
    whole = wire(form(texts), spaced=spaced, ascii_only=ascii_only, crlf=crlf)
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    pieces = (
        [part + b"\n\n" for part in whole.split(b"\n\n")[:-1]]
        if a_read_each and not crlf
        else [whole[a:b] for a, b in pairwise(edges)]
    )
    by_shape = seen_in(pieces, keep=keep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_TEMPLATE_TRIES", 0)
        by_json = seen_in(pieces, keep=keep)
    assert by_shape == by_json
    failed, _, content, reasoning, *_ = by_shape
    assert failed == ""
    if keep and form is not tools and form is not two_choices:
        assert str(reasoning) + str(content) == "".join(texts)
