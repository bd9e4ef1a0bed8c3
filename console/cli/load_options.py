"""The options that say how a level of load is driven: how many at once, at which rate, arriving how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import click

from console.cli.option_group import option_group
from console.cli.rate import Rate
from console.vocabulary.errors import ConsoleError

if TYPE_CHECKING:
    from console.engine.arrivals import Arrival, Level

MANY: Final = 5
"""Times the concurrency: fewer prompts are a level that is mostly beginning and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a level is driven, as it was asked for."""

    max_concurrency: int | None
    request_rate: float | None
    arrival: Arrival | None
    burstiness: float | None
    ramp_up_strategy: Literal["linear", "exponential"] | None
    ramp_up_start_rps: float | None
    ramp_up_end_rps: float | None
    num_prompts: int | None
    num_warmups: int

    def level(self) -> Level:
        """Return the level.

        Raises:
            ConsoleError: if options exclude or need each other.
        """
        from console.engine.arrivals import Level, Ramp

        ramp = None
        if self.ramp_up_strategy is not None:
            start, end = self.ramp_up_start_rps, self.ramp_up_end_rps
            if self.request_rate is not None:
                raise ConsoleError("give either --request-rate or --ramp-up-strategy")
            if start is None or end is None:
                raise ConsoleError("--ramp-up-strategy needs --ramp-up-start-rps and --ramp-up-end-rps")
            if end <= 0 or (start <= 0 and self.ramp_up_strategy == "exponential"):
                raise ConsoleError("only a linear ramp may begin at 0, and none may end there")
            if start == 0 and self.num_warmups:
                raise ConsoleError("--num-warmups are sent at the rate of the start, which is 0")
            ramp = Ramp(strategy=self.ramp_up_strategy, start_rps=start, end_rps=end)
        elif self.ramp_up_start_rps is not None or self.ramp_up_end_rps is not None:
            raise ConsoleError("--ramp-up-start-rps and --ramp-up-end-rps go with --ramp-up-strategy")
        arrival: Arrival = self.arrival or "gamma"
        if self.burstiness is not None and self.arrival in ("constant", "poisson"):
            raise ConsoleError(f"--burstiness goes with --arrival gamma, not {self.arrival}")
        if self.arrival is not None and self.request_rate is None and ramp is None:
            raise ConsoleError("--arrival needs a rate: --request-rate or --ramp-up-strategy")
        return Level(
            max_concurrency=self.max_concurrency,
            request_rate=self.request_rate if ramp is None else ramp.mean_rps,
            burstiness=1.0 if self.burstiness is None else self.burstiness,
            arrival=arrival,
            ramp=ramp,
            warm_ups=self.num_warmups,
        )

    def warnings(self, count: int) -> list[str]:
        """Say what `count` prompts are too few for."""
        if self.max_concurrency is None or count >= MANY * self.max_concurrency:
            return []
        return [f"{count} prompts are fewer than {MANY} × {self.max_concurrency} in flight"]


_OPTIONS = (
    click.option(
        "--max-concurrency", type=click.IntRange(min=1), help="Requests in flight over all lanes together."
    ),
    click.option(
        "--request-rate", type=Rate(), default="inf", show_default=True, help="Requests per second, or inf."
    ),
    click.option(
        "--arrival",
        type=click.Choice(["constant", "poisson", "gamma"]),
        help="How they arrive at that rate; by default gamma with --burstiness 1, which is poisson.",
    ),
    click.option(
        "--burstiness",
        type=click.FloatRange(min=0, min_open=True),
        help="Shape of the gamma distribution of gaps: below 1 in bursts, above 1 more even.  [default: 1]",
    ),
    click.option(
        "--ramp-up-strategy",
        type=click.Choice(["linear", "exponential"]),
        help="A rate that changes over the level, in place of --request-rate; linear and exponential in time.",
    ),
    click.option(
        "--ramp-up-start-rps", type=click.FloatRange(min=0), help="Requests per second at its start."
    ),
    click.option("--ramp-up-end-rps", type=click.FloatRange(min=0), help="And at its end."),
    click.option(
        "--num-prompts", type=click.IntRange(min=1), help="Default: 1000, or as many as --dataset holds."
    ),
    click.option(
        "--num-warmups",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Requests sent before those, in the same way, that are not measured.",
    ),
)

load_options = option_group(Load, "load", _OPTIONS)
"""Add the options, which the command gets as `load`."""
