"""The id of a test: work is a list of these (law 3)."""

from __future__ import annotations

import msgspec


class TestId(msgspec.Struct, frozen=True, order=True):
    """`model/prompt_type/difficulty/rate/task_type/instance`, split from the right.

    No phase is in it: a test counts once a run, whichever phase asked for it.
    """

    __test__ = False

    model: str
    """Statistics name of the model; may hold slashes."""
    prompt_type: str
    difficulty: str
    rate: str
    """Tool success rate as written, such as `0.8`."""
    task_type: str
    instance: int

    def __str__(self) -> str:
        return (
            f"{self.model}/{self.prompt_type}/{self.difficulty}/{self.rate}/{self.task_type}/{self.instance}"
        )

    @classmethod
    def parse(cls, text: str) -> TestId:
        """Read an id back from its text.

        Raises:
            ValueError: if it has fewer than six parts or the instance is no whole number.
        """
        parts = text.rsplit("/", 5)
        if len(parts) != 6 or not parts[0]:
            raise ValueError(f"{text!r} is not model/prompt_type/difficulty/rate/task_type/instance")
        model, prompt_type, difficulty, rate, task_type, instance = parts
        return cls(model, prompt_type, difficulty, rate, task_type, int(instance))


def rate_text(rate: float) -> str:
    """Write a tool success rate as test ids bear it: 0.8 → `0.8`, 1.0 → `1`."""
    return f"{rate:g}"
