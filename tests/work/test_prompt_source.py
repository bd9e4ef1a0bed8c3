"""Prompts of capacity levels: by number, as long as asked, each its own from the first word on."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.vocabulary.errors import ConsoleError, Problems
from console.work.dataset_source import dataset_source
from console.work.prompt_source import Taken, drawn
from console.work.random_prompts import random_source
from console.work.token_counter import token_counter


def text_of(request) -> str:
    (message,) = request.messages
    assert message["role"] == "user"
    return message["content"]


def words(source, index: int) -> list[str]:
    return text_of(source.at(index)).split(" ")


@settings(deadline=None)
@given(st.integers(0, 2**40), st.integers(), st.integers(1, 300), st.floats(0, 0.99), st.integers(0, 40))
def test_prompt_i_follows_from_seed_and_i_and_has_its_length(index, seed, input_len, ratio, prefix):
    source = random_source(input_len, 50, range_ratio=ratio, seed=seed, prefix_len=prefix)
    request = source.at(index)
    again = random_source(input_len, 50, range_ratio=ratio, seed=seed, prefix_len=prefix).at(index)
    assert request == again
    assert source.size is None
    count = len(words(source, index))
    assert prefix + max(1, int(input_len * (1 - ratio))) <= count <= prefix + input_len * (1 + ratio) + 1
    assert 1 <= request.max_tokens <= 100
    assert (request.stream, request.keep_content) == (True, False)


def test_no_two_prompts_begin_alike_even_of_one_word_and_another_seed_makes_others():
    for length in (1, 2, 64):
        source = random_source(length, 8, seed=3)
        assert len({words(source, index)[0] for index in range(5000)}) == 5000
    assert not {words(random_source(9, 8, seed=3), n)[0] for n in range(500)} & {
        words(random_source(9, 8, seed=4), n)[0] for n in range(500)
    }


def test_what_follows_the_first_word_is_unlike_other_prompts():
    source = random_source(40, 8, seed=0)
    tails = Counter(" ".join(words(source, index)[1:]) for index in range(3000))
    assert max(tails.values()) <= 6, "3000 of 16384 places to begin at: few of them often"
    fives = [set(pairwise(words(source, index)[1:])) for index in (0, 1)]
    assert len(fives[0] & fives[1]) < 5


def test_a_spread_is_even_over_its_range_and_has_both_ends():
    source = random_source(100, 10, range_ratio=0.5, seed=1)
    lengths = [len(words(source, index)) for index in range(4000)]
    assert (min(lengths), max(lengths)) == (50, 150)
    assert fmean(lengths) == pytest.approx(100, rel=0.02)
    asked = [source.at(index).max_tokens for index in range(4000)]
    assert set(asked) == set(range(5, 16))


def test_answers_of_a_given_variation_have_that_mean_and_variation():
    source = random_source(1, 200, output_cv=1.0, seed=1)
    asked = [source.at(index).max_tokens for index in range(20_000)]
    assert fmean(asked) == pytest.approx(200, rel=0.03)
    assert pstdev(asked) / fmean(asked) == pytest.approx(1.0, rel=0.07)
    assert min(asked) >= 1


def test_a_shared_share_is_the_same_in_all_and_the_rest_is_not():
    source = random_source(100, 8, seed=2, shared_share=0.8, range_ratio=0.2)
    first, second = words(source, 0), words(source, 1)
    common = round(min(len(first), len(second)) * 0.8)
    assert first[:common] == second[:common]
    own = {words(source, index)[round(len(words(source, index)) * 0.8)] for index in range(2000)}
    assert len(own) == 2000
    prefixed = random_source(20, 8, seed=2, prefix_len=30)
    assert words(prefixed, 0)[:30] == words(prefixed, 9)[:30]
    assert words(prefixed, 0)[30] != words(prefixed, 9)[30]


def test_draws_are_even():
    values = [drawn(7, index, 1) for index in range(20_000)]
    assert fmean(values) == pytest.approx(0.5, abs=0.01)
    assert pstdev(values) == pytest.approx(12**-0.5, abs=0.005)
    counts = Counter(int(value * 10) for value in values)
    assert max(counts.values()) - min(counts.values()) < 250


def by_pieces(text: str) -> int:
    """Count as byte-pair tokenizers do: short words whole, long ones and hex in pieces of three characters."""
    return sum(1 if len(word) <= 6 and word.isalpha() else -(-len(word) // 3) for word in text.split(" "))


def by_a_merge(text: str) -> int:
    """Count with one merge over a space, so that words do not simply add up."""
    return by_pieces(text) - len(re.findall(r"(?<=day) (?=man)|(?<=life) (?=child)|(?<=a) (?=w)", text))


@pytest.mark.parametrize("count", [by_pieces, by_a_merge])
@pytest.mark.parametrize(("input_len", "options"), [(200, {}), (5, {}), (64, {"prefix_len": 32}), (90, {"shared_share": 0.5, "range_ratio": 0.3})])  # fmt: skip
def test_with_a_tokenizer_lengths_are_exact_tokens(count, input_len, options):
    source = random_source(input_len, 8, seed=5, tokenizer=count, **options)
    exact = [count(text_of(source.at(index))) for index in range(300)]
    if options.get("range_ratio"):
        assert set(exact) == set(range(63, 118))
    else:
        assert set(exact) == {input_len + options.get("prefix_len", 0)}
    assert len({text_of(source.at(index)) for index in range(300)}) == 300


def test_a_tokenizer_that_splits_every_word_is_refused():
    with pytest.raises(ConsoleError, match="none of our words"):
        random_source(10, 8, seed=0, tokenizer=len)


def test_a_real_tokenizer_file_counts(tmp_path: Path):
    package = pytest.importorskip("tokenizers")
    made = package.Tokenizer(package.models.BPE())
    made.pre_tokenizer = package.pre_tokenizers.ByteLevel(add_prefix_space=False)
    corpus = [text_of(random_source(400, 8, seed=n).at(0)) for n in range(50)]
    trainer = package.trainers.BpeTrainer(vocab_size=1200, initial_alphabet=package.pre_tokenizers.ByteLevel.alphabet(), show_progress=False)  # fmt: skip
    made.train_from_iterator(corpus, trainer)
    made.save(str(tmp_path / "tokenizer.json"))
    count = token_counter(tmp_path)
    assert count(" time year") == 2
    source = random_source(128, 8, seed=1, tokenizer=count, shared_share=0.25)
    assert {count(text_of(source.at(index))) for index in range(100)} == {128}
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ConsoleError, match="is no tokenizer"):
        token_counter(tmp_path)


def test_a_tokenizer_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(ConsoleError, match="no such tokenizer file"):
        token_counter(tmp_path / "none.json")


def conversation(*turns: tuple[str, str]) -> dict[str, object]:
    return {"id": "x", "conversations": [{"from": who, "value": said} for who, said in turns]}


def test_sharegpt_is_known_by_its_content_and_asks_up_to_the_first_answer(tmp_path: Path):
    rows = [
        conversation(("human", "What is 2 + 2?"), ("gpt", "It is four, as ever."), ("human", "And 3?")),
        conversation(("system", "Be brief."), ("human", "Hello"), ("gpt", "Hi")),
        conversation(("gpt", "I begin.")),
        conversation(),
        conversation(("human", "Nobody answered")),
    ]
    as_list, as_lines = tmp_path / "list.json", tmp_path / "lines.json"
    as_list.write_text(json.dumps(rows, indent=1))
    as_lines.write_text("\n".join(json.dumps(row) for row in rows))
    for path in (as_list, as_lines):
        source = dataset_source(path)
        assert (source.size, source.left_out) == (3, 2)
        assert source.at(0).messages == ({"role": "user", "content": "What is 2 + 2?"},)
        assert source.at(0).max_tokens == 6
        assert [message["role"] for message in source.at(1).messages] == ["system", "user"]
        assert source.at(2).max_tokens is None
        assert source.at(5) == source.at(2)
    counted = dataset_source(as_list, tokenizer=by_pieces, ignore_eos=True)
    assert (counted.at(0).max_tokens, counted.at(0).ignore_eos) == (by_pieces("It is four, as ever."), True)
    assert dataset_source(as_list, output_len=9).at(0).max_tokens == 9


def test_everything_wrong_in_a_dataset_is_named_at_once(tmp_path: Path):
    path = tmp_path / "d.json"
    path.write_text(
        '[{"prompt": "a"}, 3, {"conversations": [{"from": "human"}]}, {"prompt": "b", "max_tokens": 0}]'
    )
    with pytest.raises(Problems) as caught:
        dataset_source(path)
    lines = caught.value.lines()
    assert [line.split(": ")[1] for line in lines] == ["[1]", "[2]", "[3]"]
    path.write_text('{"prompt": "a"}\nnot json\n')
    with pytest.raises(Problems, match=r"d\.json:2: not JSON"):
        dataset_source(path)
    path.write_text("[1, 2")
    with pytest.raises(Problems, match="not JSON"):
        dataset_source(path)
    path.write_text("\n".join(["x"] * 200))
    with pytest.raises(Problems) as many:
        dataset_source(path)
    assert many.value.lines()[-1].endswith("and 150 more")


def test_a_part_of_a_source_is_a_sequence_that_makes_what_is_asked_for():
    source = random_source(5, 8, seed=0)
    taken = Taken(source, 4)
    assert len(taken) == 4
    assert list(taken) == [source.at(index) for index in range(4)] == [taken[n] for n in range(4)]
    assert taken[-1] == source.at(3)
    assert taken[1:3] == [source.at(1), source.at(2)]
    with pytest.raises(IndexError):
        taken[4]


def test_prompts_that_warm_up_come_first_and_are_none_of_those_that_are_measured():
    source = random_source(5, 8, seed=0)
    warmed = Taken(source, 3, warm_ups=2)
    assert list(warmed) == [source.at(index) for index in (3, 4, 0, 1, 2)] == [warmed[n] for n in range(5)]
    assert warmed[-1] == source.at(2)
