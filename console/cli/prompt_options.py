"""The options that say which prompts a capacity test sends; one place, so that all commands mean the same."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.option_group import option_group
from console.cli.saying import say
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.work.prompt_source import PromptSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Which prompts, as they were asked for."""

    input_len: int
    output_len: int
    range_ratio: float
    output_cv: float | None
    prefix_len: int
    shared_share: float
    tokenizer: Path | None
    dataset: Path | None
    dataset_output_len: int | None
    ignore_eos: bool
    seed: int

    def source(self) -> PromptSource:
        """Return where prompts come from, and say what is left out of a dataset.

        Raises:
            ConsoleError: if the dataset or the tokenizer cannot be used, or options exclude each other.
        """
        from console.work.dataset_source import dataset_source
        from console.work.random_prompts import random_source
        from console.work.token_counter import token_counter

        count = None if self.tokenizer is None else token_counter(self.tokenizer)
        if self.dataset is not None:
            found = dataset_source(
                self.dataset,
                output_len=self.dataset_output_len,
                tokenizer=count,
                ignore_eos=self.ignore_eos,
            )
            if found.left_out:
                say(f"warning: {found.left_out} conversations ask nothing and are left out", err=True)
            return found
        if self.dataset_output_len is not None:
            raise ConsoleError("--dataset-output-len goes with --dataset", hint="--random-output-len")
        if self.prefix_len and self.shared_share:
            raise ConsoleError("give either --random-prefix-len or --shared-prefix")
        return random_source(
            self.input_len,
            self.output_len,
            range_ratio=self.range_ratio,
            output_cv=self.output_cv,
            seed=self.seed,
            prefix_len=self.prefix_len,
            shared_share=self.shared_share,
            tokenizer=count,
            ignore_eos=self.ignore_eos,
        )

    def record(self) -> dict[str, Any]:
        """Return the options as plain values, for the plan of a search."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in ((field.name, getattr(self, field.name)) for field in fields(self))
        }

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Prompts:
        """Return what `record` wrote.

        Raises:
            ConsoleError: if it is something else.
        """
        options = dict(record)
        for name in ("tokenizer", "dataset"):
            if options.get(name):
                options[name] = Path(options[name])
        try:
            return cls(**options)
        except TypeError as error:
            raise ConsoleError(f"the plan's prompts are not readable: {error}") from error

    @property
    def lengths(self) -> tuple[int, int] | None:
        """Mean length of prompts and answers where they are made up, what they have in common in it."""
        return None if self.dataset is not None else (self.prefix_len + self.input_len, self.output_len)


def warn_of_repeats(source: PromptSource, count: int) -> None:
    """Say that a dataset holds fewer prompts than are to be sent."""
    if source.size is not None and count > source.size:
        say(
            f"warning: {source.size} prompts are repeated to make {count}: a server's prefix cache may answer the "
            "repeated ones",
            err=True,
        )


_OPTIONS = (
    click.option(
        "--random-input-len", "input_len", type=click.IntRange(min=1), default=1024, show_default=True
    ),
    click.option(
        "--random-output-len", "output_len", type=click.IntRange(min=1), default=128, show_default=True
    ),
    click.option(
        "--random-range-ratio",
        "range_ratio",
        type=click.FloatRange(min=0, max=1, max_open=True),
        default=0.0,
        show_default=True,
        help="Lengths spread evenly from LEN × (1 - this) to LEN × (1 + this).",
    ),
    click.option(
        "--random-output-cv",
        "output_cv",
        type=click.FloatRange(min=0, max=3, min_open=True),
        help="Answers spread log-normally in place of that, with this coefficient of variation.",
    ),
    click.option(
        "--random-prefix-len",
        "--prefix-len",
        "prefix_len",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Words that all prompts begin with, before --random-input-len of their own.",
    ),
    click.option(
        "--shared-prefix",
        "shared_share",
        metavar="SHARE",
        type=click.FloatRange(min=0, max=1, max_open=True),
        default=0.0,
        show_default=True,
        help="Or the share of each prompt that all have in common.",
    ),
    click.option(
        "--tokenizer",
        type=click.Path(path_type=Path),
        help="A tokenizer.json: lengths are exact tokens then, else words.",
    ),
    click.option(
        "--dataset",
        "--dataset-path",
        "dataset",
        type=click.Path(path_type=Path),
        help="Prompts from JSON lines or ShareGPT's JSON in place of random ones.",
    ),
    click.option(
        "--dataset-output-len",
        "--sharegpt-output-len",
        "dataset_output_len",
        type=click.IntRange(min=1),
        help="Tokens to ask for with --dataset, whatever it says.",
    ),
    click.option("--ignore-eos", is_flag=True, help="Ask servers that can to always write the full length."),
    click.option("--seed", type=int, default=0, show_default=True, help="Draws prompts and arrivals."),
)

prompt_options = option_group(Prompts, "prompts", _OPTIONS)
"""Add the options, which the command gets as `prompts`."""
