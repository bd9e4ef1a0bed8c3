"""Random prompts of a given length, each different from its first word on, or after a part that all have in common.

Lengths are in words, about one token each for common English words. With the model's tokenizer they are exact
tokens of the text itself; what the server's chat template adds is in its own `prompt_tokens`.

A prompt is a word of its own and then a stretch of one long random text, whose beginning is drawn: as unlike
others as if each word were drawn, and a hundred times cheaper to make.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from console.vocabulary.chat import ChatRequest
from console.vocabulary.errors import ConsoleError
from console.work.lengths import Lengths
from console.work.prompt_source import mixed

CountTokens = Callable[[str], int]
"""How many tokens a text is, without those that mark its beginning and end."""

_WORDS: Final = (  # noqa: SIM905 - a list of 130 literals reads worse
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work number night point home water room mother "
    "area money story fact month lot right study book eye job word business issue side kind head house service "
    "friend father power hour game line end member law car city name team minute idea body back parent face level "
    "office door health person art war history party result change morning reason research girl guy moment air "
    "teacher force order green light paper river stone table window garden music"
).split()
_LONG_TEXT: Final = 1 << 14
"""Words to begin at."""
_MARK_DIGITS: Final = 8
_ROUNDS: Final = 8
"""Of adding and taking away words, where a tokenizer does not count them one by one."""
_TRIED: Final = 16
_INPUT, _OUTPUT, _BEGIN, _MARK = range(4)


class RandomPrompts:
    """Endless random prompts; number i follows from the seed and i."""

    def __init__(
        self,
        inputs: Lengths,
        outputs: Lengths,
        *,
        seed: int,
        prefix_len: int = 0,
        shared_share: float = 0.0,
        count: CountTokens | None = None,
        ignore_eos: bool = False,
    ) -> None:
        """Prepare the texts that prompts are cut from.

        Args:
            inputs: length of prompts, what they have in common by `shared_share` included, `prefix_len` not.
            outputs: tokens to ask for.
            seed: other prompts for another one.
            prefix_len: words that all prompts begin with, before their own.
            shared_share: or the share of each prompt that is common.
            count: the tokenizer; None: a word counts as one.
            ignore_eos: ask servers that can to always write the full length.

        Raises:
            ConsoleError: if the tokenizer knows none of our words as one token.
        """
        self._inputs, self._outputs, self._seed = inputs, outputs, seed
        self._prefix_len, self._shared_share = prefix_len, shared_share
        self._count, self._ignore_eos = count, ignore_eos
        words = _WORDS if count is None else _single(_WORDS, count)
        rng = random.Random(seed)
        self._text = _Text(rng.choices(words, k=_LONG_TEXT + inputs.longest))
        self._common = _Text(rng.choices(words, k=prefix_len + round(inputs.longest * shared_share) + 1))
        self._one_by_one = count is None or (
            self._text.counts_by_words(count)
            and all(count(self._content(index)) == self._asked_tokens(index) for index in range(_TRIED))
        )

    @property
    def size(self) -> None:
        """None: no two are the same."""
        return

    def at(self, index: int) -> ChatRequest:
        """Return prompt `index`."""
        text = self._content(index)
        if not self._one_by_one:
            text = self._counted(text, index)
        return ChatRequest(
            messages=({"role": "user", "content": text},),
            max_tokens=self._outputs.at(self._seed, index, _OUTPUT),
            ignore_eos=self._ignore_eos,
            keep_content=False,
        )

    def _asked_tokens(self, index: int) -> int:
        return self._prefix_len + self._inputs.at(self._seed, index, _INPUT)

    def _content(self, index: int) -> str:
        length = self._inputs.at(self._seed, index, _INPUT)
        common = self._prefix_len + round(length * self._shared_share)
        own = self._prefix_len + length - common
        before = self._common.cut(0, common)
        if own < 1:
            return before
        mark, tokens = self._marked(index, own, after=bool(before))
        begin = mixed(self._seed, index, _BEGIN) % _LONG_TEXT
        return " ".join(part for part in (before, mark, self._text.cut(begin, own - tokens)) if part)

    def _marked(self, index: int, room: int, *, after: bool) -> tuple[str, int]:
        """Return a word that no other prompt has, and its tokens; shorter where there is no room for it."""
        number = (mixed(self._seed, 0, _MARK) + index * 0x9E3779B1) & 0xFFFFFFFF  # each number once
        mark = f"{number:08x}"
        if self._count is None:
            return mark, 1
        for digits in range(_MARK_DIGITS, 0, -1):
            tokens = self._count(f" {mark[-digits:]}" if after else mark[-digits:])
            if tokens <= room:
                return mark[-digits:], tokens
        return mark[-1], 1

    def _counted(self, text: str, index: int) -> str:
        """Return the text with as many words more or fewer as make it as long as asked, or as near as can be."""
        assert self._count is not None
        asked = self._asked_tokens(index)
        words = text.split(" ")
        for _ in range(_ROUNDS):
            missing = asked - self._count(" ".join(words))
            if missing == 0:
                break
            words = words[:missing] if missing < 0 else [*words, *self._text.words[:missing]]
        return " ".join(words)


class _Text:
    """A long text of which stretches are cut by words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._whole = " ".join(words)
        self._starts = list(accumulate((len(word) + 1 for word in words), initial=0))

    def cut(self, begin: int, count: int) -> str:
        """Return `count` words from `begin` on."""
        return self._whole[self._starts[begin] : self._starts[begin + count] - 1] if count > 0 else ""

    def counts_by_words(self, count: CountTokens) -> bool:
        """Whether each word behind the first is one token, whatever stands before it."""
        return count(self._whole) - count(self.words[0]) == len(self.words) - 1


def _single(words: Sequence[str], count: CountTokens) -> list[str]:
    """Return the words that are one token each behind another word."""
    behind = words[0]
    alone = count(behind)
    single = [word for word in words if count(f"{behind} {word}") == alone + 1]
    if not single:
        raise ConsoleError(
            "knows none of our words as a single token: prompts of an exact length cannot be made",
            where="--tokenizer",
        )
    return single


def random_source(
    input_len: int,
    output_len: int,
    *,
    range_ratio: float = 0.0,
    output_cv: float | None = None,
    seed: int,
    prefix_len: int = 0,
    shared_share: float = 0.0,
    tokenizer: CountTokens | None = None,
    ignore_eos: bool = False,
) -> RandomPrompts:
    """Return endless random prompts, as the options of `capacity` say them."""
    return RandomPrompts(
        Lengths(mean=input_len, range_ratio=range_ratio),
        Lengths(mean=output_len, range_ratio=range_ratio, cv=output_cv),
        seed=seed,
        prefix_len=prefix_len,
        shared_share=shared_share,
        count=tokenizer,
        ignore_eos=ignore_eos,
    )
