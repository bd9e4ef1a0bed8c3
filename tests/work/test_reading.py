"""Actions are read out of whatever a model writes round them, in bounded work, and nothing is made up."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import examples

from console.vocabulary.chat import ChatResult, Stamps, ToolCall
from console.vocabulary.outcome import Outcome
from console.work.protocol import offered_tools, rules, tool_list
from console.work.reading import FINISH, known_name, read_actions, read_arguments, spoken
from console.work.registry import TOOLS
from console.work.replies import ReplyReader
from console.work.tolerant_json import MOST_CHARS, _Reader, find_objects

READER = "file_reader"
WISH = {"path": "in/orders.csv", "output": "orders_raw"}
WRITTEN = json.dumps({"action": READER, "arguments": WISH})

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
argument_sets = st.dictionaries(st.text(min_size=1), values, max_size=4)
names = st.sampled_from([*TOOLS, FINISH])
noise = st.text(st.characters(exclude_characters="{", exclude_categories=["Cs"]), max_size=60)


def read(text, **how):
    return [(action.name, action.arguments) for action in read_actions(spoken(text), **how)]


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN,
        f"I read the file first.\n```json\n{WRITTEN}\n```\nThen we shall see.",
        f"<tool_call>\n{WRITTEN}\n</tool_call>",
        f"<|python_tag|>{WRITTEN}<|eom_id|>",
        f"[{WRITTEN}]",
        '{"thought": "let me see {", "action": "file_reader", "arguments": {"path": "in/orders.csv", "output": "orders_raw",},}',
        "{'action': 'file_reader', 'arguments': {'path': 'in/orders.csv', 'output': 'orders_raw'}}",
        '{action: "file_reader", arguments: {path: "in/orders.csv", output: orders_raw}}',
        '{"tool": "File-Reader", "args": {"path": "in/orders.csv", "output": "orders_raw"}}',
        '{"name": "FileReader", "parameters": {"path": "in/orders.csv", "output": "orders_raw"}}',
        '{"tool_name": "functions.file_reader", "input": {"path": "in/orders.csv", "output": "orders_raw"}}',
        '{"action": "file reader", "action_input": "{\\"path\\": \\"in/orders.csv\\", \\"output\\": \\"orders_raw\\"}"}',
        json.dumps({"tool_calls": [{"function": {"name": READER, "arguments": json.dumps(WISH)}}]}),
        '{"action": {"name": "file_reader", "arguments": {"path": "in/orders.csv", "output": "orders_raw"}}}',
        '{"action": "file_reader", "path": "in/orders.csv", "output": "orders_raw", "why": "to see"}',
        '{"file_reader": {"path": "in/orders.csv", "output": "orders_raw"}}',
        '{"action": "file_reader" "arguments": {"path": "in/orders.csv" "output": "orders_raw"}}',
        '{"action": "file_reader", "arguments": {"path": "in/orders.csv", "output": "orders_raw"}',
        '{"action": "file_reader", "arguments": {"path": "in/orders.csv", "output": "orders_raw"',
        'file_reader {"path": "in/orders.csv", "output": "orders_raw"}',
        '1. `file_reader`\n```json\n{"path": "in/orders.csv", "output": "orders_raw"}\n```',
        '<function=file_reader>{"path": "in/orders.csv", "output": "orders_raw"}</function>',
        f'<think>maybe {{"action": "file_writer", "arguments": {{}}}}?</think>{WRITTEN}',
        f'maybe {{"action": "file_writer", "arguments": {{}}}}?</think>{WRITTEN}',
        f'{{ {{\' {{"a": }} {{"b": [1, {{}} ]}} {WRITTEN}',
    ],
)
def test_one_call_is_understood_however_it_is_written(text):
    assert read(text) == [(READER, WISH)]
    assert read(text, known_only=True) == [(READER, WISH)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I would call file_reader with the path in/orders.csv.",
        '{"plan": ["file_reader"]}',
        '{"path": "in/orders.csv"}',
        '{"action": "file_reader", "arguments": {"path": "in/ord',
        '{"action": "file_reader", "arguments": {"path":',
        '{"action": ["file_reader"]}',
        '{"name": "orders", "rows": 3}',
        '{"action": "file_reader", "arguments": {"path": NaN}}',
        '{"action": "file_reader", "arguments": {"path": 1e999}}',
        '1. file_reader {"path": "a"}\n2. data_parser {"source": "b"}\n3. finish {}',
        f"<think>{WRITTEN}",
        "{" * 3000,
    ],
)
def test_what_is_no_call_is_not_taken_for_one(text):
    assert read(text) == []


def test_several_objects_are_several_calls_in_their_order():
    written = json.dumps({"action": "data_parser", "arguments": {"source": "a"}})
    two = [(READER, WISH), ("data_parser", {"source": "a"})]
    assert read(f"First {WRITTEN} and then {written}.") == two
    assert read(f"[{WRITTEN}, {written}]") == two
    assert read(json.dumps({"actions": [json.loads(WRITTEN), json.loads(written)]})) == two


def test_an_object_without_end_counts_only_where_the_reply_was_not_cut():
    assert read(WRITTEN[:-1]) == [(READER, WISH)]
    assert read(WRITTEN[:-1], cut=True) == []
    assert read(WRITTEN, cut=True) == [(READER, WISH)]


def test_unknown_tools_are_calls_too_where_text_is_the_protocol():
    assert read('{"action": "file_shredder", "arguments": {"path": "a"}}') == [
        ("file_shredder", {"path": "a"})
    ]
    assert read('{"action": "file_shredder", "arguments": {"path": "a"}}', known_only=True) == []


def test_arguments_that_are_no_object_are_unreadable_and_none_are_no_arguments():
    assert read('{"action": "file_reader", "arguments": "in/orders.csv"}') == [(READER, None)]
    assert read('{"action": "file_reader", "arguments": ["in/orders.csv"]}') == [(READER, None)]
    assert read('{"action": "finish"}') == read('{"action": "finish", "arguments": null}') == [(FINISH, {})]


@pytest.mark.parametrize(
    ("text", "arguments", "exact"),
    [
        ('{"a": 1}', {"a": 1}, True),
        ("", {}, False),
        ("null", {}, False),
        ('"{\\"a\\": 1}"', {"a": 1}, False),
        ("{'a': True,}", {"a": True}, False),
        ('{}{"a": 1}', {"a": 1}, False),
        ('{"a": 123456789012345678901234567890}', {"a": 1.2345678901234568e29}, True),
        ('{"a": "\\ud800"}', {"a": "\ufffd"}, False),
        ("[1]", None, False),
        ("7", None, False),
        ("path=in/orders.csv", None, False),
        ('{"a": 1}{"b": 2}', None, False),
        ('{"a": ' + "1" * 5000 + "}", None, False),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", None, False),
        ("[" * 5000 + "]" * 5000, None, False),
        ('{"a": "' + "x" * MOST_CHARS + '"}', None, False),
    ],
)
def test_arguments_of_native_calls_are_read_with_the_slips_that_servers_let_through(text, arguments, exact):
    assert read_arguments(text) == (arguments, exact)


def test_names_fit_in_any_case_and_separation_and_no_two_tools_are_taken_for_one_another():
    for name in TOOLS:
        for written in (
            name,
            name.upper(),
            name.replace("_", "-"),
            name.replace("_", " "),
            name.title().replace("_", ""),
        ):
            assert known_name(written) == name
    assert known_name("file_shredder") is None
    assert known_name("") is None


@given(names, argument_sets, noise, noise, st.sampled_from(["action", "tool", "name"]), st.booleans())
@settings(max_examples=examples(150))
def test_what_was_written_is_found_in_any_surroundings(name, arguments, before, after, alias, ascii_only):
    written = json.dumps({alias: name, "arguments": arguments}, ensure_ascii=ascii_only)
    if "think" in before + after:
        return
    assert read(before + written + after) == [(name, arguments)]
    assert read(f"{before}```json\n[{written},\n{written}]\n```{after}") == [(name, arguments)] * 2


@given(argument_sets)
@settings(max_examples=examples(150))
def test_python_writing_says_the_same_as_json(arguments):
    assert read(repr({"action": READER, "arguments": arguments})) == [(READER, arguments)]


hostile = st.lists(
    st.sampled_from(
        [
            *"{}[]\":,'\\ \n",
            '{"action"',
            '"file_reader"',
            "{'a':",
            "<think>",
            "</think>",
            "1e9",
            "\\u",
            "\ud800",
            "finish {}",
            "null",
        ]
    )
    | st.text(max_size=5),
    max_size=60,
).map("".join)


@given(hostile, st.booleans(), st.booleans())
@settings(max_examples=examples(300))
def test_nothing_a_model_writes_breaks_the_reader_and_all_that_is_read_can_be_told(text, cut, known_only):
    for action in read_actions(spoken(text), cut=cut, known_only=known_only):
        msgspec.json.encode([action.name, action.arguments, action.written])
    value, exact = read_arguments(text, cut=cut)
    msgspec.json.encode([value, exact])
    assert spoken(spoken(text)) is not None


@given(values, st.booleans())
def test_both_readers_of_objects_read_plain_json_as_everybody_does(value, ascii_only):
    text = json.dumps({"x": value}, ensure_ascii=ascii_only)
    (found,) = find_objects(text)
    assert found == ({"x": value}, 0, len(text), True)
    assert _Reader(text).object_at(0, 1) == ({"x": value}, len(text))


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        '{"a":',
        '{"a":[',
        "{'a':[{},",
        '{"',
        "{'",
        '{"a":{},',
        "<think>",
        "</think>",
        '{"a":"\\"',
        "x{}",
        "finish {}",
        "[",
        '\\"{',
        "{a:1 ",
    ],
)
def test_a_megabyte_of_brackets_takes_bounded_work(piece, monkeypatch):
    gone_over = [0]
    spend = _Reader._spend

    def counted(reader, chars):
        gone_over[0] += chars + 1
        spend(reader, chars)

    monkeypatch.setattr(_Reader, "_spend", counted)
    text = piece * (1_000_000 // len(piece))
    for hostile_text in (text, '{"action":' + text, '{"a":[' * 60 + text + "{}," * 300_000):
        gone_over[0] = 0
        assert len(read(hostile_text)) <= 64
        assert read_arguments(hostile_text).value is None
        assert gone_over[0] < 4 * MOST_CHARS


def test_prompts_list_every_tool_and_use_no_tag():
    for protocol in ("tools", "text"):
        assert "<" not in rules(protocol)
        assert FINISH in rules(protocol)
    assert all(f"- {name}(" in tool_list() for name in (*TOOLS, FINISH))
    assert tool_list() in rules("text")
    assert offered_tools() is offered_tools()
    assert [tool["function"]["name"] for tool in offered_tools()] == [*TOOLS, FINISH]


@pytest.mark.parametrize("protocol", ["tools", "text"])
def test_all_calls_of_a_reply_together_take_as_much_work_as_one_text(protocol, monkeypatch):
    gone_over = [0]
    spend = _Reader._spend

    def counted(reader, chars):
        gone_over[0] += chars + 1
        spend(reader, chars)

    monkeypatch.setattr(_Reader, "_spend", counted)
    bad = '{"a":\'' * (MOST_CHARS // 6 - 1)
    good = ToolCall("a", "file_reader", '{"path": "a", "output": "b"}')
    calls = (good, *(ToolCall(str(number), "file_reader", bad) for number in range(255)))
    reply = ReplyReader(protocol).read(
        ChatResult(outcome=Outcome.OK, stamps=Stamps(), tool_calls=calls, finish_reason="stop")
    )
    assert reply.wanted[0].arguments == {"path": "a", "output": "b"}
    assert all(wanted.arguments is None for wanted in reply.wanted[1:])
    assert gone_over[0] < 4 * MOST_CHARS
