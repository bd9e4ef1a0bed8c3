"""The simulated mind for tests: it recognises a test's prompt and mostly answers as it should.

Whether it slips is drawn from (seed, model, messages) alone, so a run can be repeated to the letter.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from console.sim.answers import Answer, answer_digest
from console.vocabulary.chat import Message
from console.work.single_turn import recognise
from console.work.tools import TOOLS


class TestPlayer:
    """Answers single-turn tests; leaves every other prompt to plain words."""

    __test__ = False

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
        """Return the right plan with chance `skill`, else one that drops, swaps or misnames a step."""
        plan = recognise(messages)
        if plan is None:
            return None
        rng = random.Random(answer_digest(seed, model, messages))
        if rng.random() >= skill:
            plan = _slipped(list(plan), rng)
        return Answer(text=json.dumps({"plan": plan}, indent=1))


def _slipped(plan: list[str], rng: random.Random) -> list[str]:
    slip = rng.randrange(3)
    if slip == 0 and len(plan) > 1:
        del plan[rng.randrange(len(plan))]
    elif slip == 1 and len(plan) > 1:
        first = rng.randrange(len(plan) - 1)
        plan[first], plan[first + 1] = plan[first + 1], plan[first]
    else:
        wrong = [tool.name for tool in TOOLS if tool.name not in plan]
        plan[rng.randrange(len(plan))] = rng.choice(wrong)
    return plan
