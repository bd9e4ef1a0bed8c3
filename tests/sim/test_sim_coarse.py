"""One wake an answer, or one a token: the same outcomes at the same times."""

from __future__ import annotations

import anyio
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from seeds import examples
from trio.testing import MockClock

from console.sim.answers import WORDS, Answer, count_pieces, split_answer
from console.sim.config import SimConfig
from console.sim.in_process import InProcessClient
from console.vocabulary.chat import ChatRequest, ChatResult, Endpoint, Timeouts, ToolCall
from console.vocabulary.secret import Secret
from console.vocabulary.simulated import SimBehaviour


def now_ns() -> int:
    return round(trio.current_time() * 1e9)


class Talker:
    """Says words, some of them thought, and calls a tool: lengths follow the prompt."""

    def answer(self, *, messages, **_) -> Answer:
        number = int(messages[0]["content"].split()[0])
        calls = (ToolCall("c", "file_reader", "x" * (number % 20)),) if number % 3 == 0 else ()
        return Answer(
            reasoning=" ".join(WORDS[: number % 7]), text=" ".join(WORDS[: number % 11]), tool_calls=calls
        )


def seen(result: ChatResult) -> tuple[object, ...]:
    """All of a result but the gaps, which the coarse way does not tell."""
    fields = {name: getattr(result, name) for name in result.__struct_fields__ if name != "chunk_gaps_ns"}
    return tuple(sorted((name, repr(value)) for name, value in fields.items()))


def answers(behaviour: SimBehaviour, timeouts: Timeouts, starts: list[int], talker, *, coarse: bool):
    """Ask once at each of the given times (in ns), and return results in the order of asking, and the client."""
    config = SimConfig(seed=7, providers={"lab": behaviour})
    results: dict[int, ChatResult] = {}

    async def main() -> InProcessClient:
        client = InProcessClient(config, now_ns=now_ns, timeouts=timeouts, player=talker, coarse=coarse)

        async def one(number: int, start_ns: int) -> None:
            await anyio.sleep(start_ns / 1e9)
            endpoint = Endpoint(
                api="openai", base_url="sim://lab", deployment=f"d{number % 2}",
                secret=Secret(f"k{number % 3}", "test"),
            )  # fmt: skip
            request = ChatRequest(
                messages=({"role": "user", "content": f"{number} of many"},),
                max_tokens=1 + number * 5 % 17,
                stream=number % 5 != 4,
                ignore_eos=number % 4 == 1,
            )
            results[number] = await client.complete(endpoint, request)

        async with anyio.create_task_group() as group:
            for number, start_ns in enumerate(starts):
                group.start_soon(one, number, start_ns)
        return client

    client = trio.run(main, clock=MockClock(autojump_threshold=0))
    return [results[number] for number in sorted(results)], client


behaviours = st.builds(
    SimBehaviour,
    ttft_ms=st.floats(1, 3000),
    ttft_spread=st.sampled_from([0.0, 0.3]),
    itl_ms=st.sampled_from([0.0, 1.0, 37.3, 400.0]),
    itl_spread=st.sampled_from([0.0, 0.5]),
    output_tokens=st.integers(1, 30),
    slots=st.none() | st.integers(1, 3),
    queue=st.none() | st.integers(0, 3),
    key_concurrency=st.none() | st.integers(1, 4),
    deployment_concurrency=st.none() | st.integers(1, 5),
    key_qps=st.none() | st.integers(1, 5).map(float),
    key_rpm=st.none() | st.integers(3, 9).map(float),
    deployment_tpm=st.none() | st.integers(20, 400).map(float),
    error_rate=st.sampled_from([0.0, 0.2]),
    cut_rate=st.sampled_from([0.0, 0.3]),
    retry_after=st.sampled_from(["seconds", "ms", "none"]),
)
deadlines = st.builds(
    Timeouts,
    first_token=st.sampled_from([0.5, 2.0, 60.0]),
    idle=st.sampled_from([0.3, 1.0, 30.0]),
    total=st.sampled_from([0.8, 3.0, 300.0]),
)
# Apart by odd numbers of ns, so that nothing happens at the same instant: what goes first then is nobody's promise.
start_times = st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=8, unique=True).map(
    lambda times: [time // 1000 * 1000 + 7 * index for index, time in enumerate(times)]
)


@settings(max_examples=examples(80), deadline=None)
@given(behaviours, deadlines, start_times, st.booleans())
@example(SimBehaviour(itl_ms=400, itl_spread=0), Timeouts(idle=0.3), [0, 1007], True)
def test_coarse_and_fine_are_the_same_but_for_the_gaps(behaviour, timeouts, starts, talks):
    talker = Talker() if talks else None
    fine, by_token = answers(behaviour, timeouts, starts, talker, coarse=False)
    coarse, at_once = answers(behaviour, timeouts, starts, talker, coarse=True)
    assert [seen(result) for result in coarse] == [seen(result) for result in fine]
    one, other = by_token.providers["lab"], at_once.providers["lab"]
    assert one.outcomes == other.outcomes
    assert one.tokens_sent == other.tokens_sent
    assert {name: key.peak for name, key in one.keys.items()} == {
        name: key.peak for name, key in other.keys.items()
    }


def test_where_all_slots_stay_busy_load_is_the_same_either_way():
    behaviour = SimBehaviour(ttft_ms=100, ttft_spread=0, itl_ms=10, itl_spread=0, slots=1, load_factor=1.0)
    ends = [
        [(result.stamps.end_ns, result.outcome) for result in answers(behaviour, Timeouts(), [0, 1, 2], None, coarse=coarse)[0]]
        for coarse in (False, True)
    ]  # fmt: skip
    assert ends[0] == ends[1]


texts = st.text(alphabet=st.sampled_from("ab \t\n\u2003\x1fä"), max_size=30)


@given(texts, texts, st.lists(st.text(max_size=20), max_size=3))
def test_tokens_are_counted_as_they_are_cut(reasoning, text, arguments):
    calls = tuple(ToolCall("c", "t", one) for one in arguments)
    answer = Answer(reasoning=reasoning, text=text, tool_calls=calls)
    pieces = split_answer(answer)
    assert count_pieces(answer) == (sum(piece.kind == "reasoning" for piece in pieces), len(pieces))
