"""What a rehearsal supposes of the providers: simulated ones behave as they do, others as the profile guesses."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from console.phases.preflight import ITL_MS, OUTPUT_TOKENS, TTFT_MS
from console.profile.effective import NO_KEY
from console.profile.form import Guess, Profile
from console.sim.answers import Answer, Player, answer_digest, count_pieces
from console.sim.in_process import SCHEME
from console.vocabulary.chat import Endpoint, Message
from console.vocabulary.lane import LaneSetup
from console.vocabulary.secret import Secret
from console.vocabulary.simulated import SimBehaviour

ASSUMED: Final = Guess(ttft_ms=TTFT_MS, itl_ms=ITL_MS, output_tokens=OUTPUT_TOKENS)
"""Of a provider of which the profile guesses nothing, as preflight supposes it. No quota is assumed."""
_LENGTH_SPREAD: Final = 0.2
"""Standard deviation of the length of answers, as a share of their mean; as the simulator's."""


class Supposed(msgspec.Struct, frozen=True, kw_only=True):
    """The providers of a rehearsal."""

    behaviours: dict[str, SimBehaviour]
    """By name of the provider."""
    players: dict[str, Player]
    """Minds of those that are guessed; the others have the simulator's."""
    endpoints: dict[str, Endpoint]
    """By lane id. The secrets in them are made up of the names of keys: none is resolved."""
    assumptions: tuple[str, ...]
    """What the forecast rests on, a sentence a provider."""


class Thinking:
    """Answers as another player does, after thinking for as long as the profile guesses an answer to be.

    What is said decides how a test goes on, and how long it is decides when: the guess is of the length alone.
    """

    def __init__(self, player: Player, mean_tokens: int) -> None:
        """Make answers of `player` about `mean_tokens` long."""
        self._player = player
        self._mean_tokens = mean_tokens

    def answer(
        self,
        *,
        seed: int,
        model: str,
        messages: Sequence[Message],
        tools: Sequence[dict[str, object]],
        max_tokens: int | None,
        skill: float,
    ) -> Answer | None:
        """Return the other player's answer with as much reasoning before it as is left to the length drawn."""
        said = self._player.answer(
            seed=seed, model=model, messages=messages, tools=tools, max_tokens=max_tokens, skill=skill
        )
        if said is None:
            return None
        draw = random.Random(answer_digest(seed, model, messages))
        tokens = max(1, round(draw.gauss(self._mean_tokens, self._mean_tokens * _LENGTH_SPREAD)))
        if max_tokens is not None:
            tokens = min(tokens, max_tokens)
        thought = max(0, tokens - count_pieces(said)[1])
        return msgspec.structs.replace(said, reasoning=said.reasoning + "so " * thought) if thought else said


def suppose(
    profile: Profile, lanes: Iterable[LaneSetup], player: Player, *, most_tokens: int | None = None
) -> Supposed:
    """Return what is supposed of the providers of `lanes`; `player` is the mind of all simulated models.

    That tests ask for no more than `most_tokens` is said where longer answers are guessed.
    """
    setups = list(lanes)
    behaviours: dict[str, SimBehaviour] = {}
    players: dict[str, Player] = {}
    assumptions: list[str] = []
    for name in dict.fromkeys(setup.lane.provider for setup in setups):
        provider = profile.providers[name]
        if provider.api == "sim":
            behaviours[name] = provider.sim_behaviour
            assumptions.append(f"{name}: is simulated, and behaves as its `sim` table says")
            continue
        behaviours[name] = guessed(provider.guess, dialect=provider.api)
        players[name] = Thinking(player, behaviours[name].output_tokens)
        assumptions.append(f"{name}: {_guess_text(provider.guess, behaviours[name], most_tokens)}")
    if players:
        assumptions.append(
            "guessed providers fail no request, and refuse one only beyond the quota named here"
        )
    return Supposed(
        behaviours=behaviours,
        players=players,
        endpoints=_endpoints(profile, setups, behaviours),
        assumptions=tuple(assumptions),
    )


def guessed(guess: Guess, *, dialect: str) -> SimBehaviour:
    """Return the provider that a guess describes; what it leaves out is assumed."""
    return SimBehaviour(
        dialect="azure" if dialect == "azure" else "openai",
        ttft_ms=_or(guess.ttft_ms, ASSUMED.ttft_ms),
        itl_ms=_or(guess.itl_ms, ASSUMED.itl_ms),
        itl_spread=0.0,
        output_tokens=round(_or(guess.output_tokens, ASSUMED.output_tokens)),
        key_qps=guess.key_qps,
    )


def _or(value: float | None, assumed: float | None) -> float:
    found = assumed if value is None else value
    assert found is not None
    return found


def _guess_text(guess: Guess, behaviour: SimBehaviour, most_tokens: int | None) -> str:
    tokens = f"{behaviour.output_tokens} tokens an answer"
    if most_tokens is not None and behaviour.output_tokens > most_tokens:
        tokens += f" of which tests take {most_tokens}"
    parts = (
        (f"TTFT {behaviour.ttft_ms:g} ms", guess.ttft_ms),
        (f"{behaviour.itl_ms:g} ms a token", guess.itl_ms),
        (tokens, guess.output_tokens),
    )
    said = [text for text, value in parts if value is not None]
    assumed = [text for text, value in parts if value is None]
    quota = "no quota" if guess.key_qps is None else f"at most {guess.key_qps:g} requests/s a key"
    texts = [f"guessed in the profile: {', '.join(said)}"] if said else []
    texts += [f"assumed, as the profile guesses nothing: {', '.join(assumed)}"] if assumed else []
    return "; ".join([*texts, quota])


def _endpoints(
    profile: Profile, setups: Iterable[LaneSetup], behaviours: Mapping[str, SimBehaviour]
) -> dict[str, Endpoint]:
    """Return where the requests of each lane go; keys are told apart as the simulator tells its own apart."""
    return {
        setup.lane.id: Endpoint(
            api=behaviours[setup.lane.provider].dialect,
            base_url=f"{SCHEME}{setup.lane.provider}",
            deployment=setup.lane.deployment,
            secret=None if setup.lane.key == NO_KEY else Secret(f"sim-{setup.lane.key}", "rehearsal"),
        )
        for setup in setups
    }
